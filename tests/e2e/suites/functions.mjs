// Functions of workflows: as a resource of an agent; called during a call, with all that a
// customer's server can do wrong; tried out. Before and after a call: pre_call and post_call.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError, inCase, TIME } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { allIds, assertOk, collection, refuseValues } from '../lib/manage.mjs';
import { Person } from '../lib/person.mjs';
import { answers } from '../lib/receiver.mjs';
import { INSIDE_URLS } from '../lib/refusals.mjs';
import { signatureProblems } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';
import { addFunction, assertFailed, conversation, json, tryOut, variablesOf } from '../lib/workflow.mjs';

const settings = {
  poll_interval: '50ms',
  recheck_interval: '0ms',
  during_call_timeout: '1500ms',
  password_cost: '10',
  simulator_ring: '10ms',
  simulator_talk: '10ms',
};

const functionsOf = (customer) => collection(customer.api, '/v1/functions');

const DEFAULTS = {
  description: '',
  method: 'POST',
  headers: {},
  query: null,
  body: null,
  parameters: null,
  static_parameters: null,
  timeout_ms: 3000,
  retries: 0,
  on_error: 'continue',
  on_missing: 'empty',
  save: null,
  when: 'always',
  say_while_running: '',
  say_on_error: '',
  enabled: true,
};

const OBJECT = { type: 'object' };
const BAD = {
  name: ['', 'a b', 'é', 'x'.repeat(65), null, 1],
  phase: ['during', null, 0],
  url: ['', 'x', 'https://{{info.host}}/', 'https://crm.example/{{', 'https://crm.example/{{nobody.x}}', null],
  method: ['HEAD', 'get', 1],
  headers: [[], { Host: 'x' }, { 'Idempotency-Key': 'x' }, { A: '{{now}}' }, { A: 1 }, { 'A b': 'x' }],
  query: [[], 'a=b', { a: {} }, { a: '{{' }],
  body: [{ a: ['{{now | shout}}'] }, { '{{now}}': 1 }],
  static_parameters: [[], 1, { a: '{{args.x}}' }],
  timeout_ms: [99, 8001, 1.5, '1000'],
  retries: [-1, 4],
  on_error: ['disallow', 'stop'],
  on_missing: ['null'],
  save: [[], { 'a-b': '$.a' }, { a: 'a' }, { a: '$.a[*]' }, { a: 1 }],
  when: ['failed', 'never'],
  say_on_error: ['x'.repeat(501), 1],
  description: ['x'.repeat(1001)],
  enabled: ['yes', null],
  agent_id: [1, null],
  parameters: [
    [],
    {},
    { type: 'string' },
    { ...OBJECT, anyOf: [] },
    { ...OBJECT, properties: { a: { $ref: '#/x' } } },
    { ...OBJECT, properties: { a: { pattern: '(?=x)' } } },
  ],
};

function resource(test) {
  test('a function comes back as it was made, with defaults, its header values hidden', async ({ system, receiver }) => {
    const customer = await system.customer();
    const box = receiver.box();
    const body = { agent_id: customer.agent_id, phase: 'pre_call', name: 'look_up', url: `${box.url}?n={{contact.number}}` };
    const answer = await functionsOf(customer).create(body);
    const { function_id, created_at, updated_at, position, ...made } = assertOk(answer, 201);
    assert.equal(answer.headers.location, `${system.url}/v1/functions/${function_id}`);
    assert.match(function_id, /^fn_/);
    assert.match(created_at, TIME);
    assert.deepEqual([updated_at, position], [created_at, 0]);
    assert.deepEqual(made, { ...DEFAULTS, ...body });
    const headers = { Authorization: 'Bearer hush', 'X-Tenant': '7' };
    const changed = assertOk(await functionsOf(customer).change(function_id, { headers, timeout_ms: 900 }));
    assert.deepEqual(changed.headers, { Authorization: '(hidden)', 'X-Tenant': '(hidden)' });
    assert.equal(changed.timeout_ms, 900);
    assert.deepEqual(assertOk(await functionsOf(customer).get(function_id)), changed);
    const without = assertOk(await functionsOf(customer).change(function_id, { headers: { 'x-tenant': null } }));
    assert.deepEqual(Object.keys(without.headers), ['Authorization']);
    assert.equal(await system.number(`SELECT COUNT(*) FROM functions WHERE headers LIKE '%hush%'`), 0);
  });

  test('every bad value is refused by the name of its field', async ({ system, receiver }) => {
    const customer = await system.customer();
    const functions = functionsOf(customer);
    const good = { agent_id: customer.agent_id, phase: 'during_call', name: 'a', url: receiver.box().url };
    await refuseValues((change) => functions.create({ ...good, ...change }), BAD);
    for (const field of ['agent_id', 'phase', 'name', 'url'])
      assertError(await functions.create({ ...good, [field]: undefined }), 400, 'invalid_request', field);
    for (const url of INSIDE_URLS.filter((one) => !one.includes('127.0.0.1')))
      await inCase(url, async () => assertError(await functions.create({ ...good, url }), 400, 'invalid_request', 'url'));
    assertError(await functions.create({ ...good, agent_id: `agent_${'0'.repeat(26)}` }), 404, 'not_found');
    assert.deepEqual((await functions.list()).json.data, []);
    const { function_id } = assertOk(await functions.create(good), 201);
    const { agent_id: _, phase: __, ...changeable } = BAD;
    await refuseValues((change) => functions.change(function_id, change), changeable);
    for (const field of ['agent_id', 'phase'])
      assertError(await functions.change(function_id, { [field]: good[field] }), 400, 'invalid_request', field);
    assertError(await functions.change(function_id, {}), 400, 'invalid_request');
  });

  test('functions of an agent are listed in their order, and moved in it', async ({ system, receiver }) => {
    const customer = await system.customer();
    const functions = functionsOf(customer);
    const box = receiver.box();
    const ids = {};
    for (const [name, phase] of [['x', 'post_call'], ['a', 'pre_call'], ['b', 'pre_call'], ['c', 'pre_call']])
      ids[name] = (await addFunction(customer, box, { name, phase })).function_id;
    const order = async () => {
      const { data, next_cursor } = (await functions.list({ agent_id: customer.agent_id })).json;
      assert.equal(next_cursor, null);
      return data.map(({ name, position }) => `${name}${position}`).join(' ');
    };
    assert.equal(await order(), 'a0 b1 c2 x0');
    assert.equal(assertOk(await functions.change(ids.c, { position: 0 })).position, 0);
    assert.equal(await order(), 'c0 a1 b2 x0');
    assertOk(await functions.change(ids.c, { position: 1000 }));
    assert.equal(await order(), 'a0 b1 c2 x0');
    assertOk(await functions.remove(ids.a));
    assert.equal(await order(), 'b0 c1 x0');
    assert.deepEqual(await allIds(functions.list, 'function_id', 2), [ids.c, ids.b, ids.x]);
    const other = await system.customer();
    assert.deepEqual((await functionsOf(other).list({ agent_id: customer.agent_id })).json.data, []);
  });

  test('a name is one of its kind in an agent, and free again once its function is deleted', async ({ system, receiver }) => {
    const customer = await system.customer();
    const functions = functionsOf(customer);
    const box = receiver.box();
    const { function_id } = await addFunction(customer, box, { name: 'a' });
    const again = { agent_id: customer.agent_id, phase: 'post_call', name: 'a', url: box.url };
    assertError(await functions.create(again), 409, 'conflict', '"a"');
    const { function_id: b } = await addFunction(customer, box, { name: 'b' });
    assertError(await functions.change(b, { name: 'a' }), 409, 'conflict', '"a"');
    assert.equal(assertOk(await functions.remove(function_id)).deleted, true);
    assertError(await functions.get(function_id), 404, 'not_found');
    assertError(await functions.act(function_id, 'enable'), 404, 'not_found');
    assertOk(await functions.create(again), 201);
    assert.deepEqual(assertOk(await customer.api.send('GET', `/v1/functions/${function_id}/runs`)), []);
  });

  test('an agent has 20 functions at most, also when many are made at once', async ({ system, receiver }) => {
    const customer = await system.customer();
    const box = receiver.box();
    const names = Array.from({ length: 26 }, (_, i) => `f${i}`);
    const made = await Promise.all(
      names.map((name) =>
        functionsOf(customer).create({ agent_id: customer.agent_id, phase: 'pre_call', name, url: box.url }),
      ),
    );
    const count = (status) => made.filter((answer) => answer.status === status).length;
    assert.deepEqual([count(201), count(409)], [20, 6]);
    const { data } = (await functionsOf(customer).list({ agent_id: customer.agent_id })).json;
    assert.deepEqual(data.map(({ position }) => position), [...Array(20).keys()]);
  });

  test('viewers read, admins change, try out and rotate', async ({ system, receiver }) => {
    const customer = await system.customer();
    const box = receiver.box();
    const { function_id } = await addFunction(customer, box);
    const viewer = await Person.member(system, customer.workspace_id, 'viewer');
    const admin = await Person.member(system, customer.workspace_id, 'admin');
    const at = `/v1/functions/${function_id}`;
    for (const path of [at, '/v1/functions', `${at}/runs`]) assertOk(await viewer.send('GET', path));
    for (const [method, path, body] of [
      ['PATCH', at, { retries: 1 }],
      ['POST', `${at}/disable`, {}],
      ['POST', `${at}/enable`, {}],
      ['POST', `${at}/try`, {}],
      ['POST', '/v1/workspace/signing_secret/rotate', {}],
      ['DELETE', at, undefined],
    ]) {
      assertError(await viewer.send(method, path, body), 403, 'forbidden');
      assertOk(await admin.send(method, path, body));
    }
    assert.equal(box.arrivals.length, 1);
  });
}

async function signedUnder(box, secret) {
  const { headers, body } = box.arrivals.at(-1);
  return signatureProblems(secret, headers, body).length === 0;
}

function signing(test) {
  test('requests are signed with the secret of the workspace, and with the old one for its grace', async (context) => {
    const { customer, box, call } = await conversation(context);
    const workspace = async () => assertOk(await customer.api.send('GET', '/v1/workspace'));
    const rotate = async (body) => {
      const path = '/v1/workspace/signing_secret/rotate';
      return assertOk(await customer.api.send('POST', path, { body }));
    };
    assert.equal((await workspace()).has_signing_secret, false);
    const { name } = await addFunction(customer, box);
    assert.equal((await workspace()).has_signing_secret, true);
    const first = await rotate({ grace_seconds: 0 });
    assert.equal(first.previous_secret_until, null);
    assertOk(await call(name, {}));
    assert.ok(await signedUnder(box, first.signing_secret));
    assert.equal(box.arrivals[0].headers['webhook-id'], box.arrivals[0].headers['idempotency-key']);
    const second = await rotate({ grace_seconds: 60 });
    assert.match(second.previous_secret_until, TIME);
    assertOk(await call(name, {}));
    assert.ok(await signedUnder(box, first.signing_secret));
    assert.ok(await signedUnder(box, second.signing_secret));
    const secret = `whsec_${Buffer.alloc(32, 'k').toString('base64')}`;
    assert.equal((await rotate({ secret, grace_seconds: 0 })).signing_secret, secret);
    assertOk(await call(name, {}));
    assert.ok(await signedUnder(box, secret));
    assert.ok(!(await signedUnder(box, second.signing_secret)));
    assertError(
      await customer.api.send('POST', '/v1/workspace/signing_secret/rotate', { body: { secret: 'x' } }),
      400,
      'invalid_request',
      'secret',
    );
  });
}

function during(test) {
  test('arguments, static parameters and templates make the request; the answer is result and variables', async (context) => {
    const { system, customer, box, callId, call, runs } = await conversation(context, { clinic: { id: 7 } });
    const { name } = await addFunction(customer, box, {
      url: `${box.url}?clinic={{info.clinic.id}}`,
      headers: { Authorization: 'Bearer hush' },
      query: { who: '{{contact.name}} & co' },
      body: { day: '{{args.date}}', clinic: '{{info.clinic.id}}', text: 'for {{contact.name}}', id: '{{call.id}}' },
      static_parameters: { source: 'phone', clinic: 9 },
      save: { slot: '$.slots[0].time', all: '$.slots', none: '$.none.deeper' },
    });
    box.answer = json({ slots: [{ time: '16:00' }] });
    const done = assertOk(await call(name, { arguments: { date: '2026-11-26', source: 'the caller', clinic: 1 } }));
    const [arrival] = box.arrivals;
    assert.deepEqual(arrival.json, { day: '2026-11-26', text: 'for Asha', id: callId, source: 'phone', clinic: 9 });
    assert.equal(new URL(arrival.url, box.url).search, '?clinic=7&who=Asha%20%26%20co');
    assert.equal(arrival.headers.authorization, 'Bearer hush');
    assert.equal(arrival.headers['content-type'], 'application/json');
    assert.deepEqual(done.saved, { slot: '16:00', all: [{ time: '16:00' }] });
    assert.deepEqual(await variablesOf(system, callId), done.saved);
    const [run, ...others] = await runs();
    assert.equal(others.length, 0);
    assert.deepEqual(
      [run.run_id, run.function_name, run.phase, run.attempt, run.tried, run.trial, run.status, run.error],
      [done.run_id, name, 'during_call', 1, 1, false, 200, null],
    );
    assert.deepEqual(run.request, {
      method: 'POST',
      url: `${box.url}?clinic=7&who=Asha%20%26%20co`,
      headers: { 'Idempotency-Key': `${callId}:${name}:${done.run_id}`, Authorization: '(hidden)' },
      body: arrival.json,
    });
    assert.deepEqual([run.response, run.saved], ['{"slots":[{"time":"16:00"}]}', done.saved]);
    assert.equal(await system.number(`SELECT COUNT(*) FROM function_runs WHERE request LIKE '%hush%'`), 0);
  });

  test('a voice engine is told what its model may call, and what to say meanwhile', async (context) => {
    const { system, carriers, receiver } = context;
    const customer = await system.customer({ carrier: carriers.carrier() });
    const parameters = { ...OBJECT, properties: { date: { type: 'string' } } };
    const fields = { name: 'slots', description: 'Free slots', parameters, say_while_running: 'One moment.' };
    await addFunction(customer, receiver.box(), { ...fields, headers: { 'X-Key': 'hush' }, static_parameters: { clinic: 7 } });
    await addFunction(customer, receiver.box(), { enabled: false });
    const { place } = await customer.carrier.asked(await system.call(customer));
    assert.deepEqual(place.functions, [fields]);
  });

  test('without a body the arguments are sent, which static parameters lie over', async (context) => {
    const { customer, box, call } = await conversation(context);
    const post = await addFunction(customer, box, { static_parameters: { clinic: 9 } });
    assertOk(await call(post.name, { arguments: { clinic: 1, date: 'x' } }));
    assert.deepEqual(box.arrivals[0].json, { date: 'x', clinic: 9 });
    const get = await addFunction(customer, box, { method: 'GET', static_parameters: { clinic: 9 } });
    assertOk(await call(get.name, { arguments: JSON.stringify({ clinic: 1, q: 'a&b=c/../d', list: [1] }) }));
    assert.equal(new URL(box.arrivals[1].url, box.url).search, '?q=a%26b%3Dc%2F..%2Fd&list=%5B1%5D&clinic=9');
    assert.equal(box.arrivals[1].text, '');
    assertOk(await call(post.name));
    assert.deepEqual(box.arrivals[2].json, { clinic: 9 });
  });

  test('arguments that are not as the schema says get 400 with the path, and nothing is sent', async (context) => {
    const { customer, box, call, runs } = await conversation(context);
    const parameters = {
      type: 'object',
      properties: {
        slot: { type: 'object', properties: { date: { type: 'string', format: 'date' } }, required: ['date'] },
        people: { type: 'integer', minimum: 1 },
      },
      required: ['slot'],
      additionalProperties: false,
    };
    const { name } = await addFunction(customer, box, { parameters });
    for (const [given, says] of [
      [{}, 'arguments.slot: is required'],
      [{ slot: {} }, 'arguments.slot.date: is required'],
      [{ slot: { date: 'soon' } }, 'arguments.slot.date: must be a date'],
      [{ slot: { date: '2026-01-01' }, people: 0 }, 'arguments.people: must be at least 1'],
      [{ slot: { date: '2026-01-01' }, more: 1 }, 'arguments.more: is not one of the parameters'],
      ['{"slot"', 'arguments: '],
      ['[]', 'arguments must be an object'],
      [[], 'arguments must be an object'],
      [null, 'arguments must be an object'],
    ])
      assertError(await call(name, { arguments: given }), 400, 'invalid_request', says);
    assertError(await call(name, { args: {} }), 400, 'invalid_request', 'args');
    assert.equal(box.arrivals.length, 0);
    assert.deepEqual(await runs(), []);
    assertOk(await call(name, { arguments: { slot: { date: '2026-01-01' }, people: 2 } }));
  });

  test('it is for calls in progress, and for enabled functions of this phase', async (context) => {
    const { system, customer, box, callId, call } = await conversation(context);
    const { name, function_id } = await addFunction(customer, box);
    const before = await addFunction(customer, box, { phase: 'pre_call', enabled: false });
    assertError(await call('none', {}), 404, 'not_found');
    assertError(await call(before.name, {}), 404, 'not_found');
    assertOk(await functionsOf(customer).act(function_id, 'disable'));
    assertError(await call(name, {}), 404, 'not_found');
    assertOk(await functionsOf(customer).act(function_id, 'enable'));
    assertOk(await call(name, {}));
    const later = await system.call(customer, { scheduled_at: new Date(Date.now() + 3600_000).toISOString() });
    const path = (id) => `/v1/calls/${id}/functions/${name}`;
    assertError(await customer.api.send('POST', path(later), { body: {} }), 409, 'conflict', 'scheduled');
    const { token } = await customer.carrier.asked(callId);
    await customer.carrier.tell(token, { event: 'ended', reason: 'completed', duration_seconds: 1 });
    await system.status(customer, callId, 'completed');
    assertError(await call(name, {}), 409, 'conflict', 'completed');
    const stranger = await system.customer();
    assertError(await stranger.api.send('POST', path(callId), { body: {} }), 404, 'not_found');
    assert.equal(box.arrivals.length, 1);
  });

  test('variables that two runs save at a time are all kept', async (context) => {
    const { system, customer, receiver, callId, call } = { ...context, ...(await conversation(context)) };
    const names = [];
    for (let i = 0; i < 4; i++) {
      const box = receiver.box({ answer: json({ value: i }) });
      names.push((await addFunction(customer, box, { save: { [`v${i}`]: '$.value' } })).name);
    }
    await Promise.all(names.map(async (name) => assertOk(await call(name, {}))));
    assert.deepEqual(await variablesOf(system, callId), { v0: 0, v1: 1, v2: 2, v3: 3 });
  });

  test('a retry has the same Idempotency-Key, a second call another, unless the caller brings one', async (context) => {
    const { customer, box, call, callId, runs } = await conversation(context);
    const { name } = await addFunction(customer, box, { retries: 2 });
    box.answer = answers.inTurn(answers.status(503), answers.reset(), json('done'));
    assert.equal(assertOk(await call(name, {})).result, 'done');
    const keys = box.arrivals.map(({ headers }) => headers['idempotency-key']);
    assert.equal(new Set(keys).size, 1);
    const list = await runs();
    assert.deepEqual(list.map(({ tried }) => tried), [3, 2, 1]);
    assert.deepEqual(list.map(({ error }) => error?.code), [undefined, 'connection_reset', 'server_error']);
    assertOk(await call(name, {}));
    assert.notEqual(box.arrivals[3].headers['idempotency-key'], keys[0]);
    assertOk(await call(name, {}, { 'Idempotency-Key': 'tool.1' }));
    assert.equal(box.arrivals[4].headers['idempotency-key'], `${callId}:${name}:tool.1`);
  });
}

const PAGE = { 'Content-Type': 'text/html' };

// What a customer's server does, and what comes of it: [name, answer, fields, error, message].
const FAULTS = [
  ['hangs', answers.hang(), { timeout_ms: 200 }, 'timeout'],
  ['answers 500', answers.status(500), {}, 'server_error', /500/],
  ['answers 404', answers.status(404), {}, 'client_error', /404/],
  ['resets', answers.reset(), {}, 'connection_reset'],
  ['says rubbish as JSON', answers.status(200, { 'Content-Type': 'application/json' }, '{"a":'), {}, 'not_json'],
  ['sends 10 MB', answers.big(10_000_000), {}, 'response_too_large'],
  ['sends a page', answers.status(200, PAGE, '<p>hi</p>'), {}, 'unexpected_content_type', /text\/html/],
  ['sends text where JSON must be', answers.status(200, { 'Content-Type': 'text/plain' }, 'x'), { save: { a: '$' } }, 'unexpected_content_type'],
  ['lacks what is saved', json({ b: 1 }), { save: { a: '$.a' }, on_missing: 'error' }, 'save_path_missed', /save\.a.*\$\.a/],
  ['has too much to save', json({ a: 'x'.repeat(20_000) }), { save: { a: '$.a' } }, 'saved_too_large'],
];

function faults(test) {
  test('what goes wrong at the customer is named, recorded, and saves nothing', async (context) => {
    const { system, receiver, customer, callId, call, runs } = { ...context, ...(await conversation(context)) };
    for (const [what, answer, fields, code, says] of FAULTS)
      await inCase(what, async () => {
        const box = receiver.box({ answer });
        const { name } = await addFunction(customer, box, { say_on_error: 'I am sorry.', ...fields });
        const done = await call(name, {});
        assertFailed(done, code, says);
        assert.equal(done.json.data.say, 'I am sorry.');
        assert.equal(box.arrivals.length, 1);
        const [run] = await runs();
        assert.equal(run.run_id, done.json.data.run_id);
        assert.equal(run.error.code, code);
        assert.ok(run.response === null || run.response.length <= 16_384);
      });
    assert.deepEqual(await variablesOf(system, callId), {});
  });

  test('redirects are not followed, and addresses inside are not reached', async (context) => {
    const { system, receiver, customer, call } = { ...context, ...(await conversation(context)) };
    const inside = receiver.box();
    const box = receiver.box({ answer: answers.redirect(inside.url) });
    const { name, function_id } = await addFunction(customer, box);
    assertFailed(await call(name, {}), 'redirect', /302/);
    assert.equal(inside.arrivals.length, 0);
    await system.sql(`UPDATE functions SET url = 'https://10.0.0.1/' WHERE function_id = ${idSql(function_id)}`);
    assertFailed(await call(name, {}), 'address_not_allowed');
    assert.equal(box.arrivals.length, 1);
  });

  test('a template whose name is missing is empty or an error, and default wins', async (context) => {
    const { customer, box, call, runs } = await conversation(context);
    const body = { a: '{{vars.none}}', b: 'x{{info.none}}y', c: '{{info.none | default: "there"}}' };
    const empty = await addFunction(customer, box, { body });
    assertOk(await call(empty.name, {}));
    assert.deepEqual(box.arrivals[0].json, { a: null, b: 'xy', c: 'there' });
    const strict = await addFunction(customer, box, { body: { a: '{{vars.none}}' }, on_missing: 'error' });
    assertFailed(await call(strict.name, {}), 'template_failed', /body: \{\{vars\.none\}\} is missing/);
    assert.equal(box.arrivals.length, 1);
    const [run] = await runs();
    assert.deepEqual([run.request, run.status, run.error.code], [{}, null, 'template_failed']);
    const path = await addFunction(customer, box, { url: `${box.url}/{{args.up}}/x` });
    assertFailed(await call(path.name, { arguments: { up: '..' } }), 'template_failed', /another path/);
  });

  test('tries stop when the time for all of them is used up', async (context) => {
    const { customer, box, call, runs } = await conversation(context);
    box.answer = answers.hang();
    const { name } = await addFunction(customer, box, { timeout_ms: 1000, retries: 3 });
    assertFailed(await call(name, {}), 'timeout');
    assert.equal((await runs()).length, 2);
  });

  test('runs are counted by phase and outcome', async (context) => {
    const { system, receiver, customer, box, call } = { ...context, ...(await conversation(context)) };
    const figure = async (outcome, phase = 'during_call') => {
      const { text } = await send(`${system.url}/metrics`);
      const line = `huskyvoice_function_runs_total{phase="${phase}",outcome="${outcome}"} `;
      return Number(text.split('\n').find((one) => one.startsWith(line))?.slice(line.length) ?? 0);
    };
    const [ok, bad] = [await figure('ok'), await figure('client_error')];
    const good = await addFunction(customer, box);
    const wrong = await addFunction(customer, receiver.box({ answer: answers.status(400) }));
    assertOk(await call(good.name, {}));
    assertOk(await call(wrong.name, {}));
    assert.ok((await figure('ok')) >= ok + 1);
    assert.ok((await figure('client_error')) >= bad + 1);
    const [before, after] = [await figure('server_error', 'pre_call'), await figure('ok', 'post_call')];
    const other = await system.customer();
    await addFunction(other, receiver.box({ answer: answers.status(500) }), { phase: 'pre_call' });
    await addFunction(other, receiver.box(), { phase: 'post_call' });
    await system.over(other, await system.call(other));
    await until('the runs of the dispatcher to be counted', async () =>
      (await figure('server_error', 'pre_call')) > before && (await figure('ok', 'post_call')) > after,
    );
  });
}

function trials(test) {
  test('a sample call is enough to try a function out, in each phase', async ({ system, receiver }) => {
    const customer = await system.customer();
    const box = receiver.box({ answer: json({ ok: false }) });
    const body = { who: '{{contact.name}}', plan: '{{info.plan}}', tier: '{{vars.tier}}', zone: '{{now | date: "%z"}}' };
    const sample = { contact: { name: 'Raj', number: '+919811111111' }, info: { plan: 3 }, vars: { tier: 'gold' } };
    const pre = await addFunction(customer, box, { phase: 'pre_call', body, save: { eligible: '$.ok' } });
    const shown = assertOk(await tryOut(customer, pre, { sample }));
    assert.deepEqual(box.arrivals[0].json, { who: 'Raj', plan: 3, tier: 'gold', zone: '+05:30' });
    assert.deepEqual([shown.rejected, shown.saved, shown.result, shown.trial], [true, { eligible: false }, { ok: false }, true]);
    assert.deepEqual([shown.call_id, shown.status, shown.error], [null, 200, null]);
    const post = await addFunction(customer, box, { phase: 'post_call', body: { s: '{{result.summary}}', o: '{{result.status}}' } });
    assertOk(await tryOut(customer, post, { sample: { result: { status: 'failed', summary: 'Nobody.' } } }));
    assert.deepEqual(box.arrivals[1].json, { s: 'Nobody.', o: 'failed' });
    assertOk(await tryOut(customer, post));
    const listed = assertOk(await customer.api.send('GET', `/v1/functions/${pre.function_id}/runs`));
    const { result, rejected, ...run } = shown;
    assert.deepEqual(listed, [run]);
    assert.deepEqual([result, rejected], [{ ok: false }, true]);
  });

  test('a server that sends back what it got shows nobody the secrets', async (context) => {
    const { system, customer, box, call, runs } = await conversation(context);
    box.answer = (request, response) => json({ got: request.headers })(request, response);
    const one = await addFunction(customer, box, { headers: { Authorization: 'Bearer hush-hush' } });
    const shown = await tryOut(customer, one);
    assert.equal(shown.json.data.result.got.authorization, '(hidden)');
    assert.equal(assertOk(await call(one.name, {})).result.got.authorization, 'Bearer hush-hush', 'a model gets it all');
    assert.equal((await runs()).length, 1);
    const post = await addFunction(customer, box, { phase: 'post_call', headers: { Authorization: 'Bearer hush-hush' } });
    await tryOut(customer, post);
    assert.doesNotMatch(shown.text, /hush/);
    assert.equal(await system.number(`SELECT COUNT(*) FROM function_runs WHERE response LIKE '%hush%'`), 0);
  });

  test('a call of the past will do, and keeps its variables', async (context) => {
    const { system, customer, box, callId, call, runs } = await conversation(context, { plan: 3 });
    const one = await addFunction(customer, box, { body: { plan: '{{info.plan}}' }, save: { a: '$.a' }, enabled: false });
    box.answer = json({ a: 1 });
    assertError(await call(one.name, {}), 404, 'not_found');
    const shown = assertOk(await tryOut(customer, one, { call_id: callId }));
    assert.deepEqual([shown.call_id, shown.saved], [callId, { a: 1 }]);
    assert.deepEqual(box.arrivals[0].json, { plan: 3 });
    assert.deepEqual(await variablesOf(system, callId), {});
    assert.deepEqual((await runs()).map(({ trial }) => trial), [true]);
  });

  test('what is wrong with a trial is said', async (context) => {
    const { system, receiver } = context;
    const customer = await system.customer();
    const box = receiver.box({ answer: answers.status(500) });
    const pre = await addFunction(customer, box, { phase: 'pre_call', retries: 3 });
    const inCall = await addFunction(customer, box, { parameters: { ...OBJECT, required: ['a'] } });
    const refused = async (one, body, says, status = 400, code = 'invalid_request') =>
      assertError(await tryOut(customer, one, body), status, code, says);
    await refused(pre, { sample: [] }, 'sample');
    await refused(pre, { sample: { contacts: {} } }, 'contacts');
    await refused(pre, { sample: { contact: { phone: 'x' } } }, 'sample.contact');
    await refused(pre, { sample: { info: 'x' } }, 'sample.info');
    await refused(pre, { sample: { result: {} } }, 'sample.result');
    await refused(pre, { arguments: {} }, 'arguments are for during_call');
    await refused(inCall, {}, 'arguments.a: is required');
    await refused(pre, { sample: {}, call_id: '01890000-0000-7000-8000-000000000000' }, 'not both');
    await refused(pre, { call_id: '01890000-0000-7000-8000-000000000000' }, undefined, 404, 'not_found');
    assert.equal(box.arrivals.length, 0);
    const shown = assertOk(await tryOut(customer, pre));
    assert.deepEqual([shown.error.code, shown.status, shown.result], ['server_error', 500, null]);
    assert.equal(box.arrivals.length, 1);
  });
}

export default suite('functions', { runs: 'faults', system: { settings }, width: 3 }, (test) => {
  resource(test);
  signing(test);
  during(test);
  faults(test);
  trials(test);
});
