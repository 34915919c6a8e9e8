// What a carrier may tell us, and who may tell it: callbacks over HTTP through the web server.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { sign } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';

const RINGING = { event: 'ringing' };
const ENDED = {
  event: 'ended',
  reason: 'completed',
  duration_seconds: 7,
  outcome: 'booked',
  summary: 'A table for two.',
};

// A customer whose carrier took a call and says nothing by itself.
async function placed({ system, carriers, receiver }, fields = {}) {
  const carrier = carriers.carrier();
  const customer = await system.customer({ carrier, box: receiver.box() });
  const callId = await system.call(customer, { additional_info: { carrier: { script: 'none' } }, ...fields });
  const dial = await carrier.asked(callId);
  await system.status(customer, callId, 'initiated');
  return { carrier, customer, callId, dial, token: dial.token, box: customer.box };
}

export default suite('callbacks', { runs: 'core', wire: true, width: 4 }, (test) => {
  test('a carrier is asked with everything it needs, signed in both dialects', async (context) => {
    const fields = { contact_name: 'Raj Patel', contact_email: 'raj@company.com' };
    const { system } = context;
    const { customer, callId, dial } = await placed(context, fields);
    const call = (await customer.api.get(callId)).json.data;
    assert.deepEqual(dial.problems, []);
    const { place } = dial;
    assert.deepEqual(Object.keys(place), [
      'call_id',
      'attempt',
      'token',
      'test',
      'agent',
      'from_number',
      'contact',
      'additional_info',
      'variables',
      'functions',
      'callback_url',
      'ring_timeout_seconds',
      'max_duration_seconds',
    ]);
    assert.deepEqual(Object.keys(place.agent), ['agent_id', 'prompt', 'greeting', 'language', 'voice']);
    assert.deepEqual(
      [place.call_id, place.attempt, place.test, place.agent.agent_id],
      [callId, 1, false, customer.agent_id],
    );
    assert.deepEqual(place.contact, {
      number: call.contact_number,
      name: 'Raj Patel',
      email: 'raj@company.com',
    });
    assert.deepEqual(
      [place.additional_info, place.variables, place.functions],
      [call.additional_info, {}, []],
    );
    assert.deepEqual([place.ring_timeout_seconds, place.max_duration_seconds], [45, 900]);
    assert.match(place.token, /^[0-9a-f]{32}$/);
    assert.equal(place.callback_url, `${system.url}/v1/voice/callbacks/${place.token}`);
  });

  test('callbacks move the call on, each answered 200 with its status', async (context) => {
    const { system, carrier, customer, callId, token, box } = { ...context, ...(await placed(context)) };
    for (const [callback, status] of [
      [RINGING, 'ringing'],
      [{ event: 'answered' }, 'in_progress'],
      [ENDED, 'completed'],
    ]) {
      const answer = await carrier.tell(token, callback);
      assert.deepEqual(
        [answer.status, answer.json.data.call_id, answer.json.data.status],
        [200, callId, status],
      );
      assert.equal((await customer.api.get(callId)).json.data.status, status);
    }
    const { data } = (await box.arrival({ call: callId, type: 'call.completed' })).json;
    assert.deepEqual([data.duration_seconds, data.outcome, data.summary], [7, 'booked', 'A table for two.']);
    await system.settled(customer.workspace_id);
    assert.deepEqual(box.types(callId).sort(), ['call.completed', 'call.initiated']);
  });

  test('repeats and latecomers get 200 with the status, and change nothing', async (context) => {
    const { system, carrier, customer, callId, token, box } = { ...context, ...(await placed(context)) };
    for (const callback of [RINGING, RINGING, ENDED])
      assert.equal((await carrier.tell(token, callback)).status, 200);
    const before = (await customer.api.get(callId)).json.data;
    for (const callback of [ENDED, RINGING, { event: 'answered' }, { event: 'ended', reason: 'busy' }]) {
      const answer = await carrier.tell(token, callback);
      assert.deepEqual([answer.status, answer.json.data.status], [200, 'completed']);
    }
    assert.deepEqual((await customer.api.get(callId)).json.data, before);
    await system.settled(customer.workspace_id);
    assert.deepEqual(box.types(callId).sort(), ['call.completed', 'call.initiated']);
  });

  test('a callback without a good signature gets 401 and changes nothing', async (context) => {
    const { carrier, customer, callId, token } = await placed(context);
    const other = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    const all = ['x-webhook-signature', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
    const tries = {
      'no signature': { without: all },
      'another secret': { secret: other },
      'an old timestamp': { age: 400 },
      'a future timestamp': { age: -400 },
      'a body that was changed': { headers: sign(other, 'x', Math.floor(Date.now() / 1000), '{}') },
      rubbish: { without: all.slice(1), headers: { 'x-webhook-signature': 't=,v1=' } },
      'half of a dialect': { without: ['x-webhook-signature', 'webhook-timestamp'] },
    };
    for (const [name, options] of Object.entries(tries)) {
      const answer = await carrier.tell(token, ENDED, options);
      assert.deepEqual([answer.status, answer.json?.error?.code], [401, 'unauthorized'], name);
    }
    assert.equal((await customer.api.get(callId)).json.data.status, 'initiated');
  });

  test('either dialect alone is enough', async (context) => {
    const { carrier, token } = await placed(context);
    const standard = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    assert.equal((await carrier.tell(token, RINGING, { without: standard })).status, 200);
    assert.equal(
      (await carrier.tell(token, ENDED, { without: ['x-webhook-signature'] })).json.data.status,
      'completed',
    );
  });

  test("another carrier's signature gets 401", async (context) => {
    const [one, two] = [await placed(context), await placed(context)];
    const { secret } = await context.system.admin(
      'carrier',
      'create',
      '--workspace',
      two.customer.workspace_id,
      '--kind',
      'http',
      '--url',
      'http://127.0.0.1:9/',
    );
    assert.equal((await one.carrier.tell(one.token, ENDED, { secret })).status, 401);
    assert.equal((await one.customer.api.get(one.callId)).json.data.status, 'initiated');
  });

  test('a token that nobody has gets 404, whatever its form', async (context) => {
    const { system, carrier, token } = { ...context, ...(await placed(context)) };
    for (const other of [
      '0'.repeat(32),
      token.replace(/^./, (c) => (c === '0' ? '1' : '0')),
      'x',
      token.slice(1),
      `${token}0`,
      '%00',
    ]) {
      const answer = await carrier.tell(token, ENDED, { url: `${system.url}/v1/voice/callbacks/${other}` });
      assert.ok(
        answer.status === 404 || (other === '%00' && answer.status === 400),
        `${other}: ${answer.status}`,
      );
    }
  });

  test('a signed callback that makes no sense gets 400 that names the field', async (context) => {
    const { carrier, customer, callId, token } = await placed(context);
    const cases = [
      ['{', /./],
      ['[]', /object/],
      ['{}', /event/],
      ['{"event":"hangup"}', /event/],
      ['{"event":1}', /event/],
      ['{"event":"ended"}', /reason/],
      ['{"event":"ended","reason":"bored"}', /reason/],
      ['{"event":"ended","reason":"completed","duration_seconds":-1}', /duration_seconds/],
      ['{"event":"ended","reason":"completed","duration_seconds":"7"}', /duration_seconds/],
      ['{"event":"ended","reason":"completed","summary":1}', /summary/],
      ['{"event":"ended","reason":"completed","transcript":{}}', /transcript/],
      ['{"event":"ringing","at":"now"}', /at/],
      ['{"event":"ringing","event":"ended"}', /event/],
      ['{"event":"ended","reason":"completed","summary":"\\u0000"}', /summary/],
    ];
    for (const [raw, says] of cases) {
      const answer = await carrier.tell(token, {}, { raw });
      assert.deepEqual([answer.status, answer.json?.error?.code], [400, 'invalid_request'], raw);
      assert.match(answer.json.error.message, says, raw);
    }
    assert.equal((await customer.api.get(callId)).json.data.status, 'initiated');
  });

  test('a callback with a transcript of 200 KiB is taken, one over 1 MiB gets 413', async (context) => {
    const { carrier, customer, callId, token } = await placed(context);
    const transcript = (lines) =>
      Array.from({ length: lines }, () => ({ role: 'agent', text: 'x'.repeat(1000) }));
    const huge = await carrier.tell(
      token,
      {},
      { raw: JSON.stringify({ ...ENDED, transcript: transcript(1_100) }) },
    );
    assert.deepEqual([huge.status, huge.json?.error?.code], [413, 'payload_too_large']);
    assert.equal((await customer.api.get(callId)).json.data.status, 'initiated');
    assert.equal(
      (await carrier.tell(token, { ...ENDED, transcript: transcript(200) })).json?.data.status,
      'completed',
    );
  });

  test('other methods on a callback URL get 405', async (context) => {
    const { dial } = await placed(context);
    for (const method of ['GET', 'PUT', 'DELETE'])
      assertError(await send(dial.place.callback_url, { method }), 405, 'method_not_allowed');
  });
});
