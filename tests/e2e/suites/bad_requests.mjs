// Requests that nobody may make: another workspace's things, wrong paths and methods, wrong content
// types, wrong keys, wrong query parameters.
import assert from 'node:assert/strict';
import { assertCreated, assertError, inCase } from '../lib/expect.mjs';
import { sendRaw } from '../lib/http.mjs';
import { customerOf, good, inAnHour, withoutACall } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

function strangers(test) {
  test(
    'an agent that does not exist gets 404 that names it',
    withoutACall(async ({ customer }) => {
      for (const agent_id of [
        'agent_123',
        'agent_00000000000000000000000000',
        '',
        'x'.repeat(1000),
        "' OR 1=1 --",
        customer.agent_id.toUpperCase(),
        customer.agent_id.replace('agent_', 'key_'),
      ]) {
        assertError(await customer.api.create(good(customer, { agent_id })), 404, 'not_found', 'agent_id');
      }
    }),
  );

  test(
    "another workspace's agent gets 404, like one that does not exist",
    withoutACall(async ({ system, customer }) => {
      const other = await system.customer();
      const answer = await customer.api.create(good(customer, { agent_id: other.agent_id }));
      assertError(answer, 404, 'not_found', 'agent_id');
      const none = await customer.api.create(
        good(customer, { agent_id: 'agent_00000000000000000000000000' }),
      );
      assert.equal(
        answer.json.error.message.replace(other.agent_id, ''),
        none.json.error.message.replace('agent_00000000000000000000000000', ''),
      );
    }),
  );

  test("another workspace's call can't be read or cancelled, and stays as it is", async ({ system }) => {
    const [one, two] = [await system.customer(), await system.customer()];
    const callId = await system.call(one, { scheduled_at: inAnHour() });
    const none = await two.api.get('01890000-0000-7000-8000-000000000000');
    assertError(none, 404, 'not_found');
    const read = await two.api.get(callId);
    assertError(read, 404, 'not_found');
    assert.equal(read.json.error.message, none.json.error.message);
    assertError(await two.api.cancel(callId), 404, 'not_found');
    assert.equal((await one.api.get(callId)).json.data.status, 'scheduled');
  });

  test('a call id of a wrong form gets 404', async ({ system }) => {
    const customer = await customerOf(system);
    for (const id of [
      'x',
      '1',
      'call_456',
      '550e8400e29b41d4a716446655440000',
      '550e8400-e29b-41d4-a716-44665544000',
      '%00',
      '550e8400-e29b-41d4-a716-446655440000%20',
      "'",
      '%ff',
    ]) {
      const answer = await customer.api.get(id);
      assert.ok([400, 404].includes(answer.status), `${id}: ${answer.status} ${answer.text}`);
      assert.equal((await customer.api.cancel(id)).status, answer.status, `cancel of ${id}`);
    }
    assertError(await customer.api.get('call_456'), 404, 'not_found');
  });

  test('paths that are not there get 404 in the same envelope', async ({ system }) => {
    const customer = await customerOf(system);
    for (const path of [
      '/v1/',
      '/v1/call',
      '/v1/calls/',
      '/v1/calls/a/b/c',
      '/v1/CALLS',
      '/v1/calls/550e8400-e29b-41d4-a716-446655440000/',
      '/v1/calls.json',
    ]) {
      const answer = await customer.api.send('GET', path);
      await inCase(path, () => assertError(answer, 404, 'not_found'));
    }
  });
}

function methods(test) {
  test('a wrong method gets 405 with Allow', async ({ system }) => {
    const customer = await customerOf(system);
    const id = '550e8400-e29b-41d4-a716-446655440000';
    const cases = [
      ['DELETE', '/v1/calls', ['GET', 'POST']],
      ['PUT', '/v1/calls', ['GET', 'POST']],
      ['PATCH', `/v1/calls/${id}`, ['GET']],
      ['POST', `/v1/calls/${id}`, ['GET']],
      ['DELETE', `/v1/calls/${id}`, ['GET']],
      ['GET', `/v1/calls/${id}/cancel`, ['POST']],
    ];
    for (const [method, path, allowed] of cases) {
      const answer = await customer.api.send(method, path);
      assertError(answer, 405, 'method_not_allowed');
      const allow = (answer.headers.allow ?? '').split(/,\s*/);
      assert.deepEqual(
        allowed.filter((one) => !allow.includes(one)),
        [],
        `Allow of ${method} ${path}: ${answer.headers.allow}`,
      );
      assert.ok(!allow.includes(method), `${method} is refused and allowed`);
    }
  });

  test('a method that nobody knows is refused', async ({ system }) => {
    const customer = await customerOf(system);
    const answer = await sendRaw(system.url, [
      `BREW /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${customer.key}\r\nConnection: close\r\n\r\n`,
    ]);
    assert.ok([400, 405, 501].includes(answer.status), `${answer.status} ${answer.text}`);
  });

  test(
    'a wrong or missing content type gets 415',
    withoutACall(async ({ customer }) => {
      const body = JSON.stringify(good(customer));
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/jsonx',
        'application/json-patch+json',
        'text/json',
        'application/json; charset=iso-8859-1',
        '',
      ]) {
        assertError(
          await customer.api.send('POST', '/v1/calls', {
            body,
            headers: { 'Content-Type': type || undefined },
          }),
          415,
          'unsupported_media_type',
          'application/json',
        );
      }
      assertError(
        await customer.api.send('POST', '/v1/calls', { body, headers: { 'Content-Encoding': 'gzip' } }),
        415,
        'unsupported_media_type',
      );
    }),
  );

  test('application/json is taken in any case and with a charset of UTF-8', async ({ system }) => {
    const customer = await customerOf(system);
    for (const type of [
      'application/json',
      'Application/JSON',
      'application/json; charset=utf-8',
      'application/json;charset="UTF-8"',
    ]) {
      assertCreated(
        await customer.api.send('POST', '/v1/calls', {
          body: JSON.stringify(good(customer)),
          headers: { 'Content-Type': type },
        }),
      );
    }
  });
}

function keys(test) {
  test(
    'a missing, odd or unknown key gets 401 and is told nothing',
    withoutACall(async ({ system, customer }) => {
      const stranger = `${customer.key.slice(0, -4)}AAAA`;
      const headers = [
        undefined,
        '',
        'Bearer',
        'Bearer ',
        customer.key,
        `Basic ${Buffer.from(`${customer.key}:`).toString('base64')}`,
        `Token ${customer.key}`,
        `Bearer ${stranger}`,
        `Bearer ${customer.key}x`,
        `Bearer ${customer.key.slice(0, -1)}`,
        `Bearer ${customer.key.toUpperCase()}`,
        `Bearer ${customer.key} x`,
        `Bearer sk_live_${'a'.repeat(4000)}`,
        "Bearer ' OR '1'='1",
        'Bearer sk_live_your_api_key_here',
      ];
      const callId = await system.call(await customerOf(system), { scheduled_at: inAnHour() });
      for (const Authorization of headers) {
        const requests = [
          ['POST', '/v1/calls', { body: JSON.stringify(good(customer)) }],
          ['GET', `/v1/calls/${callId}`, {}],
          ['GET', '/v1/calls', {}],
          ['POST', `/v1/calls/${callId}/cancel`, {}],
        ];
        for (const [method, path, rest] of requests) {
          const answer = await customer.api.send(method, path, { ...rest, headers: { Authorization } });
          assertError(answer, 401, 'unauthorized');
        }
      }
      const unknown = await customer.api.send('GET', '/v1/calls', {
        headers: { Authorization: `Bearer ${stranger}` },
      });
      assert.equal(unknown.json.error.message, 'Invalid API key.');
    }),
  );

  test(
    'a wrong key gets 401 before anything is said of the body',
    withoutACall(async ({ customer }) => {
      const headers = { Authorization: 'Bearer sk_live_nobody' };
      assertError(await customer.api.send('POST', '/v1/calls', { body: '{', headers }), 401, 'unauthorized');
      assertError(
        await customer.api.send('POST', '/v1/calls', {
          body: JSON.stringify(good(customer, { agent_id: 'x' })),
          headers,
        }),
        401,
        'unauthorized',
      );
      assertError(await customer.api.send('GET', '/v1/calls?limit=0', { headers }), 401, 'unauthorized');
    }),
  );

  test('a revoked key gets 401 from the next request on', async ({ system }) => {
    const customer = await system.customer();
    assert.equal((await customer.api.list()).status, 200);
    await system.admin('key', 'revoke', customer.key_id);
    assertError(await customer.api.list(), 401, 'unauthorized');
    assertError(await customer.api.create(good(customer)), 401, 'unauthorized');
  });

  test(
    'a key without the scope gets 403 that names the scope',
    withoutACall(async ({ system, customer }) => {
      const { key } = await system.admin(
        'key',
        'create',
        '--workspace',
        customer.workspace_id,
        '--scopes',
        'manage',
      );
      const headers = { Authorization: `Bearer ${key}` };
      assertError(await customer.api.create(good(customer), headers), 403, 'forbidden', 'calls');
      assertError(await customer.api.send('GET', '/v1/calls', { headers }), 403, 'forbidden', 'calls');
      assertError(
        await customer.api.send('GET', '/v1/calls/550e8400-e29b-41d4-a716-446655440000', { headers }),
        403,
        'forbidden',
        'calls',
      );
    }),
  );
}

function queries(test) {
  test('a list parameter of a wrong form gets 400 that names it', async ({ system }) => {
    const customer = await customerOf(system);
    const cases = [
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=abc', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=99999999999999999999', 'limit'],
      ['status=done', 'status'],
      ['status=Completed', 'status'],
      ['agent_id=x', 'agent_id'],
      ['contact_number=123', 'contact_number'],
      ['created_after=yesterday', 'created_after'],
      ['created_before=2024-01-27', 'created_before'],
      ['cursor=x', 'cursor'],
      ['cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'cursor'],
      ['limt=5', 'limt'],
      ['status=scheduled&status=failed', 'status'],
    ];
    for (const [query, says] of cases) {
      const answer = await customer.api.send('GET', `/v1/calls?${query}`);
      await inCase(query, () => assertError(answer, 400, 'invalid_request', says));
    }
    // some web servers refuse these by themselves
    for (const query of ['cursor=%00', 'status=%zz', 'status=%ff', 'status=%']) {
      assert.equal((await customer.api.send('GET', `/v1/calls?${query}`)).status, 400, query);
    }
  });

  test(
    'a bad Idempotency-Key gets 400 that names it',
    withoutACall(async ({ customer }) => {
      for (const key of [
        'k'.repeat(256),
        '"',
        '"open',
        '""',
        '"a"b"',
        'caf\u00e9',
        'a\tb',
        `"${'k'.repeat(256)}"`,
      ]) {
        assertError(
          await customer.api.create(good(customer), { 'Idempotency-Key': key }),
          400,
          'invalid_request',
          'Idempotency-Key',
        );
      }
    }),
  );
}

export default suite('bad_requests', { runs: 'core', wire: true, width: 4 }, (test) => {
  strangers(test);
  methods(test);
  keys(test);
  queries(test);
});
