// Retention: what is old goes, from cron and from a resident dispatcher, while deliveries go on.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertOk } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { patient, until } from '../lib/wait.mjs';

const settings = { housekeeping_interval: '100ms', housekeeping_batch: 50, poll_interval: '50ms' };

const ID = (offset) => `UNHEX(LPAD(HEX(seq + ${offset}), 32, '0'))`;
let made = 1_000_000;

// Calls that were over long ago, each with an event, a delivery and its log.
async function oldCalls(system, { workspace_id, agent_id, webhook_id }, count, state = 'succeeded') {
  const [id, at, rows] = [ID(made), "'2025-01-02 03:04:05'", `seq_1_to_${count}`];
  const ws = idSql(workspace_id);
  made += count;
  await system.sql(`
    INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, scheduled_at, due_at,
      duration_seconds, origin, created_at, updated_at)
      SELECT ${id}, ${ws}, ${idSql(agent_id)}, 'completed', 0, '+919876543210', ${at}, ${at}, 3, 'api_live', ${at}, ${at} FROM ${rows};
    INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at)
      SELECT ${id}, ${ws}, ${id}, 'call.completed', '{}', ${at} FROM ${rows};
    INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, state, due_at, created_at, updated_at)
      SELECT ${id}, ${ws}, ${idSql(webhook_id)}, ${id}, '${state}', ${at}, ${at}, ${at} FROM ${rows};
    INSERT INTO delivery_attempts (delivery_id, fence, workspace_id, started_at, duration_ms)
      SELECT ${id}, 1, ${ws}, ${at}, 5 FROM ${rows}`);
}

const left = (system, { workspace_id }) =>
  system.number(`SELECT (SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(workspace_id)})
    + (SELECT COUNT(*) FROM events WHERE workspace_id = ${idSql(workspace_id)})
    + (SELECT COUNT(*) FROM deliveries WHERE workspace_id = ${idSql(workspace_id)})
    + (SELECT COUNT(*) FROM delivery_attempts WHERE workspace_id = ${idSql(workspace_id)}) AS n`);

const usage = async ({ api }) =>
  assertOk(await api.send('GET', '/v1/usage?from=2025-01-02&to=2025-01-02'))[0];

export default suite('housekeeping', { runs: 'faults', system: { settings, dispatcher: false } }, (test) => {
  test('a run of cron deletes what is older than the workspace keeps, and usage stays', async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box(), talks: false });
    await oldCalls(system, customer, 120);
    const before = await usage(customer);
    assert.equal(before.calls, 120);
    await customer.api.send('PATCH', '/v1/workspace', { body: { retention_days: 3650 } });
    await system.once();
    assert.equal(await left(system, customer), 480);
    await customer.api.send('PATCH', '/v1/workspace', { body: { retention_days: 30 } });
    await system.once();
    assert.equal(await left(system, customer), 0);
    assert.deepEqual(await usage(customer), before);
  });

  test('what waits for a paused endpoint is kept, and goes when it was delivered', async ({ system, receiver }) => {
    const box = receiver.box();
    const customer = await system.customer({ box, talks: false });
    await system.admin('webhook', 'pause', customer.webhook_id);
    await oldCalls(system, customer, 5, 'waiting');
    await system.once();
    assert.equal(await left(system, customer), 20);
    await system.admin('webhook', 'resume', customer.webhook_id);
    const dispatcher = system.dispatcher();
    await until('all to be delivered and deleted', async () => (await left(system, customer)) === 0);
    dispatcher.signal('SIGTERM');
    await dispatcher.ended();
    assert.equal((await usage(customer)).calls, 5);
  });

  test('deliveries go on while much is deleted', async ({ system, receiver }) => {
    const box = receiver.box();
    const customer = await system.customer({ box, talks: false });
    await oldCalls(system, customer, 20_000);
    const dispatcher = system.dispatcher();
    await until('deleting to begin', async () => (await usage(customer)).calls === 20_000 && (await left(system, customer)) < 80_000);
    const slowest = [];
    while ((await left(system, customer)) > 2_000 && slowest.length < 30) {
      const started = performance.now();
      const call = await system.event(customer);
      await until('the delivery', async () => (await system.delivery(call))?.state === 'succeeded', { every: 5 });
      slowest.push(performance.now() - started);
    }
    slowest.sort((a, b) => b - a);
    assert.ok(slowest.length >= 3, `only ${slowest.length} deliveries while it deleted`);
    assert.ok(slowest[0] < patient(3_000), `one took ${slowest[0]} ms`);
    assert.equal((await usage(customer)).calls, 20_000);
    dispatcher.signal('SIGTERM');
    assert.equal((await dispatcher.ended()).code, 0);
  });
});
