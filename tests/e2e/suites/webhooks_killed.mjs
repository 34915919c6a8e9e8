// A responder that is killed in the middle of a write to a webhook endpoint leaves whole rows: all
// of a change or nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chance, freshSeed } from '../lib/chance.mjs';
import { idSql } from '../lib/database.mjs';
import { assertOk, collection } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';

const KILLS = 25;
const URL_A = 'https://a.example.com/';

// One request to a responder of its own, which is killed after so many milliseconds.
function killedAfter(system, customer, { method, path, body = {} }, ms) {
  const text = JSON.stringify(body);
  const child = spawn(system.responder('huskyvoice-api'), [], {
    env: {
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_METHOD: method,
      SCRIPT_NAME: '',
      PATH_INFO: path,
      QUERY_STRING: '',
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: 'application/json',
      CONTENT_LENGTH: String(text.length),
      HTTP_AUTHORIZATION: `Bearer ${customer.key}`,
      HUSKYVOICE_CONFIG: system.env.HV_CONFIG,
    },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(text);
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  return new Promise((done) =>
    child.on('exit', (_, signal) => {
      clearTimeout(timer);
      done(signal === 'SIGKILL');
    }),
  );
}

export default suite('webhooks_killed', { runs: 'faults' }, (test) => {
  test('create, change, rotate, test and delete: all of it or nothing', async ({ system, receiver }) => {
    const seed = freshSeed();
    const random = chance(seed);
    const customer = await system.customer({ box: receiver.box(), talks: false });
    const webhooks = collection(customer.api, '/v1/webhooks');
    const { webhook_id } = assertOk(await webhooks.create({ url: URL_A, description: '0' }), 201);
    const at = `/v1/webhooks/${webhook_id}`;
    const writes = [
      (n) => ({
        method: 'PATCH',
        path: at,
        body: { description: String(n), timeout_seconds: n + 1, headers: { 'X-N': String(n) } },
      }),
      () => ({ method: 'POST', path: `${at}/rotate` }),
      () => ({ method: 'POST', path: `${at}/test` }),
      () => ({ method: 'POST', path: '/v1/webhooks', body: { url: URL_A, headers: { 'X-A': 'b' } } }),
    ];
    let killed = 0;
    for (let n = 1; n <= KILLS; n++)
      for (const write of writes)
        killed += await killedAfter(system, customer, write(n), 3 + 30 * random());
    const why = `seed ${seed}, ${killed} of ${KILLS * writes.length} killed`;
    assert.ok(killed > 0, why);
    const row = assertOk(await webhooks.get(webhook_id));
    assert.equal(row.timeout_seconds, row.description === '0' ? 15 : Number(row.description) + 1, why);
    const listed = (await webhooks.list({ limit: 100 })).json.data;
    for (const one of listed) assert.equal(one.url === URL_A || one.webhook_id === customer.webhook_id, true, why);
    const half = await system.number(`SELECT COUNT(*) FROM events e LEFT JOIN deliveries d USING (event_id)
      WHERE e.workspace_id = ${idSql(customer.workspace_id)} AND d.delivery_id IS NULL`);
    assert.equal(half, 0, `${why}: an event without its delivery`);
    // no lock is left behind, and every secret opens
    assertOk(await webhooks.act(webhook_id, 'rotate', { grace_seconds: 0 }));
    assertOk(await webhooks.change(webhook_id, { url: customer.box.url }));
    assertOk(await webhooks.act(webhook_id, 'test'), 201);
    await customer.box.arrival({ type: 'call.completed' });
    await killedAfter(system, customer, { method: 'DELETE', path: at }, 5 + 10 * random());
    const status = await system.one(
      `SELECT status FROM destinations WHERE destination_id = ${idSql(webhook_id)}`,
    );
    assert.equal((await webhooks.get(webhook_id)).status, status === 'deleted' ? 404 : 200, why);
  });
});
