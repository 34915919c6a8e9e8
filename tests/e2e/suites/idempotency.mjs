// Idempotency-Key: a request that is sent again makes nothing again.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertCreated, assertError } from '../lib/expect.mjs';
import { Api } from '../lib/http.mjs';
import { inAnHour } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel, until } from '../lib/wait.mjs';

let keys = 0;
const freshKey = () => `call-request-${String(++keys).padStart(3, '0')}`;

function request(customer, fields = {}) {
  return {
    agent_id: customer.agent_id,
    contact_number: freshNumber(),
    contact_name: 'Raj Patel',
    scheduled_at: inAnHour(),
    ...fields,
  };
}

const post = (customer, key, fields) => customer.api.create(fields, { 'Idempotency-Key': key });

function assertReplayed(answer, first) {
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.json, first.json);
  assert.equal(answer.headers.location, first.headers.location);
  assert.equal(answer.headers['idempotent-replayed'], 'true');
}

function callsOf(system, customer) {
  return system.number(`SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`);
}

export default suite('idempotency', { runs: 'core', wire: true, width: 4 }, (test) => {
  test('the same key and request give the first answer again, marked as replayed', async ({ system }) => {
    const customer = await system.customer();
    const fields = request(customer);
    const first = await post(customer, 'call-request-001', fields);
    assertCreated(first);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    assertReplayed(await post(customer, 'call-request-001', fields), first);
    assertReplayed(await post(customer, 'call-request-001', fields), first);
    assert.equal(await callsOf(system, customer), 1);
  });

  test('the order of members and the blanks between them make no other request', async ({ system }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer, { additional_info: { a: 1, b: [1, { c: 2, d: 3 }] } });
    const first = await post(customer, key, fields);
    const turned = {
      additional_info: { b: [1, { d: 3, c: 2 }], a: 1 },
      ...Object.fromEntries(
        Object.entries(fields)
          .filter(([name]) => name !== 'additional_info')
          .reverse(),
      ),
    };
    assertReplayed(
      await customer.api.create(JSON.stringify(turned, null, 4), { 'Idempotency-Key': key }),
      first,
    );
  });

  test('the same key with another body gets 422, and the first call stays', async ({ system }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer);
    const first = await post(customer, key, fields);
    const others = [
      { contact_name: 'Raj' },
      { contact_number: freshNumber() },
      { additional_info: {} },
      { contact_email: null },
      { scheduled_at: undefined },
    ];
    for (const other of others)
      assertError(await post(customer, key, { ...fields, ...other }), 422, 'idempotency_key_reused');
    assertReplayed(await post(customer, key, fields), first);
    assert.equal(await callsOf(system, customer), 1);
  });

  test('the same key of another workspace makes a call of its own', async ({ system }) => {
    const [one, two] = [await system.customer(), await system.customer()];
    const key = freshKey();
    const fields = request(one);
    const a = assertCreated(await post(one, key, fields));
    const second = await post(two, key, { ...fields, agent_id: two.agent_id });
    assert.notEqual(assertCreated(second), a);
    assert.equal(second.headers['idempotent-replayed'], undefined);
  });

  test('another key of the workspace replays, a test key makes a call of its own', async ({ system }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer);
    const first = await post(customer, key, fields);
    const apiOf = async (...args) =>
      new Api(
        system.url,
        (await system.admin('key', 'create', '--workspace', customer.workspace_id, ...args)).key,
      );
    assertReplayed(await (await apiOf()).create(fields, { 'Idempotency-Key': key }), first);
    const tried = await (await apiOf('--test')).create(fields, { 'Idempotency-Key': key });
    assert.notEqual(assertCreated(tried), first.json.data.call_id);
  });

  test('keys are compared byte by byte, and a quoted key is the bare one', async ({ system }) => {
    const customer = await system.customer();
    const fields = request(customer);
    const first = await post(customer, 'Key-A', fields);
    const made = new Set([assertCreated(first)]);
    for (const key of ['key-a', 'Key-a', 'Key-A.', 'Key- A', 'KEY-A'])
      made.add(assertCreated(await post(customer, key, fields)));
    assert.equal(made.size, 6);
    assertReplayed(await post(customer, '"Key-A"', fields), first);
  });

  test('a key of 255 characters is taken whole', async ({ system }) => {
    const customer = await system.customer();
    const fields = request(customer);
    const long = `${'k'.repeat(254)}a`;
    const first = await post(customer, long, fields);
    assert.notEqual(assertCreated(await post(customer, `${'k'.repeat(254)}b`, fields)), assertCreated(first));
    assertReplayed(await post(customer, long, fields), first);
  });

  test('a replay gives "scheduled" also when the call is over or cancelled', async ({ system }) => {
    const customer = await system.customer();
    for (const end of ['completed', 'cancelled']) {
      const key = freshKey();
      const fields = request(customer, end === 'completed' ? { scheduled_at: undefined } : {});
      const first = await post(customer, key, fields);
      const callId = assertCreated(first);
      if (end === 'cancelled') await customer.api.cancel(callId);
      await system.status(customer, callId, end);
      assertReplayed(await post(customer, key, fields), first);
    }
  });

  test('a replay comes before any other error: the agent disabled, the workspace suspended', async ({
    system,
  }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer);
    const first = await post(customer, key, fields);
    await system.admin('agent', 'disable', customer.agent_id);
    assertReplayed(await post(customer, key, fields), first);
    await system.admin('workspace', 'suspend', customer.workspace_id);
    assertReplayed(await post(customer, key, fields), first);
    assert.equal(await callsOf(system, customer), 1);
  });

  test('a replay comes before any other error: a scheduled_at that has become too old', async ({
    system,
  }) => {
    const customer = await system.customer();
    const key = freshKey();
    // Five minutes are allowed: so little less that the rest passes soon, but not on the way there.
    let fields, first;
    for (let left = 500; first?.status !== 201 && left <= 8_000; left *= 2) {
      fields = request(customer, { scheduled_at: new Date(Date.now() - 300_000 + left).toISOString() });
      first = await post(customer, key, fields);
    }
    assertCreated(first);
    await until(
      'the time to be too old for a new request',
      async () => (await customer.api.create(fields)).status === 400,
      { every: 50 },
    );
    assertReplayed(await post(customer, key, fields), first);
  });

  test('a disallowed create is replayed as disallowed', async ({ system }) => {
    const customer = await system.customer();
    await system.admin('agent', 'disable', customer.agent_id);
    const key = freshKey();
    const fields = request(customer);
    const first = await post(customer, key, fields);
    assert.equal(first.json.data.status, 'disallowed');
    await system.admin('agent', 'enable', customer.agent_id);
    const again = await post(customer, key, fields);
    assert.deepEqual(
      [again.status, again.json.data.call_id, again.json.data.status],
      [201, first.json.data.call_id, 'disallowed'],
    );
    assert.equal(await callsOf(system, customer), 1);
  });

  test('a refused request leaves its key free', async ({ system }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer);
    assertError(await post(customer, key, { ...fields, contact_number: '123' }), 400, 'invalid_request');
    assertError(await post(customer, key, { ...fields, agent_id: 'agent_123' }), 404, 'not_found');
    assertCreated(await post(customer, key, fields));
  });

  test('the same key in 50 parallel requests makes one call', async ({ system }) => {
    const customer = await system.customer();
    const key = freshKey();
    const fields = request(customer);
    // as many at a time as the web server is good for
    const answers = await inParallel(system.connections, Array(50).fill(fields), (body) =>
      post(customer, key, body),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(50).fill(201),
    );
    assert.equal(new Set(answers.map(({ json }) => json.data.call_id)).size, 1);
    assert.equal(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length, 49);
    assert.equal(await callsOf(system, customer), 1);
  });

  test('the same key in parallel requests with different bodies makes one call, and 422 for the rest', async ({
    system,
  }) => {
    const customer = await system.customer();
    const key = freshKey();
    const bodies = Array.from({ length: 20 }, () => request(customer));
    const answers = await inParallel(system.connections, bodies, (body) => post(customer, key, body));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(19).fill(422)]);
    assert.equal(await callsOf(system, customer), 1);
  });
});
