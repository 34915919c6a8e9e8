// A batch whose calls have functions before and after them, while dispatchers are killed at moments
// that nobody chose: at the carrier nobody is rung twice, and each call ends once, with all that
// belongs to it.
import assert from 'node:assert/strict';
import { chance, freshSeed } from '../lib/chance.mjs';
import { idSql } from '../lib/database.mjs';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const CALLS = 60;
const KILLS = 12;

const settings = {
  poll_interval: '50ms',
  lease_grace: '200ms',
  place_timeout: '300ms',
  lookup_first: '50ms',
  lookup_gap: '50ms',
  lookup_deadline: '5s',
  place_retry_schedule: '20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms',
  retry_schedule: '0s, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms',
  retry_jitter_percent: '0',
  pre_call_budget: '500ms',
};

async function addFunction(customer, phase, box, fields = {}) {
  const body = { agent_id: customer.agent_id, phase, name: phase, url: box.url, ...fields };
  assertOk(await customer.api.send('POST', '/v1/functions', { body }), 201);
}

// Two dispatchers at all times; one of them is killed again and again.
async function underFire(system, random, done) {
  const running = [system.dispatcher(), system.dispatcher()];
  for (let kills = 0; kills < KILLS && !(await done()); kills++) {
    await new Promise((wake) => setTimeout(wake, 60 + random() * 200));
    const victim = Math.floor(random() * running.length);
    running[victim].signal('SIGKILL');
    await running[victim].ended();
    running[victim] = system.dispatcher();
  }
  return running;
}

export default suite('workflow_chaos', { runs: 'faults', system: { settings, dispatcher: false } }, (test) => {
  test('nobody is rung twice and nothing is lost of a batch with functions', async ({ system, carriers, receiver }) => {
    const seed = freshSeed();
    const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box() });
    const [crm, outcome] = [
      receiver.box({ answer: answers.status(200, { 'Content-Type': 'application/json' }, '{"plan":"gold"}') }),
      receiver.box(),
    ];
    await addFunction(customer, 'pre_call', crm, { save: { plan: '$.plan' }, on_error: 'disallow', retries: 3 });
    await addFunction(customer, 'post_call', outcome);
    const contacts = Array.from({ length: CALLS }, () => ({ contact_number: freshNumber() }));
    const { batch_id: batchId } = assertOk(
      await customer.api.send('POST', '/v1/batches', { body: { agent_id: customer.agent_id, contacts } }),
      201,
    );
    const open = () =>
      system.number(`SELECT (SELECT COUNT(*) FROM calls WHERE batch_id = ${idSql(batchId)}
        AND status IN ('scheduled', 'initiated', 'ringing', 'in_progress'))
        + (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting' AND workspace_id = ${idSql(customer.workspace_id)}) AS open`);
    const running = await underFire(system, chance(seed), async () => (await open()) === 0);
    await until('the batch to end', async () => (await open()) === 0, { within: 40_000, every: 100, seen: open });
    for (const dispatcher of running) {
      dispatcher.signal('SIGTERM');
      assert.equal((await dispatcher.ended()).code, 0);
    }

    const { calls } = assertOk(await customer.api.send('GET', `/v1/batches/${batchId}`));
    const told = `${JSON.stringify(calls)}, seed ${seed}`;
    assert.equal(calls.completed + calls.failed, CALLS, told);
    const rings = new Map();
    for (const { call_id: id, rings: n } of await customer.carrier.dials()) rings.set(id, (rings.get(id) ?? 0) + n);
    assert.deepEqual([...rings].filter(([, n]) => n > 1), [], `rung twice, seed ${seed}`);
    const rows = await system.sql(`SELECT LOWER(HEX(call_id)) AS id, status, error_code, JSON_VALUE(variables, '$.plan') AS plan
      FROM calls WHERE batch_id = ${idSql(batchId)}`);
    for (const row of rows) {
      assert.equal(row.plan, 'gold', JSON.stringify(row));
      if (row.status === 'failed') assert.equal(row.error_code, 'carrier_outcome_unknown', JSON.stringify(row));
    }
    const ended = (id) => customer.box.of({ call: id }).filter(({ json }) => /completed|failed/.test(json.event_type));
    for (const { json, headers } of outcome.arrivals)
      assert.equal(headers['idempotency-key'], `${json.call.id}:post_call`);
    const afterwards = new Set(outcome.arrivals.map(({ json }) => json.call.id));
    assert.equal(afterwards.size, CALLS, 'every call has its post-call function');
    for (const id of afterwards) assert.equal(new Set(ended(id).map(({ json }) => json.event_id)).size, 1, id);
  });
});
