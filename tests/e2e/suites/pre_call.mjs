// Pre-call functions as the dispatcher runs them: what they save reaches the agent, what they say
// stops the call, what fails follows on_error; kills, cancels and slow servers. The functions'
// server is the receiver; dials are counted at the carrier, an outside program.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  lease_grace: '300ms',
  place_timeout: '400ms',
  lookup_first: '50ms',
  lookup_gap: '50ms',
  lookup_deadline: '3s',
  place_retry_schedule: '50ms, 50ms, 50ms',
  retry_schedule: '0s, 50ms, 50ms, 50ms',
  retry_jitter_percent: '0',
  pre_call_budget: '2s',
  pre_call_in_flight_max: '6',
  pre_call_workspace_max: '4',
};


// Stands for whatever a database may refuse of what others say.
const REFUSE_POISON = `ALTER TABLE function_runs DROP CONSTRAINT IF EXISTS no_poison,
  ADD CONSTRAINT no_poison CHECK (response IS NULL OR response <> 'poison')`;

const json = (body, code = 200) => answers.status(code, { 'Content-Type': 'application/json' }, JSON.stringify(body));

async function customerWith({ system, carriers, receiver }, options = {}) {
  return system.customer({ carrier: carriers.carrier(), box: receiver.box(), ...options });
}

async function addFunction(customer, box, fields = {}) {
  const answer = await customer.api.send('POST', '/v1/functions', {
    body: { agent_id: customer.agent_id, phase: 'pre_call', name: 'crm', url: box.url, ...fields },
  });
  return assertOk(answer, 201).function_id;
}

async function anotherAgent({ system }, { workspace_id: workspace, carrier_id: carrier }) {
  const made = await system.admin(
    'agent', 'create', '--workspace', workspace, '--name', 'other', '--carrier', carrier,
  );
  return made.agent_id;
}

async function runs(customer, callId) {
  return assertOk(await customer.api.send('GET', `/v1/calls/${callId}/runs`)).reverse();
}

// A call of a customer whose agent has one function of these fields, to its end.
async function play(context, answer, fields = {}, call = {}) {
  const customer = await customerWith(context);
  const crm = context.receiver.box({ answer });
  await addFunction(customer, crm, fields);
  const callId = await context.system.call(customer, call);
  const over = await context.system.over(customer, callId);
  await context.system.settled(customer.workspace_id);
  const dials = await customer.carrier.dials(callId);
  return { customer, crm, callId, over, dials, runs: await runs(customer, callId) };
}

function outcomes(test) {
  test('what functions save is in prompt, greeting and variables, and one sees what the one before it saved', async (context) => {
    const { system, receiver } = context;
    const customer = await customerWith(context);
    assertOk(
      await customer.api.send('PATCH', `/v1/agents/${customer.agent_id}`, {
        body: {
          prompt: 'You call {{contact.name}} of {{info.company}} about the {{vars.plan}} plan.',
          greeting: 'Hello {{contact.name | upcase}}, you owe {{vars.due}}{{vars.unknown}}.',
        },
      }),
    );
    const crm = receiver.box({ answer: json({ customer: { plan: 'gold', id: 17 } }) });
    const ledger = receiver.box({ answer: json({ due: 42.5 }) });
    await addFunction(customer, crm, { save: { plan: '$.customer.plan', customer_id: '$.customer.id' } });
    await addFunction(customer, ledger, {
      name: 'ledger',
      method: 'GET',
      query: { customer: '{{vars.customer_id}}' },
      save: { due: '$.due' },
    });
    const callId = await system.call(customer, {
      contact_name: 'Raj Patel',
      additional_info: { company: 'Acme Corp' },
    });
    const over = await system.over(customer, callId);
    assert.equal(over.status, 'completed');
    const [{ place, problems }] = await customer.carrier.dials(callId);
    assert.deepEqual(problems, []);
    assert.equal(place.agent.prompt, 'You call Raj Patel of Acme Corp about the gold plan.');
    assert.equal(place.agent.greeting, 'Hello RAJ PATEL, you owe 42.5.');
    assert.deepEqual(place.variables, { plan: 'gold', customer_id: 17, due: 42.5 });
    assert.deepEqual(over.variables, { plan: 'gold', customer_id: 17, due: 42.5 });
    assert.equal(ledger.arrivals.length, 1);
    const made = await runs(customer, callId);
    assert.deepEqual(
      made.map(({ function_name: name, phase, attempt, error, status }) => [name, phase, attempt, error?.code, status]),
      [
        ['crm', 'pre_call', 1, undefined, 200],
        ['ledger', 'pre_call', 1, undefined, 200],
      ],
    );
    assert.deepEqual(made[0].saved, { plan: 'gold', customer_id: 17 });
    assert.match(made[1].request.url, /\?customer=17$/);
  });

  test('it runs before anything is dialled, once an attempt, with the attempt in its Idempotency-Key', async (context) => {
    const { crm, dials, callId, over } = await play(context, json({}));
    assert.equal(over.status, 'completed');
    assert.equal(crm.arrivals.length, 1);
    assert.equal(crm.arrivals[0].headers['idempotency-key'], `${callId}:crm:1`);
    assert.ok(crm.arrivals[0].wall <= dials[0].requests[0].at, 'the function was asked first');
    assert.equal(crm.arrivals[0].json.call.id, callId);
  });

  test('a reply whose eligible is false disallows the call: nothing is dialled, the event says why', async (context) => {
    const { over, dials, customer, callId } = await play(context, json({ customer: { ok: false } }), {
      save: { eligible: '$.customer.ok' },
    });
    assert.deepEqual([over.status, over.error.code], ['disallowed', 'pre_call_rejected']);
    assert.deepEqual(dials, []);
    assert.deepEqual(customer.box.types(callId), ['call.disallowed']);
    assert.equal(customer.box.of({ call: callId })[0].json.data.error.code, 'pre_call_rejected');
  });

  test('eligible true goes on', async (context) => {
    const { over } = await play(context, json({ ok: true }), { save: { eligible: '$.ok' } });
    assert.equal(over.status, 'completed');
  });

  for (const [onError, status, code, dialled] of [
    ['continue', 'completed', undefined, 1],
    ['disallow', 'disallowed', 'pre_call_rejected', 0],
    ['abort', 'failed', 'agent_error', 0],
  ])
    test(`a function that fails with on_error ${onError} makes the call ${status}`, async (context) => {
      const { over, dials, runs: made } = await play(context, answers.status(500), { on_error: onError });
      assert.deepEqual([over.status, over.error?.code], [status, code]);
      assert.equal(dials.length, dialled);
      assert.deepEqual([made.length, made[0].error.code, made[0].status], [1, 'server_error', 500]);
    });

  test('a function that was aborted keeps the ones behind it from running', async (context) => {
    const customer = await customerWith(context);
    const [bad, next] = [context.receiver.box({ answer: answers.status(500) }), context.receiver.box()];
    await addFunction(customer, bad, { on_error: 'disallow' });
    await addFunction(customer, next, { name: 'next' });
    const callId = await context.system.call(customer);
    await context.system.over(customer, callId);
    assert.deepEqual([bad.arrivals.length, next.arrivals.length], [1, 0]);
  });
}

function failures(test) {
  for (const [name, answer, fields, error] of [
    ['hangs', answers.hang(), { timeout_ms: 150 }, 'timeout'],
    ['resets the connection', answers.reset(), {}, 'connection_reset'],
    ['redirects', answers.redirect('http://127.0.0.1:1/'), {}, 'redirect'],
    ['sends 10 MB', answers.big(10 * 1024 * 1024), { save: { x: '$.x' } }, 'response_too_large'],
    ['sends rubbish', answers.status(200, { 'Content-Type': 'application/json' }, '{"a":'), { save: { x: '$.a' } }, 'not_json'],
    ['answers in another content type', answers.status(200, { 'Content-Type': 'text/html' }, '{}'), { save: { x: '$.a' } }, 'unexpected_content_type'],
    ['answers in a content type that is no text', answers.status(200, { 'Content-Type': 'text/\u00e9t\u00e9' }, '{}'), { save: { x: '$.a' } }, 'unexpected_content_type'],
    ['misses a saved path', json({}), { save: { x: '$.a.b' }, on_missing: 'error' }, 'save_path_missed'],
    ['refuses', answers.status(404), {}, 'client_error'],
  ])
    test(`a function that ${name} is recorded as ${error}, and the call goes on`, async (context) => {
      const { over, runs: made, dials } = await play(context, answer, fields);
      assert.equal(over.status, 'completed');
      assert.equal(dials.length, 1);
      assert.deepEqual(made.map((run) => run.error.code), [error]);
    });

  test('a run that the database refuses is recorded bare, and its call goes on', async (context) => {
    await context.system.sql(REFUSE_POISON);
    const { over, runs: made, dials } = await play(context, answers.status(500, {}, 'poison'));
    assert.equal(over.status, 'completed');
    assert.equal(dials.length, 1);
    assert.deepEqual(made.map(({ error, response, request }) => [error.code, response, request]), [['server_error', null, {}]]);
  });

  test('a function whose headers are lost fails as on_error says, and the others run', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    const [lost, fine] = [context.receiver.box(), context.receiver.box()];
    const id = await addFunction(customer, lost, { headers: { 'X-Mine': 'v' } });
    await addFunction(customer, fine, { name: 'fine' });
    await system.sql(
      `UPDATE functions SET headers = CONCAT(CHAR(200), SUBSTR(headers, 2)) WHERE function_id = ${idSql(id)}`,
    );
    const callId = await system.call(customer);
    assert.equal((await system.over(customer, callId)).status, 'completed');
    assert.deepEqual([lost.arrivals.length, fine.arrivals.length], [0, 1]);
    assert.deepEqual((await runs(customer, callId)).map(({ error }) => error?.code), ['secret_unreadable', undefined]);
  });

  test('a template that names what is not there is empty, or with on_missing error an error that says which', async (context) => {
    const customer = await customerWith(context);
    const [lenient, strict] = [context.receiver.box(), context.receiver.box()];
    await addFunction(customer, lenient, { body: { company: '{{info.company}}', n: '{{info.n | default: 7}}' } });
    await addFunction(customer, strict, { name: 'strict', on_missing: 'error', body: { company: '{{info.company}}' } });
    const callId = await context.system.call(customer);
    await context.system.over(customer, callId);
    assert.deepEqual(lenient.arrivals[0].json, { company: null, n: 7 });
    assert.equal(strict.arrivals.length, 0);
    const [, run] = await runs(customer, callId);
    assert.equal(run.error.code, 'template_failed');
    assert.match(run.error.message, /info\.company/);
  });

  test('it is tried again as often as its retries say, under one Idempotency-Key, each try recorded', async (context) => {
    const { crm, over, runs: made } = await play(
      context,
      answers.inTurn(answers.status(503), answers.status(429), json({ plan: 'gold' })),
      { retries: 2, save: { plan: '$.plan' } },
    );
    assert.deepEqual(over.variables, { plan: 'gold' });
    assert.equal(new Set(crm.arrivals.map(({ headers }) => headers['idempotency-key'])).size, 1);
    assert.deepEqual(
      made.map(({ tried, error }) => [tried, error?.code]),
      [
        [1, 'server_error'],
        [2, 'client_error'],
        [3, undefined],
      ],
    );
  });

  test('when the time for all functions is over the rest is not asked, and the call goes on', async (context) => {
    const customer = await customerWith(context);
    const boxes = [1, 2, 3].map(() => context.receiver.box({ answer: answers.hang() }));
    for (const [i, box] of boxes.entries()) await addFunction(customer, box, { name: `f${i}`, timeout_ms: 1300 });
    const callId = await context.system.call(customer);
    const over = await context.system.over(customer, callId);
    assert.equal(over.status, 'completed');
    assert.deepEqual(
      (await runs(customer, callId)).map(({ error }) => error.code),
      ['timeout', 'timeout', 'no_time_left'],
    );
    assert.equal(boxes[2].arrivals.length, 0);
  });
}

function meanwhile(test) {
  test('a call that is cancelled while its function runs never rings', async (context) => {
    const { system, receiver } = context;
    const customer = await customerWith(context);
    const hold = answers.hold(json({ plan: 'gold' }));
    const crm = receiver.box({ answer: hold });
    await addFunction(customer, crm, { save: { plan: '$.plan' }, timeout_ms: 1000 });
    const callId = await system.call(customer);
    await crm.count(1);
    const { status, hold_reason: reason } = assertOk(await customer.api.get(callId));
    assert.deepEqual([status, reason], ['scheduled', 'preparing']);
    assert.equal((await customer.api.cancel(callId)).status, 200);
    hold.release();
    await until('the run to be recorded', async () => (await runs(customer, callId)).length === 1);
    assert.equal((await customer.api.get(callId)).json.data.status, 'cancelled');
    const other = await system.call(customer);
    await system.over(customer, other);
    assert.deepEqual(await customer.carrier.dials(callId), []);
  });

  const number = '+919811100000';
  const MEANWHILE = [
    ['its agent is disabled', 'disallowed', 'agent_disabled', ({ customer }) =>
      customer.api.send('POST', `/v1/agents/${customer.agent_id}/disable`)],
    ['its number is suppressed', 'disallowed', 'number_suppressed', ({ customer }) =>
      customer.api.send('POST', '/v1/suppressed_numbers', { body: { contact_number: number } })],
    ['its workspace is suspended', 'disallowed', 'account_suspended', ({ system, customer }) =>
      system.admin('workspace', 'suspend', customer.workspace_id)],
    ['it expires', 'failed', 'expired', ({ system, callId }) =>
      system.sql(`UPDATE calls SET expires_at = NOW(6), expiry_due = NOW(6) WHERE call_id = ${idSql(callId)}`)],
  ];
  for (const [what, status, code, happen] of MEANWHILE)
    test(`a call whose function runs while ${what} is ${status}, and never rings`, async (context) => {
      const { system, receiver } = context;
      const customer = await customerWith(context);
      const hold = answers.hold(json({}));
      const crm = receiver.box({ answer: hold });
      await addFunction(customer, crm, { timeout_ms: 1000 });
      const callId = await system.call(customer, { contact_number: number });
      await crm.count(1);
      await happen({ system, customer, callId });
      hold.release();
      const now = () => system.one(`SELECT CONCAT(status, ' ', error_code) FROM calls WHERE call_id = ${idSql(callId)}`);
      await until('the call to end', async () => (await now()) === `${status} ${code}`, { seen: now });
      await until('the run to be recorded', () =>
        system.number(`SELECT COUNT(*) FROM function_runs WHERE call_id = ${idSql(callId)}`),
      );
      assert.deepEqual(await customer.carrier.dials(callId), []);
    });

  test('a disabled function does not run', async (context) => {
    const customer = await customerWith(context);
    const crm = context.receiver.box();
    const id = await addFunction(customer, crm);
    assertOk(await customer.api.send('POST', `/v1/functions/${id}/disable`));
    const callId = await context.system.call(customer);
    assert.equal((await context.system.over(customer, callId)).status, 'completed');
    assert.equal(crm.arrivals.length, 0);
  });

  test("one customer's hanging server takes its share and no more, whichever agents call: another's calls are prepared meanwhile", async (context) => {
    const { system, receiver } = context;
    const [slow, quick] = [await customerWith(context), await customerWith(context)];
    const hold = answers.hold();
    const [hanging, answering] = [receiver.box({ answer: hold }), receiver.box()];
    const agents = [slow.agent_id, await anotherAgent(context, slow), await anotherAgent(context, slow)];
    for (const agent_id of agents) await addFunction(slow, hanging, { agent_id, timeout_ms: 1000 });
    await addFunction(quick, answering);
    const at = new Date(Date.now() + 300).toISOString();
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => system.call(slow, { agent_id: agents[n % 3], scheduled_at: at })),
    );
    await until('the share to be taken', () => hanging.inFlight === 4);
    const callId = await system.call(quick);
    await system.over(quick, callId);
    assert.equal(hanging.inFlightMax, 4);
    assert.ok(hanging.inFlight > 0, 'the slow ones still hang');
    hold.release();
    await system.settled(slow.workspace_id);
    assert.equal(hanging.inFlightMax, 4);
  });

  test('calls of one agent are prepared side by side', async (context) => {
    const { system, receiver } = context;
    const customer = await customerWith(context);
    const hold = answers.hold();
    const crm = receiver.box({ answer: hold });
    await addFunction(customer, crm, { timeout_ms: 1000 });
    await Promise.all(Array.from({ length: 4 }, () => system.call(customer)));
    await until('all four to be asked for at once', () => crm.inFlight === 4);
    hold.release();
    await system.settled(customer.workspace_id);
  });
}

const living = suite('pre_call', { runs: 'faults', system: { settings } }, (test) => {
  outcomes(test);
  failures(test);
  meanwhile(test);
});

export default living;
