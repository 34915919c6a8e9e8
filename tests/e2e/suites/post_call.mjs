// Post-call functions: started by the end of a call, from the outbox, with the schedule and the log
// of webhooks and a record of every run.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { signatureProblems } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  simulator_ring: '20ms',
  simulator_talk: '20ms',
  retry_schedule: '0s, 50ms, 50ms, 50ms',
  retry_jitter_percent: '0',
  lease_grace: '300ms',
};

const BUSY = '+919000000002';

async function addFunction(customer, box, fields = {}) {
  const answer = await customer.api.send('POST', '/v1/functions', {
    body: { agent_id: customer.agent_id, phase: 'post_call', name: 'crm', url: box.url, ...fields },
  });
  return assertOk(answer, 201).function_id;
}

async function signingSecret(customer) {
  return assertOk(await customer.api.send('POST', '/v1/workspace/signing_secret/rotate', { body: {} })).signing_secret;
}

async function runs(customer, callId) {
  return assertOk(await customer.api.send('GET', `/v1/calls/${callId}/runs`)).reverse();
}

async function toItsEnd(system, customer, fields) {
  const callId = await system.call(customer, fields);
  await system.over(customer, callId);
  await system.settled(customer.workspace_id);
  return callId;
}

export default suite('post_call', { runs: 'faults', system: { settings } }, (test) => {
  test('the end of a call starts it once: its data, signed in both dialects, under its Idempotency-Key', async ({
    system,
    receiver,
  }) => {
    const customer = await system.customer({ box: receiver.box() });
    const crm = receiver.box();
    await addFunction(customer, crm);
    const secret = await signingSecret(customer);
    const callId = await toItsEnd(system, customer, {
      contact_name: 'Raj Patel',
      additional_info: { deal_id: 'D-100' },
    });
    assert.equal(crm.arrivals.length, 1);
    const [{ headers, body, json }] = crm.arrivals;
    assert.equal(headers['idempotency-key'], `${callId}:crm`);
    assert.deepEqual(signatureProblems(secret, headers, body), []);
    assert.equal(json.call.id, callId);
    assert.equal(json.contact.name, 'Raj Patel');
    assert.equal(json.info.deal_id, 'D-100');
    assert.deepEqual([json.result.status, json.result.outcome], ['completed', 'successful']);
    assert.deepEqual(customer.box.types(callId).sort(), ['call.completed', 'call.initiated'], 'webhooks as ever');
  });

  test('a template of its own is filled from the result', async ({ system, receiver }) => {
    const customer = await system.customer();
    const crm = receiver.box();
    await addFunction(customer, crm, {
      method: 'PUT',
      body: {
        outcome: '{{result.outcome}}',
        seconds: '{{result.duration_seconds}}',
        text: 'Call {{call.id}}: {{result.summary | default: "no summary"}}',
      },
    });
    const callId = await toItsEnd(system, customer);
    const [{ method, json }] = crm.arrivals;
    assert.equal(method, 'PUT');
    assert.equal(typeof json.seconds, 'number');
    assert.equal(json.outcome, 'successful');
    assert.ok(json.text.startsWith(`Call ${callId}: `));
  });

  test('a transcript of nearly 1 MiB is sent whole, twice', async ({ system, carriers, receiver }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier });
    const crm = receiver.box();
    await addFunction(customer, crm);
    const callId = await system.call(customer, { additional_info: { carrier: { script: 'none' } } });
    const { token } = await carrier.asked(callId);
    await system.status(customer, callId, 'initiated');
    const transcript = Array.from({ length: 950 }, () => ({ role: 'agent', text: 'ह'.repeat(330) + '\n'.repeat(10) }));
    const ended = { event: 'ended', reason: 'completed', duration_seconds: 7, transcript };
    assert.equal((await carrier.tell(token, ended)).json?.data.status, 'completed');
    await system.settled(customer.workspace_id);
    assert.equal(crm.arrivals.length, 1, 'it was sent');
    const { result } = crm.arrivals[0].json;
    assert.deepEqual(result.transcript, transcript);
    assert.ok(Buffer.byteLength(result.transcript_text) > 900_000);
    assert.deepEqual((await runs(customer, callId)).map(({ error }) => error), [null]);
  });

  for (const [when, completed, failed] of [
    ['completed', 1, 0],
    ['failed', 0, 1],
    ['always', 1, 1],
  ])
    test(`when ${when}: ${completed} run after a completed call, ${failed} after a failed one`, async ({
      system,
      receiver,
    }) => {
      const customer = await system.customer();
      const crm = receiver.box();
      await addFunction(customer, crm, { when });
      const [good, bad] = [
        await toItsEnd(system, customer),
        await toItsEnd(system, customer, { contact_number: BUSY }),
      ];
      const of = (callId) => crm.arrivals.filter(({ json }) => json.call.id === callId);
      assert.deepEqual([of(good).length, of(bad).length], [completed, failed]);
      if (failed) assert.deepEqual([of(bad)[0].json.result.status, of(bad)[0].json.result.error.code], ['failed', 'busy']);
    });

  test('it is retried on the schedule of webhooks with the same bytes and key, and every run is recorded', async ({
    system,
    receiver,
  }) => {
    const customer = await system.customer();
    const crm = receiver.box({ answer: answers.inTurn(answers.status(503), answers.status(500), answers.status(200)) });
    const functionId = await addFunction(customer, crm);
    const callId = await toItsEnd(system, customer);
    assert.equal(crm.arrivals.length, 3);
    assert.equal(new Set(crm.arrivals.map(({ text }) => text)).size, 1, 'the same bytes');
    assert.equal(new Set(crm.arrivals.map(({ headers }) => headers['idempotency-key'])).size, 1);
    assert.deepEqual(
      (await runs(customer, callId)).map(({ phase, attempt, error, status }) => [phase, attempt, error?.code, status]),
      [
        ['post_call', 1, 'server_error', 503],
        ['post_call', 2, 'server_error', 500],
        ['post_call', 3, undefined, 200],
      ],
    );
    const [delivery] = assertOk(await customer.api.send('GET', `/v1/deliveries?function_id=${functionId}`));
    assert.deepEqual(
      [delivery.webhook_id, delivery.function_id, delivery.state, delivery.attempt_count],
      [null, functionId, 'succeeded', 3],
    );
  });

  test('an attempt long after the call is signed when it is sent', async ({ system, receiver }) => {
    const customer = await system.customer();
    const hold = answers.hold(answers.status(503));
    const crm = receiver.box({ answer: hold });
    await addFunction(customer, crm);
    const secret = await signingSecret(customer);
    const callId = await system.call(customer);
    await crm.count(1);
    await system.sql(`UPDATE events SET created_at = created_at - INTERVAL 1 DAY WHERE call_id = ${idSql(callId)}`);
    crm.answer = answers.status(200);
    hold.release();
    await crm.count(2);
    for (const { headers, body } of crm.arrivals) assert.deepEqual(signatureProblems(secret, headers, body), []);
  });

  test('it starts once for a call that failed after retries, and for a voicemail', async ({ system, receiver, carriers }) => {
    const customer = await system.customer({ carrier: carriers.carrier() });
    const crm = receiver.box();
    await addFunction(customer, crm);
    const ends = (reason) => ({ script: [{ event: 'ringing' }, { event: 'ended', reason }] });
    const retries = { max_attempts: 2, retry_gaps_minutes: [5] };
    assertOk(await customer.api.send('PATCH', `/v1/agents/${customer.agent_id}`, { body: retries }));
    const busy = await system.call(customer, { additional_info: { carrier: ends('busy') } });
    await until('it to wait', async () => (await customer.api.get(busy)).json.data.hold_reason === 'retry_busy');
    await system.sql(`UPDATE calls SET due_at = NOW(6) WHERE call_id = ${idSql(busy)}`);
    await system.over(customer, busy);
    const voicemail = await toItsEnd(system, customer, { additional_info: { carrier: ends('voicemail') } });
    assert.equal((await customer.carrier.dials(busy)).length, 2);
    assert.deepEqual(
      crm.arrivals.map(({ json }) => [json.call.id, json.result.status, json.result.outcome]),
      [
        [busy, 'failed', null],
        [voicemail, 'completed', 'voicemail'],
      ],
    );
  });

  test('after the last entry of the schedule it has failed, and can be made anew', async ({ system, receiver }) => {
    const customer = await system.customer();
    const crm = receiver.box({ answer: answers.status(500) });
    const functionId = await addFunction(customer, crm);
    await toItsEnd(system, customer);
    const list = `/v1/deliveries?function_id=${functionId}`;
    const [delivery] = assertOk(await customer.api.send('GET', list));
    assert.deepEqual([delivery.state, delivery.attempt_count], ['failed', 4]);
    crm.answer = answers.status(200);
    assertOk(await customer.api.send('POST', `/v1/deliveries/${delivery.delivery_id}/replay`));
    await until('the replay', async () => assertOk(await customer.api.send('GET', list))[0].state === 'succeeded');
  });

  test('a template that fails is a run that says why, and a mended function is what the next attempt sends', async ({
    system,
    receiver,
  }) => {
    const customer = await system.customer();
    const crm = receiver.box();
    const functionId = await addFunction(customer, crm, {
      on_missing: 'error',
      body: { company: '{{info.company}}' },
    });
    const callId = await toItsEnd(system, customer);
    assert.equal(crm.arrivals.length, 0);
    const [first] = await runs(customer, callId);
    assert.equal(first.error.code, 'template_failed');
    assert.match(first.error.message, /info\.company/);
    assertOk(await customer.api.send('PATCH', `/v1/functions/${functionId}`, { body: { on_missing: 'empty' } }));
    const [delivery] = assertOk(await customer.api.send('GET', `/v1/deliveries?function_id=${functionId}`));
    assertOk(await customer.api.send('POST', `/v1/deliveries/${delivery.delivery_id}/replay`));
    await crm.count(1);
    assert.deepEqual(crm.arrivals[0].json, { company: null });
  });

  test('a disabled function gets nothing; a deleted one drops what waited; others go on', async ({ system, receiver }) => {
    const customer = await system.customer();
    const [off, gone, kept] = [
      receiver.box(),
      receiver.box({ answer: answers.status(500) }),
      receiver.box(),
    ];
    const disabled = await addFunction(customer, off, { name: 'off' });
    const deleted = await addFunction(customer, gone, { name: 'gone' });
    await addFunction(customer, kept, { name: 'kept' });
    assertOk(await customer.api.send('POST', `/v1/functions/${disabled}/disable`));
    const callId = await system.call(customer);
    await gone.count(1);
    assertOk(await customer.api.send('DELETE', `/v1/functions/${deleted}`));
    await system.settled(customer.workspace_id);
    assert.equal(off.arrivals.length, 0);
    assert.equal(kept.arrivals.length, 1);
    assert.equal(kept.arrivals[0].json.call.id, callId);
    const states = await system.sql(`SELECT DISTINCT state FROM deliveries WHERE destination_id = ${idSql(deleted)}`);
    assert.ok(states.every(({ state }) => state === 'dropped' || state === 'failed'), JSON.stringify(states));
  });

  test('it runs for a call that was under way when its agent was deleted', async ({ system, receiver, carriers }) => {
    const customer = await system.customer({ carrier: carriers.carrier() });
    await customer.carrier.behave({ behaviour: { script: 'none' } });
    const crm = receiver.box();
    await addFunction(customer, crm);
    const callId = await system.call(customer);
    const { token } = await customer.carrier.asked(callId);
    await customer.carrier.tell(token, { event: 'answered' });
    assertOk(await customer.api.send('DELETE', `/v1/agents/${customer.agent_id}`));
    await customer.carrier.tell(token, { event: 'ended', reason: 'completed', duration_seconds: 1, outcome: 'successful', summary: 's' });
    await system.settled(customer.workspace_id);
    assert.deepEqual(crm.arrivals.map(({ json }) => json.call.id), [callId]);
  });

  test('a result that the database refuses is written without what others said, and holds up no other', async ({
    system,
    receiver,
  }) => {
    await system.sql(`ALTER TABLE function_runs ADD CONSTRAINT no_poison CHECK (response IS NULL OR response <> 'poison')`);
    const [bad, good] = [await system.customer(), await system.customer({ box: receiver.box() })];
    const [poisoned, fine] = [receiver.box({ answer: answers.status(200, {}, 'poison') }), receiver.box()];
    await addFunction(bad, poisoned);
    await addFunction(good, fine);
    const callId = await system.call(bad);
    await poisoned.count(1);
    const others = await Promise.all(Array.from({ length: 5 }, () => toItsEnd(system, good)));
    await system.settled(bad.workspace_id);
    assert.deepEqual([poisoned.arrivals.length, fine.arrivals.length], [1, others.length], 'none twice');
    assert.deepEqual(
      (await runs(bad, callId)).map(({ error, response, status }) => [error?.code, response, status]),
      [[undefined, null, 200]],
    );
    assert.equal((await runs(good, others[0]))[0].status, 200);
  });

  test("another agent's calls don't start it", async ({ system, receiver }) => {
    const customer = await system.customer();
    const crm = receiver.box();
    await addFunction(customer, crm);
    const other = await system.admin('agent', 'create', '--workspace', customer.workspace_id, '--name', 'other');
    await toItsEnd(system, customer, { agent_id: other.agent_id });
    assert.equal(crm.arrivals.length, 0);
    const mine = await toItsEnd(system, customer);
    assert.deepEqual(crm.arrivals.map(({ json }) => json.call.id), [mine]);
  });

  test('a dispatcher that is killed after the request repeats it under the same key', async ({ system, receiver }) => {
    const customer = await system.customer();
    const crm = receiver.box();
    await addFunction(customer, crm, { timeout_ms: 1000 }); // so long its lease is
    await system.stopDispatcher();
    const callId = await system.call(customer);
    await until('the call to be over', async () => {
      await system.once({ fault: 'delivery_answered' });
      return crm.arrivals.length > 0;
    }, { every: 50 });
    await until('runs from cron to settle it', async () => {
      await system.once();
      return (await system.number(`SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'
        AND workspace_id = ${idSql(customer.workspace_id)}`)) === 0;
    }, { every: 50 });
    assert.equal(crm.arrivals.length, 2);
    for (const { headers } of crm.arrivals) assert.equal(headers['idempotency-key'], `${callId}:crm`);
  });
});
