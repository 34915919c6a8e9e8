// Retries of calls, as an agent asks for them: which ends, how many dials, when; one call.initiated,
// and call.failed after the last alone. Nobody waits for real minutes: what is put off is made due.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertOk } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  place_timeout: '1s',
  lease_grace: '300ms',
  place_retry_schedule: '50ms, 50ms, 50ms',
  key_rate_per_minute: 0,
  workspace_rate_per_minute: 0,
};

const read = async (customer, id) => assertOk(await customer.api.get(id));
const ends = (reason) => ({ script: [{ event: 'ringing' }, { event: 'ended', reason }] });

async function customerOn({ system, carriers, receiver }, retries, behaviour) {
  const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box() });
  await customer.carrier.behave({ behaviour });
  assertOk(await customer.api.send('PATCH', `/v1/agents/${customer.agent_id}`, { body: retries }));
  return customer;
}

const waiting = (customer, id, reason) =>
  until(
    `${id} to wait for a retry`,
    async () => {
      const call = await read(customer, id);
      return call.hold_reason === reason && call;
    },
    { seen: () => read(customer, id) },
  );

const makeDue = (system, id) =>
  system.sql(`UPDATE calls SET due_at = NOW(6), scheduled_at = NOW(6)
    WHERE call_id = ${idSql(id)} AND status = 'scheduled'`);

const minutesAway = (time) => Math.round((Date.parse(time) - Date.now()) / 60_000);

export default suite('call_retries', { runs: 'faults', weight: 20, width: 4, system: { settings } }, (test) => {
  test('busy, no answer, then talked: three dials, one call.initiated, no call.failed', async (context) => {
    const { system } = context;
    const retries = { max_attempts: 3, retry_gaps_minutes: [5, 60] };
    const customer = await customerOn(context, retries, [ends('busy'), ends('no_answer'), {}]);
    const id = await system.call(customer);
    let call = await waiting(customer, id, 'retry_busy');
    assert.deepEqual([call.status, minutesAway(call.scheduled_at), call.error], ['scheduled', 5, null]);
    assert.deepEqual(customer.box.types(id).includes('call.failed'), false);
    await makeDue(system, id);
    call = await waiting(customer, id, 'retry_no_answer');
    assert.equal(minutesAway(call.scheduled_at), 60);
    await makeDue(system, id);
    call = await system.over(customer, id);
    await system.settled(customer.workspace_id);
    assert.equal(call.status, 'completed');
    const shown = (await read(customer, id)).attempts;
    assert.deepEqual(
      shown.map(({ attempt, state, reason }) => [attempt, state, reason]),
      [
        [1, 'ended', 'busy'],
        [2, 'ended', 'no_answer'],
        [3, 'ended', 'completed'],
      ],
    );
    for (const one of shown) {
      assert.deepEqual(Object.keys(one), [
        'attempt',
        'state',
        'reason',
        'fenced_at',
        'placed_at',
        'ringing_at',
        'answered_at',
        'ended_at',
      ]);
      assert.ok(one.fenced_at <= one.placed_at && one.placed_at <= one.ended_at, JSON.stringify(one));
    }
    const dials = await customer.carrier.dials(id);
    assert.deepEqual(
      dials.map(({ attempt, rings }) => [attempt, rings]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    );
    assert.deepEqual(customer.box.types(id).sort(), ['call.completed', 'call.initiated']);
  });

  test('call.failed comes after the last dial, with its error', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { max_attempts: 2 }, [ends('busy'), ends('no_answer')]);
    const id = await system.call(customer);
    await waiting(customer, id, 'retry_busy');
    await makeDue(system, id);
    const call = await system.over(customer, id);
    await system.settled(customer.workspace_id);
    assert.deepEqual([call.status, call.error.code], ['failed', 'no_answer']);
    assert.deepEqual(customer.box.types(id).sort(), ['call.failed', 'call.initiated']);
    assert.equal((await customer.carrier.dials(id)).length, 2);
  });

  for (const [reason, code] of [
    ['rejected', 'rejected'],
    ['failed', 'carrier_error'],
  ])
    test(`${reason} is not dialled again unless that is asked for`, async (context) => {
      const { system } = context;
      const customer = await customerOn(context, { max_attempts: 5 }, ends(reason));
      const id = await system.call(customer);
      const call = await system.over(customer, id);
      assert.deepEqual([call.status, call.error.code], ['failed', code]);
      assert.equal((await customer.carrier.dials(id)).length, 1);
    });

  test('a refusal of the carrier is dialled again when carrier_error is retried on', async (context) => {
    const { system } = context;
    const refuse = { place: 'refuse', error: { code: 'carrier_error', message: 'Not now.' } };
    const customer = await customerOn(context, { max_attempts: 2, retry_on: ['carrier_error'] }, [refuse, {}]);
    const id = await system.call(customer);
    await waiting(customer, id, 'retry_carrier_error');
    await makeDue(system, id);
    assert.equal((await system.over(customer, id)).status, 'completed');
  });

  test('no dial is made after expires_at: the call fails at once with its own error', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { max_attempts: 3, retry_gaps_minutes: [5] }, ends('busy'));
    const id = await system.call(customer, { expires_at: new Date(Date.now() + 120_000).toISOString() });
    const call = await system.over(customer, id);
    assert.deepEqual([call.status, call.error.code], ['failed', 'busy']);
    assert.equal((await customer.carrier.dials(id)).length, 1);
  });

  test('a number that is suppressed meanwhile is not dialled again: failed, with the last error', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { max_attempts: 3 }, ends('busy'));
    const id = await system.call(customer);
    const { contact_number } = await waiting(customer, id, 'retry_busy');
    assertOk(await customer.api.send('POST', '/v1/suppressed_numbers', { body: { contact_number } }), 201);
    await makeDue(system, id);
    const call = await system.over(customer, id);
    await system.settled(customer.workspace_id);
    assert.deepEqual([call.status, call.error.code], ['failed', 'busy']);
    assert.deepEqual(customer.box.types(id).sort(), ['call.failed', 'call.initiated']);
    assert.equal((await customer.carrier.dials(id)).length, 1);
  });

  test('a call that waits for a retry can be cancelled', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { max_attempts: 3 }, ends('busy'));
    const id = await system.call(customer);
    await waiting(customer, id, 'retry_busy');
    assert.equal((await customer.api.cancel(id)).status, 200);
    await makeDue(system, id);
    assert.equal((await read(customer, id)).status, 'cancelled');
    assert.equal((await customer.carrier.dials(id)).length, 1);
  });
});
