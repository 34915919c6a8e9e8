// A call's whole life on the simulator, as a customer sees it: states, events, the bytes of the
// payloads, the signatures.
import assert from 'node:assert/strict';
import { assertCreated, TIME } from '../lib/expect.mjs';
import { Api } from '../lib/http.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const NUMBER = (n) => `+9190000000${String(n).padStart(2, '0')}`;

const ID = '[0-9a-hjkmnp-tv-z]{26}';
const MOMENT = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{3})?Z';
const TEXT = '"(?:[^"\\\\]|\\\\.)*"';

// The payload's bytes in the reference's form and order, up to what the type adds.
function payload(type, call, rest) {
  return new RegExp(
    `^\\{"event_id":"evt_${ID}","event_type":"${type.replace('.', '\\.')}","created_at":"${MOMENT}","data":\\{` +
      `"call_id":"${call.call_id}","agent_id":"${call.agent_id}","phone_number":"\\${call.contact_number}"${rest}\\}\\}$`,
  );
}

const INITIATED = ',"attempt":1';
const COMPLETED = `,"duration_seconds":\\d+,"outcome":${TEXT},"summary":${TEXT}`;
const ERROR = (code) => `,"error":\\{"code":"${code}","message":${TEXT}\\}`;

// What becomes of a call to each number: its status, its error, its events' bytes.
const numbers = [
  [
    1,
    'completes',
    'completed',
    null,
    [
      ['call.initiated', INITIATED],
      ['call.completed', COMPLETED],
    ],
  ],
  [
    2,
    'is busy',
    'failed',
    'busy',
    [
      ['call.initiated', INITIATED],
      ['call.failed', ERROR('busy')],
    ],
  ],
  [
    3,
    'is not answered',
    'failed',
    'no_answer',
    [
      ['call.initiated', INITIATED],
      ['call.failed', ERROR('no_answer')],
    ],
  ],
  [
    4,
    'is rejected',
    'failed',
    'rejected',
    [
      ['call.initiated', INITIATED],
      ['call.failed', ERROR('rejected')],
    ],
  ],
  [
    5,
    'is a carrier error',
    'failed',
    'carrier_error',
    [
      ['call.initiated', INITIATED],
      ['call.failed', ERROR('carrier_error')],
    ],
  ],
  [
    6,
    'reaches voicemail',
    'completed',
    null,
    [
      ['call.initiated', INITIATED],
      ['call.completed', COMPLETED],
    ],
  ],
  [
    8,
    'has every callback twice',
    'completed',
    null,
    [
      ['call.initiated', INITIATED],
      ['call.completed', COMPLETED],
    ],
  ],
  [
    9,
    'has its callbacks out of order',
    'completed',
    null,
    [
      ['call.initiated', INITIATED],
      ['call.completed', COMPLETED],
    ],
  ],
  [
    77,
    'is any other',
    'completed',
    null,
    [
      ['call.initiated', INITIATED],
      ['call.completed', COMPLETED],
    ],
  ],
];

async function assertLife(customer, call, error, events) {
  for (const [type, rest] of events) {
    const arrival = await customer.box.arrival({ call: call.call_id, type });
    assert.match(arrival.text, payload(type, call, rest));
    assert.equal(arrival.headers['webhook-id'], arrival.json.event_id);
    assert.equal(arrival.method, 'POST');
    assert.match(arrival.headers['content-type'], /^application\/json/);
    if (error && type === 'call.failed') assert.deepEqual(arrival.json.data.error, call.error);
  }
  const [initiated, last] = events.map(([type]) => customer.box.of({ call: call.call_id, type })[0].json);
  assert.ok(initiated.created_at <= last.created_at, `${initiated.created_at} before ${last.created_at}`);
}

function simulator(test) {
  for (const [n, claim, status, error, events] of numbers) {
    test(`a call to the simulator's number ${n} ${claim}: ${error ?? status}, each event once, in the reference's bytes`, async ({
      system,
      receiver,
    }) => {
      const customer = await system.customer({ box: receiver.box() });
      const call = await system.over(customer, await system.call(customer, { contact_number: NUMBER(n) }));
      assert.deepEqual([call.status, call.error?.code ?? null], [status, error]);
      assert.match(call.completed_at, TIME);
      if (n === 6) assert.equal(call.outcome, 'voicemail');
      await assertLife(customer, call, error, events);
      await system.settled(customer.workspace_id);
      assert.deepEqual(customer.box.types(call.call_id).sort(), events.map(([type]) => type).sort());
      assert.equal(new Set(customer.box.ids()).size, events.length);
      customer.box.assertSigned();
      const after = (await customer.api.get(call.call_id)).json.data;
      assert.deepEqual(after, call, 'a terminal state is final');
    });
  }

  test("a call to the simulator's number 7 stays silent, and is closed as carrier_timeout", async ({
    system,
    receiver,
  }) => {
    const customer = await system.customer({
      box: receiver.box(),
      agent: ['--ring-timeout', '1', '--max-duration', '1'],
    });
    const call = await system.over(customer, await system.call(customer, { contact_number: NUMBER(7) }));
    assert.deepEqual([call.status, call.error.code], ['failed', 'carrier_timeout']);
    await assertLife(customer, call, 'carrier_timeout', [
      ['call.initiated', INITIATED],
      ['call.failed', ERROR('carrier_timeout')],
    ]);
    customer.box.assertSigned();
  });

  test('a call goes through its states forward only', async ({ system }) => {
    const customer = await system.customer();
    const callId = await system.call(customer);
    const order = ['scheduled', 'initiated', 'ringing', 'in_progress', 'completed'];
    const seen = [];
    const look = async () => {
      const { status } = (await customer.api.get(callId)).json.data;
      if (seen.at(-1) !== status) seen.push(status);
      return status === 'completed';
    };
    await until('the call to complete', look, { every: 1, seen: () => seen });
    assert.deepEqual(
      seen,
      order.filter((status) => seen.includes(status)),
    );
  });
}

function events(test) {
  test('a call that policy refuses tells call.disallowed and nothing else', async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box() });
    await system.admin('agent', 'disable', customer.agent_id);
    const made = await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() });
    const call = (await customer.api.get(assertCreated(made))).json.data;
    const arrival = await customer.box.arrival({ call: call.call_id });
    assert.match(arrival.text, payload('call.disallowed', call, ERROR('agent_disabled')));
    await system.settled(customer.workspace_id);
    assert.deepEqual(customer.box.types(call.call_id), ['call.disallowed']);
    customer.box.assertSigned();
  });

  test('a call whose agent is disabled before it is due is disallowed and never dialled', async ({
    system,
    receiver,
    carriers,
  }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ box: receiver.box(), carrier });
    const callId = await system.call(customer, { scheduled_at: new Date(Date.now() + 3_600_000).toISOString() });
    await system.admin('agent', 'disable', customer.agent_id);
    await system.makeDue(callId);
    const call = await system.status(customer, callId, 'disallowed');
    assert.equal(call.error.code, 'agent_disabled');
    assert.match(
      (await customer.box.arrival({ call: callId })).text,
      payload('call.disallowed', call, ERROR('agent_disabled')),
    );
    assert.deepEqual(await carrier.dials(), []);
  });

  test('a cancelled call tells nothing', async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box() });
    const callId = await system.call(customer, {
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await customer.api.cancel(callId);
    await system.over(customer, await system.call(customer));
    await system.settled(customer.workspace_id);
    assert.deepEqual(customer.box.of({ call: callId }), []);
    assert.equal(customer.box.arrivals.length, 2);
  });

  test('a call made with a test key goes to the simulator and says test: true', async ({
    system,
    receiver,
    carriers,
  }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ box: receiver.box(), carrier });
    const { key } = await system.admin('key', 'create', '--workspace', customer.workspace_id, '--test');
    assert.match(key, /^sk_test_/);
    assert.match(customer.key, /^sk_live_/);
    const api = new Api(system.url, key);
    const callId = assertCreated(
      await api.create({ agent_id: customer.agent_id, contact_number: NUMBER(2) }),
    );
    const call = await system.over({ api }, callId);
    assert.equal(call.error.code, 'busy');
    assert.match(
      (await customer.box.arrival({ call: callId, type: 'call.failed' })).text,
      payload('call.failed', call, `${ERROR('busy')},"test":true`),
    );
    assert.deepEqual(await carrier.dials(), []);
  });

  test('an endpoint gets the event types it asked for, and another endpoint all', async ({
    system,
    receiver,
  }) => {
    const customer = await system.customer({ box: receiver.box() });
    const some = receiver.box();
    await system.endpoint(customer.workspace_id, some, ['--events', 'call.failed,call.completed']);
    const [good, bad] = [
      await system.call(customer),
      await system.call(customer, { contact_number: NUMBER(2) }),
    ];
    await Promise.all([system.over(customer, good), system.over(customer, bad)]);
    await system.settled(customer.workspace_id);
    assert.deepEqual([some.types(good), some.types(bad)], [['call.completed'], ['call.failed']]);
    assert.deepEqual(customer.box.types(good).sort(), ['call.completed', 'call.initiated']);
    assert.deepEqual(
      customer.box.ids({ call: good, type: 'call.completed' }),
      some.ids({ call: good }),
      'one event, one id, whoever gets it',
    );
    some.assertSigned();
    customer.box.assertSigned();
    assert.notEqual(some.secret, customer.box.secret);
  });

  test('a delivery that fails is sent again with the same bytes under the same id, signed anew', async ({
    system,
    receiver,
  }) => {
    const box = receiver.box({ answer: answers.inTurn(answers.status(500), answers.status(200)) });
    const customer = await system.customer({ box });
    await system.admin('agent', 'disable', customer.agent_id);
    const callId = assertCreated(
      await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() }),
    );
    await box.count(2, { call: callId });
    await system.settled(customer.workspace_id);
    const [one, two, ...more] = box.of({ call: callId });
    assert.deepEqual(more, []);
    assert.equal(one.text, two.text);
    assert.equal(one.headers['webhook-id'], two.headers['webhook-id']);
    assert.ok(two.at - one.at >= 190, `sent again after ${two.at - one.at} ms, not the schedule's 200`);
    box.assertSigned();
  });

  test("another workspace's endpoint hears nothing", async ({ system, receiver }) => {
    const [one, two] = [
      await system.customer({ box: receiver.box() }),
      await system.customer({ box: receiver.box() }),
    ];
    const callId = await system.call(one);
    await system.over(one, callId);
    await system.settled(one.workspace_id);
    assert.equal(one.box.arrivals.length, 2);
    assert.equal(two.box.arrivals.length, 0);
  });
}

export default suite('lifecycle', { runs: 'core', width: 8 }, (test) => {
  simulator(test);
  events(test);
});
