// The http carrier when things go wrong: refusals, outcomes that nobody knows, carriers that
// forget. Dials are counted at the carrier, an outside program.
import assert from 'node:assert/strict';
import { CarrierProgram } from '../lib/carrier.mjs';
import { idSql } from '../lib/database.mjs';
import { suite } from '../lib/suite.mjs';
import { freePort } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  place_timeout: '400ms',
  lookup_first: '100ms',
  lookup_gap: '100ms',
  lookup_deadline: '4s',
  lease_grace: '200ms',
  reaper_grace: '200ms',
  poll_interval: '100ms',
  place_retry_schedule: '50ms, 50ms, 3s',
};

// A customer on a carrier of the outside program; the agent's limits are short.
async function customerOn({ system, carriers, receiver }, agent = []) {
  return system.customer({
    carrier: carriers.carrier(),
    box: receiver.box(),
    agent: ['--ring-timeout', '1', '--max-duration', '1', ...agent],
  });
}

// Makes a call that the carrier treats as `how` says, and waits for its end.
async function play(context, how, agent) {
  const customer = await customerOn(context, agent);
  const callId = await context.system.call(customer, { additional_info: { carrier: how } });
  const call = await context.system.over(customer, callId);
  await context.system.settled(customer.workspace_id);
  return {
    customer,
    carrier: customer.carrier,
    callId,
    call,
    dials: await customer.carrier.dials(callId),
    types: customer.box.types(callId).sort(),
  };
}

const rings = (dials) => dials.map(({ rings: n }) => n);
const requests = (dials) => dials.map((dial) => dial.requests.length);
const DONE = ['call.completed', 'call.initiated'];

function refusals(test) {
  for (const code of ['busy', 'no_answer', 'rejected', 'invalid_number', 'carrier_error']) {
    test(`a carrier that refuses with ${code} fails the call with it; nothing was initiated`, async (context) => {
      const { call, dials, types, customer, callId } = await play(context, {
        place: 'refuse',
        status: 422,
        error: { code, message: 'Not today.' },
      });
      assert.deepEqual([call.status, call.error.code], ['failed', code]);
      assert.deepEqual([requests(dials), rings(dials)], [[1], [0]]);
      assert.deepEqual(types, ['call.failed']);
      assert.equal(customer.box.of({ call: callId })[0].json.data.error.code, code);
      assert.equal(dials[0].finds.length, 0, 'a refusal is no riddle: nobody was asked');
    });
  }

  test('a refusal with a code that is none of ours fails the call with carrier_error', async (context) => {
    const { call, dials } = await play(context, {
      place: 'refuse',
      status: 400,
      error: { code: 'out_of_coffee', message: 'No coffee.' },
    });
    assert.deepEqual([call.status, call.error.code, requests(dials)], ['failed', 'carrier_error', [1]]);
  });

  for (const [reason, status, code] of [
    ['completed', 'completed', null],
    ['busy', 'failed', 'busy'],
    ['no_answer', 'failed', 'no_answer'],
    ['rejected', 'failed', 'rejected'],
    ['failed', 'failed', 'carrier_error'],
    ['voicemail', 'completed', null],
  ]) {
    test(`a call that ends with ${reason} is ${code ?? status}`, async (context) => {
      const { call, types, dials } = await play(context, {
        script: [{ event: 'ringing' }, { event: 'ended', reason, duration_seconds: 0 }],
      });
      assert.deepEqual([call.status, call.error?.code ?? null], [status, code]);
      assert.deepEqual(
        types,
        [status === 'completed' ? 'call.completed' : 'call.failed', 'call.initiated'].sort(),
      );
      assert.deepEqual(rings(dials), [1]);
    });
  }
}

// The carrier took the request; what became of it is learnt later.
function unknown(test) {
  const taken = [
    ['hangs', { place: 'hang' }],
    ['resets the connection', { place: 'reset' }],
    ['breaks off its answer', { place: 'cut' }],
    ['answers 500', { status: 500 }],
    ['redirects', { place: 'redirect' }],
    ['answers 404 without an error', { place: 'refuse', rings: true, status: 404, error: null }],
  ];
  for (const [claim, how] of taken) {
    test(`a carrier that ${claim} and calls back is dialled once, and the call completes`, async (context) => {
      const { call, dials, types } = await play(context, how);
      assert.equal(call.status, 'completed', JSON.stringify(call.error));
      assert.deepEqual([requests(dials), rings(dials), types], [[1], [1], DONE]);
    });

    test(`a carrier that ${claim}, forgets to call back and answers look-ups is dialled once`, async (context) => {
      const { call, dials, types } = await play(context, {
        ...how,
        script: 'none',
        find: { event: 'ended', reason: 'completed', duration_seconds: 3, outcome: 'found' },
      });
      assert.deepEqual([call.status, call.outcome], ['completed', 'found']);
      assert.deepEqual([requests(dials), rings(dials), types], [[1], [1], DONE]);
      assert.ok(dials[0].finds.length >= 1);
      assert.deepEqual(dials[0].problems, [], 'look-ups are signed');
    });
  }

  test('an outcome that stays unknown fails the call with carrier_outcome_unknown, and nobody is dialled again', async (context) => {
    const { call, dials, types } = await play(context, { place: 'hang', script: 'none', find: 'error' });
    assert.deepEqual([call.status, call.error.code], ['failed', 'carrier_outcome_unknown']);
    assert.deepEqual([requests(dials), rings(dials), types], [[1], [1], ['call.failed']]);
    assert.ok(dials[0].finds.length >= 2, `asked ${dials[0].finds.length} times`);
  });

  test('look-ups that hang leave the outcome unknown too', async (context) => {
    const { call, dials } = await play(context, { place: 'reset', script: 'none', find: 'hang' });
    assert.deepEqual([call.error.code, requests(dials)], ['carrier_outcome_unknown', [1]]);
  });

  test('the agent may ask for a second dial after an unknown outcome: the call completes at the second attempt', async (context) => {
    const hows = [{ place: 'hang', script: 'none', find: 'error' }, {}];
    const { call, dials, types } = await play(context, hows, ['--redial-on-unknown']);
    assert.equal(call.status, 'completed', JSON.stringify(call.error));
    assert.deepEqual(
      dials.map(({ attempt }) => attempt),
      [1, 2],
    );
    assert.deepEqual([requests(dials), types], [[1, 1], DONE]);
    assert.notEqual(dials[0].token, dials[1].token);
  });

  test('a carrier that never had the request, and says so twice, is asked again as a new attempt', async (context) => {
    const { call, dials, types } = await play(context, [{ place: 'reset', rings: false }, {}]);
    assert.equal(call.status, 'completed', JSON.stringify(call.error));
    assert.deepEqual([requests(dials), rings(dials), types], [[1, 1], [0, 1], DONE]);
    assert.ok(
      dials[0].finds.length >= 2 && dials[0].finds.every(({ status }) => status === 404),
      JSON.stringify(dials[0].finds),
    );
  });

  test('one "never placed" that is taken back does not void the attempt', async (context) => {
    const { call, dials } = await play(context, {
      place: 'hang',
      script: 'none',
      find: ['never', { event: 'ringing' }, { event: 'ended', reason: 'busy' }],
    });
    assert.deepEqual([call.status, call.error.code, requests(dials)], ['failed', 'busy', [1]]);
  });

  test('"never placed" with a failed look-up between does not count as twice in a row', async (context) => {
    const { call, dials } = await play(context, {
      place: 'hang',
      script: 'none',
      find: ['never', 'error', 'never', 'error', { event: 'ended', reason: 'busy' }],
    });
    assert.deepEqual([call.error.code, requests(dials)], ['busy', [1]]);
  });

  test('a callback for an attempt of unknown outcome resolves it at once', async (context) => {
    const { system } = context;
    const customer = await customerOn(context);
    const callId = await system.call(customer, {
      additional_info: { carrier: { place: 'reset', script: 'none', find: 'error' } },
    });
    const { token } = await customer.carrier.asked(callId);
    assert.equal((await customer.carrier.tell(token, { event: 'ringing' })).json.data.status, 'ringing');
    await customer.box.arrival({ call: callId, type: 'call.initiated' });
    await customer.carrier.tell(token, { event: 'ended', reason: 'completed' });
    assert.equal((await system.over(customer, callId)).status, 'completed');
    assert.deepEqual(requests(await customer.carrier.dials(callId)), [1]);
  });

  test('a carrier that never has the request is asked as often as the schedule says, then the call fails with carrier_error', async (context) => {
    const { call, dials, types } = await play(context, { place: 'reset', rings: false });
    assert.deepEqual([call.status, call.error.code, types], ['failed', 'carrier_error', ['call.failed']]);
    assert.deepEqual(
      [requests(dials), rings(dials)],
      [
        [1, 1, 1, 1],
        [0, 0, 0, 0],
      ],
    );
  });

  test('an attempt that the carrier denied and then reports is revived, and nobody is dialled again', async (context) => {
    const { system } = context;
    const customer = await customerOn(context);
    const callId = await system.call(customer, {
      additional_info: { carrier: { place: 'reset', rings: false, script: 'none' } },
    });
    // the third attempt is void, and the wait before the fourth is the longest of the schedule
    const { token } = await customer.carrier.asked(callId, { attempt: 3 });
    await system.status(customer, callId, 'scheduled');
    assert.equal((await customer.carrier.tell(token, { event: 'ringing' })).json.data.status, 'ringing');
    await customer.carrier.tell(token, { event: 'ended', reason: 'completed' });
    assert.equal((await system.over(customer, callId)).status, 'completed');
    assert.equal((await customer.carrier.dials(callId)).length, 3);
  });

  test('a late report on the first attempt does not touch a call that has a second', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, ['--redial-on-unknown']);
    const callId = await system.call(customer, {
      additional_info: { carrier: [{ place: 'hang', script: 'none', find: 'error' }, { script: 'none' }] },
    });
    const [first, second] = [
      await customer.carrier.asked(callId),
      await customer.carrier.asked(callId, { attempt: 2 }),
    ];
    await system.status(customer, callId, 'initiated');
    await customer.carrier.tell(second.token, { event: 'ringing' });
    const late = await customer.carrier.tell(first.token, { event: 'ended', reason: 'busy' });
    assert.deepEqual([late.status, late.json.data.status], [200, 'ringing']);
    await customer.carrier.tell(second.token, { event: 'ended', reason: 'completed' });
    assert.equal((await system.over(customer, callId)).status, 'completed');
    await system.settled(customer.workspace_id);
    assert.deepEqual(customer.box.types(callId).sort(), DONE);
  });
}

// The request never left.
function unsent(test) {
  test('a carrier that is down is tried again as often as the schedule says, then the call fails with carrier_error', async (context) => {
    const { system, receiver } = context;
    const url = `http://127.0.0.1:${await freePort()}/`;
    const customer = await system.customer({ carrier: { url, behave() {} }, box: receiver.box() });
    const callId = await system.call(customer);
    const call = await system.over(customer, callId);
    assert.deepEqual([call.status, call.error.code], ['failed', 'carrier_error']);
    const attempts = await system.sql(
      `SELECT n, state FROM call_attempts WHERE call_id = ${idSql(callId)} ORDER BY n`,
    );
    assert.deepEqual(
      attempts.map(({ state }) => state),
      ['void', 'void', 'void', 'void'],
    );
    await customer.box.count(1);
    assert.deepEqual(customer.box.types(callId), ['call.failed']);
  });

  test('a carrier that comes up in time dials once', async ({ system, receiver, defer }) => {
    const port = await freePort();
    const later = { url: `http://127.0.0.1:${port}/c/c1`, behave: ({ secret }) => (later.secret = secret) };
    const customer = await system.customer({ carrier: later, box: receiver.box() });
    const callId = await system.call(customer);
    await until('the first attempt to be void', () =>
      system.number(`SELECT COUNT(*) FROM call_attempts WHERE call_id = ${idSql(callId)} AND state = 'void'`),
    );
    const program = await CarrierProgram.start(port, { c1: { secret: later.secret } });
    defer(() => program.stop());
    const carrier = program.carrier();
    assert.equal((await system.over(customer, callId)).status, 'completed');
    assert.deepEqual(rings(await carrier.dials(callId)), [1]);
  });

  test('a 10 MB answer to a dial is cut off, and the call goes on', async (context) => {
    const { call, dials } = await play(context, { place: 'big' });
    assert.deepEqual([call.status, rings(dials)], ['completed', [1]]);
  });
}

// The carrier took the call and then forgot it.
function forgotten(test) {
  test('a carrier that forgets is asked, and its answer ends the call', async (context) => {
    const { call, dials, types } = await play(context, {
      script: [{ event: 'ringing' }, { event: 'answered' }],
      find: { event: 'ended', reason: 'completed', outcome: 'found' },
    });
    assert.deepEqual([call.status, call.outcome, rings(dials), types], ['completed', 'found', [1], DONE]);
    assert.ok(dials[0].finds.length >= 1);
  });

  test('a carrier that forgets and can say nothing: the reaper fails the call with carrier_timeout', async (context) => {
    const started = Date.now();
    const { call, dials, types } = await play(context, { script: [{ event: 'ringing' }], find: 'error' });
    assert.deepEqual([call.status, call.error.code], ['failed', 'carrier_timeout']);
    assert.deepEqual([requests(dials), types], [[1], ['call.failed', 'call.initiated']]);
    assert.ok(Date.now() - started >= 2000, 'not before ring timeout and maximum duration are over');
  });

  test('every callback twice and out of order: each event once, the end is final', async (context) => {
    const script = [
      { event: 'ended', reason: 'completed', outcome: 'first' },
      { event: 'answered' },
      { event: 'ringing' },
      { event: 'ended', reason: 'failed', outcome: 'second' },
    ];
    const { call, callId, carrier, types, dials } = await play(context, { script, copies: 2 });
    assert.deepEqual([call.status, call.outcome, types, rings(dials)], ['completed', 'first', DONE, [1]]);
    const statuses = async () =>
      (await carrier.dials(callId))[0].callbacks.map((callback) => callback.statuses.at(-1));
    await until('eight callbacks to be answered', async () => (await statuses()).length === 8, {
      seen: statuses,
    });
    assert.deepEqual(await statuses(), Array(8).fill(200));
  });
}

export default suite(
  'carrier_http',
  { runs: 'faults', weight: 30, width: 12, system: { settings } },
  (test) => {
    refusals(test);
    unknown(test);
    unsent(test);
    forgotten(test);
  },
);
