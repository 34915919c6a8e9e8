// What the suites of a workspace's own things share: who asks, tables of bad values, pages.
import assert from 'node:assert/strict';
import { assertError, inCase } from './expect.mjs';

// Requests under a base path: create(fields), get(id), change(id, fields), act(id, verb), list(query).
export function collection(api, base) {
  const at = (id, verb) => `${base}/${id}${verb ? `/${verb}` : ''}`;
  return {
    create: (body) => api.send('POST', base, { body }),
    get: (id) => api.send('GET', at(id)),
    change: (id, body) => api.send('PATCH', at(id), { body }),
    remove: (id) => api.send('DELETE', at(id)),
    act: (id, verb, body) => api.send('POST', at(id, verb), { body }),
    list: (query = {}) => {
      const text = new URLSearchParams(query).toString();
      return api.send('GET', text ? `${base}?${text}` : base);
    },
  };
}

export function assertOk(answer, status = 200) {
  assert.equal(answer.status, status, answer.text || answer.broke);
  return answer.json.data;
}

// Each case: {field: [values]}; each value is refused with 400 that names the field.
export async function refuseValues(send, cases, status = 400, code = 'invalid_request') {
  for (const [field, values] of Object.entries(cases))
    for (const value of values)
      await inCase(`${field} ${JSON.stringify(value)?.slice(0, 60)}`, async () =>
        assertError(await send({ [field]: value }), status, code, field),
      );
}

// Every id of a list, page by page.
export async function allIds(list, idName, limit) {
  const ids = [];
  let cursor;
  do {
    const answer = await list({ limit, ...(cursor ? { cursor } : {}) });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.json.data.length <= limit);
    ids.push(...answer.json.data.map((one) => one[idName]));
    cursor = answer.json.next_cursor;
  } while (cursor);
  return ids;
}
