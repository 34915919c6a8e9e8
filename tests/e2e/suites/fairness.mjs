// Ten thousand calls of a batch wait for two lines. A single call goes before them as soon as a line
// is free, whose agent's it may be.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = { poll_interval: '100ms', recheck_interval: '0ms' };
const SILENT = { carrier: { script: 'none' } };
const WAITING = 10_000;

// A customer whose two lines hold the first two calls of a batch of ten thousand.
async function crowded({ system, carriers }, lines) {
  const carrier = carriers.carrier();
  const customer = await system.customer({ carrier });
  await system.sql(
    lines === 'agent'
      ? `UPDATE agents SET concurrent_calls = 2 WHERE agent_id = ${idSql(customer.agent_id)}`
      : `UPDATE workspaces SET concurrent_calls = 2 WHERE workspace_id = ${idSql(customer.workspace_id)}`,
  );
  const contacts = Array.from({ length: WAITING }, (_, i) => ({
    contact_number: `+9174${String(10_000_000 + i)}`,
    additional_info: SILENT,
  }));
  const answer = await customer.api.send('POST', '/v1/batches', { body: { agent_id: customer.agent_id, contacts } });
  assert.equal(answer.status, 201, answer.text);
  const dials = await until('both lines to be taken', async () => {
    const seen = await carrier.dials();
    return seen.length === 2 && seen;
  });
  return { customer, carrier, batch_id: answer.json.data.batch_id, first: dials[0] };
}

const single = (system, customer, fields = {}) => system.call(customer, { additional_info: SILENT, ...fields });

// Another agent's call stands before the batch once a dispatcher has seen that it waits.
function toldToWait({ customer }, callId) {
  return until('the call to be told that it waits for a line', async () => {
    const { json } = await customer.api.get(callId);
    return json.data.hold_reason === 'capacity';
  });
}

// Of the same workspace, on the same carrier.
function anotherAgent(system, { customer }) {
  const of = ['--workspace', customer.workspace_id, '--carrier', customer.carrier_id];
  return system.admin('agent', 'create', '--name', 'another', ...of);
}

// One line gets free.
async function hangUp({ carrier, first }) {
  const { status } = await carrier.tell(first.token, { event: 'ended', reason: 'completed', duration_seconds: 1 });
  assert.equal(status, 200);
}

// The one line that got free went to this call: the carrier was asked for it and for no third one of
// the batch.
async function tookTheLine(system, { customer, carrier, batch_id }, callId, dials = 3) {
  await carrier.asked(callId);
  assert.equal((await carrier.dials()).length, dials);
  const waiting = await system.number(
    `SELECT COUNT(*) FROM calls WHERE batch_id = ${idSql(batch_id)} AND status = 'scheduled'`,
  );
  assert.equal(waiting, WAITING - 2);
  assert.ok(customer);
}

export default suite('fairness', { runs: 'faults', system: { settings, dispatcher: true } }, (test) => {
  test('a single call of the same agent goes before its batch', { within: 120_000 }, async (context) => {
    const { system } = context;
    const crowd = await crowded(context, 'agent');
    const callId = await single(system, crowd.customer);
    await hangUp(crowd);
    await tookTheLine(system, crowd, callId);
    await hangUp({ ...crowd, first: await crowd.carrier.asked(callId) });
    await until('the batch to go on', async () => (await crowd.carrier.dials()).length === 4);
  });

  test("a single call of another agent goes before it on the workspace's lines", { within: 120_000 }, async (context) => {
    const { system } = context;
    const crowd = await crowded(context, 'workspace');
    const { agent_id } = await anotherAgent(system, crowd);
    const callId = await single(system, crowd.customer, { agent_id });
    await toldToWait(crowd, callId);
    await hangUp(crowd);
    await tookTheLine(system, crowd, callId);
  });

  test('a single call of an agent with a free line is placed at once', { within: 120_000 }, async (context) => {
    const { system } = context;
    const crowd = await crowded(context, 'agent');
    const { agent_id } = await anotherAgent(system, crowd);
    await tookTheLine(system, crowd, await single(system, crowd.customer, { agent_id }));
  });

  test('a call of another workspace is placed at once, and so is one of its batches', { within: 120_000 }, async (context) => {
    const { system, carriers } = context;
    const crowd = await crowded(context, 'workspace');
    const carrier = carriers.carrier();
    const other = await system.customer({ carrier });
    await carrier.asked(await single(system, other));
    const body = {
      agent_id: other.agent_id,
      contacts: [{ contact_number: freshNumber(), additional_info: SILENT }],
    };
    assert.equal((await other.api.send('POST', '/v1/batches', { body })).status, 201);
    await until("the other's batch to be dialled", async () => (await carrier.dials()).length === 2);
    assert.equal((await crowd.carrier.dials()).length, 2);
  });

  test('a batch that was made later waits for no other of the same agent that is paused', { within: 120_000 }, async (context) => {
    const { system } = context;
    const crowd = await crowded(context, 'agent');
    const { api, agent_id } = crowd.customer;
    assert.equal((await api.send('POST', `/v1/batches/${crowd.batch_id}/pause`)).status, 200);
    const body = { agent_id, contacts: [{ contact_number: freshNumber(), additional_info: SILENT }] };
    const made = await api.send('POST', '/v1/batches', { body });
    await hangUp(crowd);
    const [{ call_id }] = (await api.list({ batch_id: made.json.data.batch_id })).json.data;
    await tookTheLine(system, crowd, call_id);
  });
});
