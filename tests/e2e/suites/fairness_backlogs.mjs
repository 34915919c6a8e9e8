// One act of a customer concerns thousands of its calls; another customer's call is dialled before all
// that is done. The order is told by what the database and the carriers recorded, not by a clock.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { logs } from '../lib/logs.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

// Eight requests at once: of them a customer alone has half.
const SHARE = 4;
const settings = {
  poll_interval: '100ms',
  place_in_flight_max: String(SHARE * 2),
  lookup_first: '10ms',
  stop_timeout: '1s',
};
const SILENT = { carrier: { script: 'none' } };
const HANGS = { carrier: { place: 'hang', script: 'none' } };
const LOST = { carrier: { place: 'cut', script: 'none', find: 'hang' } };
const LATER = 'NOW(6) + INTERVAL 1 DAY';
const NONE = 'NULL';
const NOBODY = 'f0000000-0000-7000-8000-000000000000'; // an agent that does not exist

let backlogs = 0;

// So many scheduled calls of a customer, as the columns say.
function backlog(system, customer, count, { due_at, hold_reason = NONE, expires_at = NONE }) {
  const prefix = `AB${String(++backlogs).padStart(6, '0')}`;
  return system.sql(`INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, hold_reason,
      scheduled_at, due_at, expires_at, expiry_due, origin, created_at, updated_at)
    SELECT UNHEX(CONCAT('${prefix}', LPAD(HEX(seq), 24, '0'))), ${idSql(customer.workspace_id)},
      ${idSql(customer.agent_id)}, 'scheduled', FALSE, CONCAT('+9174', LPAD(seq, 8, '0')), ${hold_reason},
      ${due_at}, ${due_at}, ${expires_at}, ${expires_at}, 'api_live', NOW(6), NOW(6) FROM seq_1_to_${count}`);
}

const said = (system) => Object.fromEntries(logs(system))['dispatcher.log'] ?? '';

async function customers({ system, carriers }) {
  const [big, small] = [carriers.carrier(), carriers.carrier()];
  return [await system.customer({ carrier: big }), await system.customer({ carrier: small })];
}

// A call of later, which becomes due without a word to the dispatcher.
const later = (system, customer) =>
  system.call(customer, {
    additional_info: SILENT,
    scheduled_at: new Date(Date.now() + 86_400_000).toISOString(),
  });

const due = (callId) => `UPDATE calls SET due_at = NOW(6), scheduled_at = NOW(6) WHERE call_id = ${idSql(callId)}`;

// It was dialled before the last of the others' moments.
async function dialledBefore(system, callId, moment, customer) {
  const before = await system.number(`SELECT
    (SELECT fenced_at FROM call_attempts WHERE call_id = ${idSql(callId)}) <
    (SELECT MAX(${moment}) FROM calls WHERE agent_id = ${idSql(customer.agent_id)}) AS earlier`);
  assert.equal(before, 1, 'it was dialled when all was done');
}

export default suite('fairness_backlogs', { runs: 'faults', system: { settings, dispatcher: true } }, (test) => {
  test("a carrier that hangs has its customer's share of requests, and no other customer waits", async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    for (let i = 0; i < SHARE * 4; i++) await system.call(big, { additional_info: HANGS });
    await until('its share of requests to hang', async () => (await big.carrier.dials()).length === SHARE);
    await small.carrier.asked(await system.call(small, { additional_info: SILENT }));
    const [of] = await system.sql(`SELECT COUNT(*) AS asked, SUM(state <> 'fenced') AS ended FROM call_attempts
      WHERE workspace_id = ${idSql(big.workspace_id)}`);
    assert.deepEqual(of, { asked: String(SHARE), ended: '0' }, 'those that hang had not ended');
  });

  test('look-ups that hang leave all room to place calls', async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    for (let i = 0; i < SHARE * 4; i++) await system.call(big, { additional_info: LOST });
    const lookedUp = async () => (await big.carrier.dials()).filter(({ finds }) => finds.length > 0).length;
    await until('all to be looked up', async () => (await lookedUp()) === SHARE * 4);
    const leases = () =>
      system.one(`SELECT GROUP_CONCAT(watch_at ORDER BY call_id) AS leases FROM call_attempts
        WHERE workspace_id = ${idSql(big.workspace_id)}`);
    const before = await leases();
    await small.carrier.asked(await system.call(small, { additional_info: SILENT }));
    assert.equal(await leases(), before, 'no look-up had ended');
  });

  test("calls that can't be seen to are told of, and hold up nobody", async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    await backlog(system, { ...big, agent_id: NOBODY }, 1, { due_at: 'NOW(6)' });
    await until('that to be told', () => said(system).includes('due calls could not be seen to'));
    await small.carrier.asked(await system.call(small, { additional_info: SILENT }));
    assert.ok(!said(system).includes('database work failed'));
    await system.sql(`DELETE FROM calls WHERE agent_id = ${idSql(NOBODY)}`);
  });

  test('thousands of calls that expire at one moment hold up nobody', async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    const id = await later(system, small);
    await backlog(system, big, 3000, { due_at: LATER });
    await system.sql(`SET @moment = NOW(6); START TRANSACTION; ${due(id)};
      UPDATE calls SET expires_at = @moment, expiry_due = @moment WHERE agent_id = ${idSql(big.agent_id)}; COMMIT`);
    await small.carrier.asked(id);
    const left = `SELECT COUNT(*) FROM calls WHERE agent_id = ${idSql(big.agent_id)} AND status = 'scheduled'`;
    await until('all to have expired', async () => (await system.number(left)) === 0);
    await dialledBefore(system, id, 'completed_at', big);
  });

  test('thousands of calls that are put off, outside hours, hold up nobody', async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    const id = await later(system, small);
    await system.sql(`UPDATE workspaces SET calling_days = 0 WHERE workspace_id = ${idSql(big.workspace_id)}`);
    await backlog(system, big, 20_000, { due_at: 'NOW(6)' });
    const putOff = () => system.number(`SELECT COUNT(*) FROM calls WHERE agent_id = ${idSql(big.agent_id)}
      AND hold_reason = 'outside_calling_hours'`);
    await until('it to have begun', async () => (await putOff()) > 0);
    await system.sql(due(id));
    await small.carrier.asked(id);
    await until('all to be put off', async () => (await putOff()) === 20_000, { within: 30_000 });
    await dialledBefore(system, id, 'updated_at', big);
  });

  test('thousands of calls that are judged anew, after a change of settings, hold up nobody', async (context) => {
    const { system } = context;
    const [big, small] = await customers(context);
    const id = await later(system, small);
    // Its one line is taken: what is made due stays so.
    await system.sql(`UPDATE workspaces SET concurrent_calls = 1 WHERE workspace_id = ${idSql(big.workspace_id)}`);
    await big.carrier.asked(await system.call(big, { additional_info: SILENT }));
    await backlog(system, big, 20_000, { due_at: LATER, hold_reason: `'outside_calling_hours'` });
    await system.sql(`START TRANSACTION; ${due(id)}; INSERT INTO rechecks (agent_id, workspace_id, wanted_at)
      VALUES (${idSql(big.agent_id)}, ${idSql(big.workspace_id)}, NOW(6)); COMMIT`);
    await small.carrier.asked(id);
    const wished = 'SELECT COUNT(*) FROM rechecks';
    await until('all to be due', async () => (await system.number(wished)) === 0, { within: 30_000 });
    await dialledBefore(system, id, 'scheduled_at', big);
  });

  test('an endpoint that is deleted with thousands of deliveries waiting holds up nobody', async ({ system, receiver }) => {
    const [bigBox, smallBox] = [receiver.box(), receiver.box()];
    const big = await system.customer({ box: bigBox, talks: false });
    const small = await system.customer({ box: smallBox, talks: false });
    await big.api.send('POST', `/v1/webhooks/${big.webhook_id}/pause`);
    await system.sql(`INSERT INTO events (event_id, workspace_id, type, body, created_at)
        SELECT UNHEX(CONCAT('AC', LPAD(HEX(seq), 30, '0'))), ${idSql(big.workspace_id)}, 'call.completed', '{}', NOW(6)
        FROM seq_1_to_20000;
      INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, due_at, created_at, updated_at)
        SELECT event_id, workspace_id, ${idSql(big.webhook_id)}, event_id, NOW(6), NOW(6), NOW(6)
        FROM events WHERE workspace_id = ${idSql(big.workspace_id)}`);
    const of = (state) => system.number(`SELECT COUNT(*) FROM deliveries WHERE state = '${state}'
      AND destination_id = ${idSql(big.webhook_id)}`);
    await big.api.send('DELETE', `/v1/webhooks/${big.webhook_id}`);
    await until('it to have begun', async () => (await of('dropped')) > 0);
    const call = await system.event(small);
    await smallBox.arrival({ call });
    await until('all to be dropped', async () => (await of('waiting')) === 0, { within: 30_000 });
    await system.settled(small.workspace_id);
    const earlier = await system.number(`SELECT
      (SELECT MAX(started_at) FROM delivery_attempts WHERE workspace_id = ${idSql(small.workspace_id)}) <
      (SELECT MAX(updated_at) FROM deliveries WHERE destination_id = ${idSql(big.webhook_id)}) AS earlier`);
    assert.equal(earlier, 1, 'it was delivered when all was dropped');
    assert.equal(bigBox.arrivals.length, 0);
  });
});
