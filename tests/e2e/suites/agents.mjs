// A workspace's agents: what they can be set to, by whom, and what becomes of their calls.
import assert from 'node:assert/strict';
import { assertError, assertKeysInOrder, TIME } from '../lib/expect.mjs';
import { allIds, assertOk, collection, refuseValues } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel } from '../lib/wait.mjs';

const agentsOf = (customer) => collection(customer.api, '/v1/agents');
const HOURS = { from: '10:00', to: '18:30', days: ['mon', 'fri'] };

const DEFAULTS = {
  prompt: '',
  greeting: '',
  language: 'en-IN',
  voice: '',
  carrier_id: null,
  from_number: null,
  start_delay_seconds: 0,
  ring_timeout_seconds: 45,
  max_duration_seconds: 900,
  max_attempts: 1,
  retry_on: ['busy', 'no_answer'],
  retry_gaps_minutes: [30],
  redial_on_unknown: false,
  calling_hours: null,
  outside_hours: 'hold',
  concurrent_calls: null,
  calls_per_day: null,
  enabled: true,
};

const GOOD = {
  name: ['Asha', 'म'.repeat(200)],
  prompt: ['Be brief.\nBe kind.', '', 'You talk to {{contact.name | default: "somebody"}}.'],
  greeting: ['Namaste!'],
  language: ['hi-IN', 'en', 'zh-Hant-TW'],
  voice: ['asha-2'],
  from_number: ['+911140000000', '1909', null],
  start_delay_seconds: [0, 2_592_000],
  ring_timeout_seconds: [1, 600],
  max_duration_seconds: [1, 86_400],
  max_attempts: [1, 20],
  retry_on: [['carrier_error'], [], ['busy', 'no_answer', 'carrier_error']],
  retry_gaps_minutes: [[1], [5, 60, 10_080]],
  redial_on_unknown: [true],
  calling_hours: [HOURS, null],
  outside_hours: ['disallow'],
  concurrent_calls: [1, 10_000, null],
  calls_per_day: [1, 10_000_000, null],
};

const BAD = {
  name: ['', null, 1, 'म'.repeat(201), 'a\nb'],
  prompt: [null, 'a\u0001', 1, 'Hi {{contact.name', '{{nobody.name}}', '{{args.x}}', '{{result.summary}}'],
  greeting: [[], 'x'.repeat(10_001)],
  language: ['e', 'en_IN', '', null, 'en-', '12'],
  voice: ['x'.repeat(101), false],
  from_number: ['12', 'a', '+', '+91 11', 1909, '1'.repeat(21)],
  start_delay_seconds: [-1, 2_592_001, 1.5, '1', null],
  ring_timeout_seconds: [0, 601],
  max_duration_seconds: [0, 86_401],
  max_attempts: [0, 21],
  retry_on: ['busy', ['rejected'], ['busy', 'busy'], null],
  retry_gaps_minutes: [[], [0], [10_081], 30, null, ['30'], Array(21).fill(1)],
  redial_on_unknown: [1, 'no', null],
  calling_hours: [
    {},
    [],
    '09:00-21:00',
    { ...HOURS, from: '25:00' },
    { ...HOURS, to: '09:00' },
    { ...HOURS, days: [] },
    { ...HOURS, days: ['monday'] },
    { ...HOURS, zone: 'UTC' },
  ],
  outside_hours: ['wait', null, 0],
  concurrent_calls: [0, 10_001, '1'],
  calls_per_day: [0, -1],
  enabled: [0, 'true', null],
  agent_id: ['agent_x'],
  workspace_id: ['ws_x'],
  created_at: ['2026-01-01T00:00:00Z'],
  updated_at: [null],
  deleted_at: [null],
};

function values(test) {
  test('an agent is made with defaults, and read and listed as it was made', async ({ system }) => {
    const customer = await system.customer();
    const agents = agentsOf(customer);
    const answer = await agents.create({ name: 'Asha' });
    const made = assertOk(answer, 201);
    assert.match(made.agent_id, /^agent_[0-9a-z]{26}$/);
    assert.ok(answer.headers.location.endsWith(`/v1/agents/${made.agent_id}`));
    assertKeysInOrder(made, ['agent_id', 'name', 'created_at', 'updated_at']);
    const { agent_id, name, created_at, updated_at, ...rest } = made;
    assert.deepEqual(rest, DEFAULTS);
    assert.match(created_at, TIME);
    assert.equal(updated_at, created_at);
    assert.deepEqual(assertOk(await agents.get(agent_id)), made);
    const listed = await agents.list();
    assert.deepEqual(listed.json.data[0], made);
    assert.equal(name, 'Asha');
  });

  test('every good value is taken and shown', async ({ system }) => {
    const agents = agentsOf(await system.customer());
    const rounds = Math.max(...Object.values(GOOD).map((list) => list.length));
    for (let i = 0; i < rounds; i++) {
      const body = Object.fromEntries(Object.entries(GOOD).map(([name, list]) => [name, list[i % list.length]]));
      const made = assertOk(await agents.create(body), 201);
      for (const [name, value] of Object.entries(body)) assert.deepEqual(made[name], value, name);
    }
  });

  test('every bad value is refused by the name of its field', async ({ system }) => {
    const customer = await system.customer();
    const agents = agentsOf(customer);
    const before = assertOk(await agents.get(customer.agent_id));
    await refuseValues((change) => agents.create({ name: 'a', ...change }), BAD);
    await refuseValues((change) => agents.change(customer.agent_id, change), BAD);
    assertError(await agents.create({}), 400, 'invalid_request', 'name');
    assertError(await agents.change(customer.agent_id, {}), 400, 'invalid_request');
    assert.deepEqual(assertOk(await agents.get(customer.agent_id)), before);
    assert.equal((await agents.list()).json.data.length, 1);
  });

  test('changes of different fields at the same time are all kept', async ({ system }) => {
    const customer = await system.customer();
    const agents = agentsOf(customer);
    const changes = [
      { name: 'new' },
      { prompt: 'p' },
      { max_attempts: 4 },
      { calling_hours: HOURS },
      { concurrent_calls: 3 },
      { retry_gaps_minutes: [1, 2] },
    ];
    await inParallel(6, changes, async (change) => assertOk(await agents.change(customer.agent_id, change)));
    const now = assertOk(await agents.get(customer.agent_id));
    for (const [name, value] of Object.entries(Object.assign({}, ...changes))) assert.deepEqual(now[name], value);
    assert.equal(now.language, 'en-IN');
  });
}

function lists(test) {
  test('lists are newest first, in pages, by whether they are enabled', async ({ system }) => {
    const customer = await system.customer();
    const agents = agentsOf(customer);
    const made = [];
    for (let i = 0; i < 6; i++)
      made.unshift(assertOk(await agents.create({ name: `a${i}`, enabled: i % 2 === 0 }), 201).agent_id);
    made.push(customer.agent_id);
    for (const limit of [1, 2, 7, 100]) assert.deepEqual(await allIds(agents.list, 'agent_id', limit), made);
    const off = (await agents.list({ enabled: 'false' })).json.data;
    assert.deepEqual(off.map(({ name }) => name), ['a5', 'a3', 'a1']);
    assert.equal((await agents.list({ enabled: 'true' })).json.data.length, 4);
    for (const query of [{ limit: 0 }, { limit: 101 }, { cursor: 'x' }, { enabled: 'yes' }, { name: 'a' }])
      assertError(await agents.list(query), 400, 'invalid_request', Object.keys(query)[0]);
  });
}

function owners(test) {
  test("another workspace's agents and carriers are not found", async ({ system }) => {
    const [one, two] = await Promise.all([system.customer(), system.customer()]);
    const agents = agentsOf(two);
    assertError(await agents.get(one.agent_id), 404, 'not_found');
    assertError(await agents.change(one.agent_id, { name: 'mine' }), 404, 'not_found');
    assertError(await agents.remove(one.agent_id), 404, 'not_found');
    assertError(await agents.act(one.agent_id, 'disable'), 404, 'not_found');
    for (const id of ['agent_x', 'x', one.workspace_id]) assertError(await agents.get(id), 404, 'not_found');
    const { carrier_id } = await system.admin(
      'carrier',
      'create',
      '--workspace',
      one.workspace_id,
      '--kind',
      'http',
      '--url',
      'https://example.com/dial',
    );
    assertError(await agents.create({ name: 'a', carrier_id }), 404, 'not_found', carrier_id);
    assertError(await agents.change(two.agent_id, { carrier_id }), 404, 'not_found', carrier_id);
    const own = agentsOf(one);
    assert.equal(assertOk(await own.change(one.agent_id, { carrier_id })).carrier_id, carrier_id);
    assert.equal(assertOk(await own.change(one.agent_id, { carrier_id: null })).carrier_id, null);
  });

  test('a key needs the scope "manage"', async ({ system }) => {
    const customer = await system.customer({ key: ['--scopes', 'calls'] });
    const agents = agentsOf(customer);
    for (const answer of [
      await agents.list(),
      await agents.get(customer.agent_id),
      await agents.create({ name: 'a' }),
      await agents.change(customer.agent_id, { name: 'a' }),
      await agents.remove(customer.agent_id),
      await agents.act(customer.agent_id, 'enable'),
    ])
      assertError(answer, 403, 'forbidden', 'manage');
  });
}

function switches(test) {
  test('from the answer on, a disabled agent disallows and a deleted one is unknown', async ({ system }) => {
    const customer = await system.customer();
    const agents = agentsOf(customer);
    const { agent_id } = customer;
    const call = () => customer.api.create({ agent_id, contact_number: freshNumber() });
    const later = await system.call(customer, { scheduled_at: new Date(Date.now() + 3_600_000).toISOString() });
    await call();
    for (let i = 0; i < 2; i++)
      assert.equal(assertOk(await agents.act(agent_id, 'disable')).enabled, false);
    const disallowed = await call();
    assert.equal(disallowed.json.data.status, 'disallowed');
    assert.equal(disallowed.json.data.error.code, 'agent_disabled');
    assert.equal(assertOk(await agents.act(agent_id, 'enable')).enabled, true);
    assert.equal(assertOk(await call(), 201).status, 'scheduled');
    assertError(await agents.act(agent_id, 'enable', { force: true }), 400, 'invalid_request', 'force');

    assert.deepEqual(assertOk(await agents.remove(agent_id)), { agent_id, deleted: true });
    assertError(await call(), 404, 'not_found', agent_id);
    assertError(await agents.get(agent_id), 404, 'not_found');
    assertError(await agents.remove(agent_id), 404, 'not_found');
    assertError(await agents.act(agent_id, 'enable'), 404, 'not_found');
    assert.deepEqual((await agents.list()).json.data, []);
    await system.makeDue(later);
    const over = await system.over(customer, later);
    assert.equal(over.error.code, 'agent_disabled');
    assert.ok((await customer.api.list({ agent_id })).json.data.length >= 3);
  });
}

export default suite('agents', { runs: 'core', width: 4 }, (test) => {
  values(test);
  lists(test);
  owners(test);
  switches(test);
});
