// What failed since a time is made anew: ordered over the API, worked off by a dispatcher, of which
// one or another is killed.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError, inCase, TIME } from '../lib/expect.mjs';
import { assertOk, collection } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  retry_schedule: '0s, 50ms',
  retry_jitter_percent: '0',
  poll_interval: '100ms',
  lease_grace: '500ms',
  hold_after_failures: '1000',
};

async function customerWith({ system, receiver }, { answer } = {}) {
  const customer = await system.customer({ box: receiver.box({ answer }), talks: false });
  customer.webhooks = collection(customer.api, '/v1/webhooks');
  customer.replays = collection(customer.api, '/v1/replays');
  customer.order = (fields) => customer.webhooks.act(customer.webhook_id, 'replay', fields);
  return customer;
}

function resident({ system, defer }, options = {}) {
  const program = system.dispatcher(options);
  defer(async () => assert.equal((await program.kill('SIGTERM')).code, 0));
  return program;
}

const HOUR_AGO = () => new Date(Date.now() - 3_600_000).toISOString();

const states = async (system, customer) =>
  Object.fromEntries(
    (
      await system.sql(`SELECT state, COUNT(*) AS n FROM deliveries
        WHERE destination_id = ${idSql(customer.webhook_id)} GROUP BY state`)
    ).map(({ state, n }) => [state, Number(n)]),
  );

// n deliveries that failed for good, one second apart, the newest a minute ago.
async function failed(system, customer, n) {
  const workspace = idSql(customer.workspace_id);
  await system.event(customer);
  await system.sql(`INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at)
    SELECT UNHEX(REPLACE(UUID(), '-', '')), workspace_id, NULL, type, body,
      NOW(6) - INTERVAL 60 + seq SECOND FROM events JOIN seq_1_to_${n} WHERE workspace_id = ${workspace}`);
  await system.sql(`DELETE FROM deliveries WHERE workspace_id = ${workspace}`);
  await system.sql(`INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, state, position,
      attempts, due_at, created_at, updated_at)
    SELECT UNHEX(REPLACE(UUID(), '-', '')), workspace_id, ${idSql(customer.webhook_id)}, event_id, 'failed', 2, 2,
      created_at, created_at, created_at FROM events WHERE workspace_id = ${workspace} AND call_id IS NULL`);
}

const done = (customer, replay_id) =>
  until(
    'the replay to be done',
    async () => {
      const row = assertOk(await customer.replays.get(replay_id));
      return row.status === 'done' && row;
    },
    { within: 20_000 },
  );

function replays(test) {
  test('what failed since a time is sent anew, each once, and nothing else', async (context) => {
    const { system } = context;
    const box = answers.status(500);
    const customer = await customerWith(context, { answer: box });
    resident(context);
    await system.events(customer, 4);
    await until('all to have failed', async () => (await states(system, customer)).failed === 4);
    customer.box.answer = answers.status(200);
    await system.event(customer);
    await until('one to succeed', async () => (await states(system, customer)).succeeded === 1);
    customer.box.arrivals.length = 0;
    const answer = await customer.order({ since: HOUR_AGO() });
    const order = assertOk(answer, 202);
    assert.match(order.replay_id, /^rpl_[0-9a-z]{26}$/);
    assert.ok(answer.headers.location.endsWith(`/v1/replays/${order.replay_id}`));
    assert.equal(order.webhook_id, customer.webhook_id);
    for (const name of ['since', 'until', 'created_at']) assert.match(order[name], TIME);
    const row = await done(customer, order.replay_id);
    assert.equal(row.replayed, 4);
    await system.settled(customer.workspace_id);
    assert.deepEqual(await states(system, customer), { succeeded: 5 });
    assert.equal(new Set(customer.box.ids()).size, 4);
    assert.equal(customer.box.arrivals.length, 4);
  });

  test('since and until bound what is sent anew', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    await failed(system, customer, 10);
    resident(context);
    const at = async (n) =>
      (
        await system.one(`SELECT DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%fZ') FROM deliveries
          WHERE workspace_id = ${idSql(customer.workspace_id)} ORDER BY created_at LIMIT ${n}, 1`)
      );
    const { replay_id } = assertOk(await customer.order({ since: await at(3), until: await at(6) }), 202);
    assert.equal((await done(customer, replay_id)).replayed, 4);
    const late = assertOk(await customer.order({ since: new Date().toISOString() }), 202);
    assert.equal((await done(customer, late.replay_id)).replayed, 0);
  });

  test('while one runs, the same order is that one; another is another', async (context) => {
    const customer = await customerWith(context);
    await failed(context.system, customer, 3);
    const since = HOUR_AGO();
    const orders = await Promise.all(Array.from({ length: 5 }, () => customer.order({ since })));
    const ids = new Set(orders.map((answer) => assertOk(answer, 202).replay_id));
    assert.equal(ids.size, 1);
    const other = assertOk(await customer.order({ since, until: new Date().toISOString() }), 202);
    assert.ok(!ids.has(other.replay_id));
    resident(context);
    await done(customer, [...ids][0]);
    await done(customer, other.replay_id);
    await context.system.settled(customer.workspace_id);
    assert.equal(customer.box.arrivals.length, 3);
    const next = assertOk(await customer.order({ since }), 202);
    assert.ok(!ids.has(next.replay_id));
  });

  test('a dispatcher that is killed between two batches loses nothing and doubles nothing', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    await failed(system, customer, 600);
    const order = assertOk(await customer.order({ since: HOUR_AGO() }), 202);
    const killed = system.dispatcher({ fault: 'replay_batch' });
    assert.equal((await killed.ended({ within: 20_000 })).signal, 'SIGKILL');
    const row = assertOk(await customer.replays.get(order.replay_id));
    assert.deepEqual([row.status, row.replayed], ['running', 256]);
    assert.equal((await system.once()).code, 0);
    assert.equal((await done(customer, order.replay_id)).replayed, 600);
    await system.settled(customer.workspace_id);
    assert.deepEqual(await states(system, customer), { succeeded: 600 });
    assert.equal(customer.box.arrivals.length, 600);
    assert.equal(new Set(customer.box.ids()).size, 600);
  });

  test('two dispatchers work on it and send each once; other endpoints are left alone', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    await failed(system, customer, 1000);
    const other = context.receiver.box();
    const second = assertOk(await customer.webhooks.create({ url: other.url }), 201);
    await system.sql(`UPDATE deliveries SET destination_id = ${idSql(second.webhook_id)}
      WHERE workspace_id = ${idSql(customer.workspace_id)} AND SECOND(created_at) MOD 2 = 0`);
    const mine = (await states(system, customer)).failed;
    resident(context);
    resident(context);
    const order = assertOk(await customer.order({ since: HOUR_AGO() }), 202);
    assert.equal((await done(customer, order.replay_id)).replayed, mine);
    await system.settled(customer.workspace_id);
    assert.equal(new Set(customer.box.ids()).size, mine);
    assert.equal(customer.box.arrivals.length, mine);
    assert.equal(other.arrivals.length, 0);
  });

  test('of an endpoint that is deleted meanwhile nothing is sent, and the replay ends', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    await failed(system, customer, 5);
    const order = assertOk(await customer.order({ since: HOUR_AGO() }), 202);
    assertOk(await customer.webhooks.remove(customer.webhook_id));
    resident(context);
    assert.equal((await done(customer, order.replay_id)).replayed, 0);
    assert.deepEqual(await states(system, customer), { failed: 5 });
    assertError(await customer.order({ since: HOUR_AGO() }), 404, 'not_found');
  });

  test('bad orders are refused by name, and those of another workspace are not there', async (context) => {
    const [mine, other] = [await customerWith(context), await customerWith(context)];
    const bad = {
      since: [{}, { since: 'yesterday' }, { since: null }, { since: new Date(Date.now() + 60_000).toISOString() }],
      until: [{ since: HOUR_AGO(), until: 'now' }, { since: HOUR_AGO(), until: '2020-01-01T00:00:00Z' }],
      state: [{ since: HOUR_AGO(), state: 'waiting' }],
      from: [{ since: HOUR_AGO(), from: 1 }],
    };
    for (const [field, bodies] of Object.entries(bad))
      for (const body of bodies)
        await inCase(JSON.stringify(body), async () =>
          assertError(await mine.order(body), 400, 'invalid_request', field),
        );
    const order = { since: HOUR_AGO(), state: 'failed' };
    assertError(await mine.webhooks.act(other.webhook_id, 'replay', order), 404, 'not_found');
    const { replay_id } = assertOk(await other.order(order), 202);
    assertError(await mine.replays.get(replay_id), 404, 'not_found');
    assertError(await mine.replays.get('rpl_x'), 404, 'not_found');
  });
}

export default suite('replay', { runs: 'faults', system: { settings, dispatcher: false } }, replays);
