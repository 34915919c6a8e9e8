// What tests of rate limits share: windows of the database's clock, and what headers say.
import assert from 'node:assert/strict';
import { inParallel } from './wait.mjs';

export const UNKNOWN_CALL = '01890000-0000-7000-8000-000000000000';

// Does work() until all of one time fell into one window of the database's clock; what the work made
// before is left alone, so it makes what it counts anew each time.
export async function inOneWindow(system, work, window = 60) {
  const current = () => system.number(`SELECT UNIX_TIMESTAMP() DIV ${window}`);
  for (;;) {
    const begun = await current();
    const done = await work().then(
      () => ({}),
      (failure) => ({ failure }),
    );
    if ((await current()) !== begun) continue;
    if (done.failure) throw done.failure;
    return;
  }
}

// {key: {q, w}, workspace: ...} of one header, {key: {r, t}, ...} of the other.
export function rateHeader(text) {
  return Object.fromEntries(
    text.split(', ').map((item) => {
      const [name, ...params] = item.split(';');
      assert.match(name, /^"[a-z]+"$/, text);
      const values = params.map((param) => {
        const [, key, value] = /^([a-z]+)=(\d+)$/.exec(param) ?? assert.fail(text);
        return [key, Number(value)];
      });
      return [name.slice(1, -1), Object.fromEntries(values)];
    }),
  );
}

export function rates({ headers }) {
  return { policy: rateHeader(headers['ratelimit-policy']), now: rateHeader(headers['ratelimit']) };
}

// Requests that ask for nothing that is there: {accepted, refused}, each a list of answers.
export async function burst(customer, count, { width = 20, api = customer.api } = {}) {
  const answers = await inParallel(width, Array(count).fill(), () => api.get(UNKNOWN_CALL));
  for (const { status, text } of answers) assert.ok(status === 404 || status === 429, `${status}: ${text}`);
  return {
    accepted: answers.filter(({ status }) => status === 404),
    refused: answers.filter(({ status }) => status === 429),
  };
}
