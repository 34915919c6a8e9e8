// Policy: hours, lines, caps and suppressed numbers stop a call or have it wait, with several
// dispatchers and while settings change. Dials are counted at the carrier, an outside program.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError } from '../lib/expect.mjs';
import { Api } from '../lib/http.mjs';
import { assertOk } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  place_timeout: '2s',
  lease_grace: '500ms',
  recheck_interval: '0ms',
  simulator_ring: '50ms',
  simulator_talk: '50ms',
  key_rate_per_minute: 0,
  workspace_rate_per_minute: 0,
};

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const ALWAYS = { from: '00:00', to: '24:00', days: DAYS };
// Hours of a day that is neither today nor near it, in any zone.
const never = () => ({ from: '09:00', to: '21:00', days: [DAYS[(new Date().getUTCDay() + 2) % 7]] });

const workspace = (customer, body) => customer.api.send('PATCH', '/v1/workspace', { body });
const agent = (customer, body) => customer.api.send('PATCH', `/v1/agents/${customer.agent_id}`, { body });
const carrierLimit = async (customer, body) =>
  assertOk(await customer.api.send('PATCH', `/v1/carriers/${customer.carrier_id}`, { body }));
const read = async (customer, id) => assertOk(await customer.api.send('GET', `/v1/calls/${id}`));

// A customer on a carrier that keeps each call until it is told to end it; any hour is good, and so is
// any number.
async function customerOn({ system, carriers, receiver }, limits = {}) {
  const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box(), policy: true });
  await customer.carrier.behave({ behaviour: { script: [] } });
  const free = { calling_hours: ALWAYS, number_gap_minutes: 0, number_calls_per_day: 1000, concurrent_calls: 1000 };
  assertOk(await workspace(customer, { ...free, ...limits }));
  return customer;
}

const held = (customer, id, reason) =>
  until(
    `${id} to be held for ${reason}`,
    async () => {
      const call = await read(customer, id);
      return call.hold_reason === reason && call;
    },
    { seen: () => read(customer, id) },
  );

const end = (customer, dial, reason = 'completed') => customer.carrier.tell(dial.token, { event: 'ended', reason });

// Dials that the carrier has and that it has not told the end of.
async function open(customer) {
  const dials = await customer.carrier.dials();
  return dials.filter(({ callbacks }) => !callbacks.some(({ event }) => event === 'ended'));
}

function hours(test) {
  test('outside hours a call waits, says so, and is placed when the hours are changed', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calling_hours: never() });
    const id = await system.call(customer);
    const call = await held(customer, id, 'outside_calling_hours');
    assert.equal(call.status, 'scheduled');
    assert.ok(Date.parse(call.scheduled_at) > Date.now() + 12 * 3_600_000, call.scheduled_at);
    assert.equal(new Date(Date.parse(call.scheduled_at) + 19_800_000).toISOString().slice(11, 16), '09:00');
    assert.deepEqual(await customer.carrier.dials(), []);
    assertOk(await workspace(customer, { calling_hours: ALWAYS }));
    await end(customer, await customer.carrier.asked(id));
    assert.equal((await system.over(customer, id)).status, 'completed');
  });

  test('a holiday is outside hours, for an agent with hours of its own too', async (context) => {
    const { system } = context;
    const today = (days) => new Date(Date.now() + 19_800_000 + days * 86_400_000).toISOString().slice(0, 10);
    const customer = await customerOn(context, { holidays: [today(0), today(1)] });
    assertOk(await agent(customer, { calling_hours: ALWAYS }));
    const call = await held(customer, await system.call(customer), 'outside_calling_hours');
    assert.equal(new Date(Date.parse(call.scheduled_at) + 19_800_000).toISOString(), `${today(2)}T00:00:00.000Z`);
  });

  test("an agent's own hours replace the workspace's, and may disallow instead of waiting", async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calling_hours: never() });
    assertOk(await agent(customer, { calling_hours: ALWAYS }));
    const first = await system.call(customer);
    await customer.carrier.asked(first);
    assertOk(await agent(customer, { calling_hours: never(), outside_hours: 'disallow' }));
    const second = await system.call(customer);
    const call = await system.over(customer, second);
    assert.deepEqual([call.status, call.error.code], ['disallowed', 'outside_calling_hours']);
    await until('its event', () => customer.box.types(second).includes('call.disallowed'));
    assert.deepEqual(await customer.carrier.dials(second), []);
  });

  test('calls that wait are judged anew when their agent goes to the simulator', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calling_hours: never() });
    const id = await system.call(customer);
    await held(customer, id, 'outside_calling_hours');
    assertOk(await agent(customer, { carrier_id: null }));
    assert.equal((await system.over(customer, id)).status, 'completed');
    assert.deepEqual(await customer.carrier.dials(), []);
  });

  test('a test key reaches no carrier, at any hour and with no line free', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { concurrent_calls: 1 });
    const first = await system.call(customer);
    await customer.carrier.asked(first);
    assertOk(await workspace(customer, { calling_hours: never() }));
    const key = await system.admin('key', 'create', '--workspace', customer.workspace_id, '--test');
    const tester = { ...customer, api: new Api(system.url, key.key) };
    const id = await system.call(tester);
    assert.equal((await system.over(tester, id)).status, 'completed');
    assert.deepEqual(await customer.carrier.dials(id), []);
  });
}

function numbers(test) {
  test('a number that is suppressed between creation and dialling is not dialled', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calling_hours: never() });
    const contact_number = freshNumber();
    const id = await system.call(customer, { contact_number });
    await held(customer, id, 'outside_calling_hours');
    assertOk(await customer.api.send('POST', '/v1/suppressed_numbers', { body: { contact_number } }), 201);
    assertOk(await workspace(customer, { calling_hours: ALWAYS }));
    const call = await system.over(customer, id);
    assert.deepEqual([call.status, call.error.code], ['disallowed', 'number_suppressed']);
    await until('its event', () => customer.box.types(id).includes('call.disallowed'));
    assert.deepEqual(await customer.carrier.dials(), []);
  });

  test('a call to a suppressed number is made as disallowed, and a repeat gets the same answer', async (context) => {
    const customer = await customerOn(context);
    const contact_number = freshNumber();
    assertOk(await customer.api.send('POST', '/v1/suppressed_numbers', { body: { contact_number } }), 201);
    const body = { agent_id: customer.agent_id, contact_number };
    const answers = [];
    for (let i = 0; i < 2; i++)
      answers.push(await customer.api.create(body, { 'Idempotency-Key': 'one' }));
    for (const answer of answers) {
      assert.equal(answer.status, 201, answer.text);
      assert.deepEqual([answer.json.data.status, answer.json.data.error.code], ['disallowed', 'number_suppressed']);
    }
    assert.equal(answers[0].json.data.call_id, answers[1].json.data.call_id);
    await until('its event', () => customer.box.types(answers[0].json.data.call_id).length === 1);
    assertOk(await customer.api.send('DELETE', `/v1/suppressed_numbers/${encodeURIComponent(contact_number)}`));
    const { data } = (await customer.api.create(body)).json;
    await customer.carrier.asked(data.call_id);
  });

  for (const number of ['+911401234567', '+911600123456', '+911800123456', '+911860123456'])
    test(`the service number ${number} makes a call that is disallowed`, async (context) => {
      const customer = await customerOn(context);
      const answer = await customer.api.create({ agent_id: customer.agent_id, contact_number: number });
      assert.equal(answer.status, 201, answer.text);
      const { call_id, status, error } = answer.json.data;
      assert.deepEqual([status, error.code], ['disallowed', 'number_type_not_allowed']);
      await until('its event', () => customer.box.types(call_id).includes('call.disallowed'));
      assert.equal((await read(customer, call_id)).error.code, 'number_type_not_allowed');
    });

  test('a workspace that calls mobiles alone calls no landline', async (context) => {
    const customer = await customerOn(context, { number_types: ['mobile'] });
    const make = async (contact_number) =>
      (await customer.api.create({ agent_id: customer.agent_id, contact_number })).json.data;
    assert.equal((await make('+911123456789')).error.code, 'number_type_not_allowed');
    assert.equal((await make(freshNumber())).status, 'scheduled');
  });

  test('a number is called so often a day, and not again within the gap', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { number_calls_per_day: 2, number_gap_minutes: 30 });
    const contact_number = freshNumber();
    const first = await system.call(customer, { contact_number });
    await customer.carrier.asked(first);
    const second = await system.call(customer, { contact_number });
    const call = await held(customer, second, 'number_gap');
    assert.ok(Math.abs(Date.parse(call.scheduled_at) - Date.now() - 1_800_000) < 60_000, call.scheduled_at);
    assertOk(await workspace(customer, { number_gap_minutes: 0 }));
    await customer.carrier.asked(second);
    const third = await system.over(customer, await system.call(customer, { contact_number }));
    assert.deepEqual([third.status, third.error.code], ['disallowed', 'daily_limit_exceeded']);
    assert.equal((await customer.carrier.dials()).length, 2);
  });

  test('calls of the day are counted together, and one more is disallowed', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calls_per_day: 2 });
    for (let i = 0; i < 2; i++) await customer.carrier.asked(await system.call(customer));
    const call = await system.over(customer, await system.call(customer));
    assert.deepEqual([call.status, call.error.code], ['disallowed', 'daily_limit_exceeded']);
  });
}

function lines(test) {
  test('two dispatchers never have more calls open than there are lines, killed or not', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { concurrent_calls: 2 });
    let second = system.dispatcher();
    const ids = [];
    for (let i = 0; i < 14; i++) ids.push(await system.call(customer));
    for (let ended = 0; ended < ids.length; ) {
      const now = await until('a call to be placed', async () => {
        const dials = await open(customer);
        assert.ok(dials.length <= 2, `${dials.length} calls are open`);
        return dials.length > 0 && dials;
      });
      if (ended === 6) {
        second.kill('SIGKILL');
        await second.ended();
        second = system.dispatcher();
      }
      const busy = await system.number(`SELECT COUNT(*) AS n FROM calls WHERE workspace_id =
        ${idSql(customer.workspace_id)} AND status IN ('initiated', 'ringing', 'in_progress')`);
      assert.ok(busy <= 2, `${busy} calls have a line`);
      await end(customer, now[0]);
      ended++;
    }
    for (const id of ids) assert.equal((await system.over(customer, id)).status, 'completed');
    assert.equal((await customer.carrier.dials()).length, ids.length);
    second.kill('SIGTERM');
    await second.ended();
  });

  test("calls that wait for a line say so; another agent's single call is next before a batch", async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { concurrent_calls: 2 });
    const other = await system.admin(
      'agent',
      'create',
      '--workspace',
      customer.workspace_id,
      '--name',
      'other',
      '--carrier',
      customer.carrier_id,
    );
    const later = new Date(Date.now() + 3_600_000).toISOString();
    for (let i = 0; i < 60; i++) await system.call(customer, { scheduled_at: later });
    await system.sql(`UPDATE calls SET batched = TRUE, scheduled_at = NOW(6), due_at = NOW(6)
      WHERE workspace_id = ${idSql(customer.workspace_id)}`);
    const two = await until('two of the batch', async () => {
      const dials = await open(customer);
      return dials.length === 2 && dials;
    });
    await until('the others to say that they wait', async () => {
      const n = await system.number(`SELECT COUNT(*) AS n FROM calls WHERE workspace_id =
        ${idSql(customer.workspace_id)} AND hold_reason = 'capacity'`);
      return n === 58;
    });
    const single = await system.call(customer, { agent_id: other.agent_id });
    await held(customer, single, 'capacity');
    await end(customer, two[0]);
    const next = await until('the next dial', async () => {
      const dials = await customer.carrier.dials();
      return dials.length === 3 && dials[2];
    });
    assert.equal(next.call_id, single);
  });

  test("a customer's full lines are nobody else's", async (context) => {
    const { system } = context;
    const full = await customerOn(context, { concurrent_calls: 1 });
    for (let i = 0; i < 5; i++) await system.call(full);
    await until('its line to be taken', async () => (await open(full)).length === 1);
    const customer = await customerOn(context);
    await customer.carrier.asked(await system.call(customer));
  });

  test("more lines are used when there are more; an agent's own limit holds too", async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { concurrent_calls: 1 });
    for (let i = 0; i < 5; i++) await system.call(customer);
    await until('one', async () => (await open(customer)).length === 1);
    assertOk(await agent(customer, { concurrent_calls: 3 }));
    assertOk(await workspace(customer, { concurrent_calls: 10 }));
    await until('three', async () => (await open(customer)).length === 3);
    assertOk(await agent(customer, { concurrent_calls: null }));
    await until('all', async () => (await open(customer)).length === 5);
  });

  test("a carrier's own lines are not overshot, and more are used once it has more", async (context) => {
    const { system } = context;
    const customer = await customerOn(context);
    await carrierLimit(customer, { concurrent_calls: 1 });
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await system.call(customer));
    const waits = await until('two to wait', async () => {
      const calls = await Promise.all(ids.map((id) => read(customer, id)));
      return calls.filter(({ hold_reason }) => hold_reason === 'agent_capacity').length === 2 && calls;
    });
    assert.equal(waits.filter(({ status }) => status === 'scheduled').length, 2);
    assert.equal((await open(customer)).length, 1);
    await carrierLimit(customer, { concurrent_calls: null });
    await until('all', async () => (await open(customer)).length === 3);
  });

  test("a carrier's pace holds with two dispatchers", async (context) => {
    const { system } = context;
    const customer = await customerOn(context);
    await carrierLimit(customer, { calls_per_second: 5 });
    const second = system.dispatcher();
    for (let i = 0; i < 12; i++) await system.call(customer);
    await until('all to be dialled', async () => (await customer.carrier.dials()).length === 12);
    const rows = await system.sql(`SELECT CAST(UNIX_TIMESTAMP(fenced_at) * 1000000 AS SIGNED) AS at FROM call_attempts
      WHERE workspace_id = ${idSql(customer.workspace_id)} ORDER BY fenced_at`);
    const at = rows.map((row) => Number(row.at));
    at.forEach((t, i) => assert.ok(at.filter((u) => u >= t && u < t + 1_000_000).length <= 5, `dial ${i}: ${at}`));
    second.kill('SIGTERM');
    await second.ended();
  });
}

function expiry(test) {
  test('a call that could not be placed by expires_at fails with expired', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { calling_hours: never() });
    const expires_at = new Date(Date.now() + 1500).toISOString();
    const id = await system.call(customer, { expires_at });
    assert.equal((await read(customer, id)).expires_at, expires_at);
    const call = await system.over(customer, id);
    assert.deepEqual([call.status, call.error.code], ['failed', 'expired']);
    assert.ok(call.completed_at >= expires_at);
    await until('its event', () => customer.box.types(id).includes('call.failed'));
    assert.deepEqual(customer.box.types(id), ['call.failed']);
    assert.deepEqual(await customer.carrier.dials(), []);
  });

  test('it expires while it waits for a line, and in a batch that is paused', async (context) => {
    const { system } = context;
    const customer = await customerOn(context, { concurrent_calls: 1 });
    const first = await customer.carrier.asked(await system.call(customer));
    const expires_at = new Date(Date.now() + 2000).toISOString();
    const waits = await system.call(customer, { expires_at });
    await held(customer, waits, 'capacity');
    const { batch_id } = assertOk(
      await customer.api.send('POST', '/v1/batches', {
        body: { agent_id: customer.agent_id, expires_at, contacts: [{ contact_number: freshNumber() }] },
      }),
      201,
    );
    assertOk(await customer.api.send('POST', `/v1/batches/${batch_id}/pause`));
    const [{ call_id }] = assertOk(await customer.api.send('GET', `/v1/calls?batch_id=${batch_id}`));
    await held(customer, call_id, 'batch_paused');
    for (const id of [waits, call_id]) {
      const call = await system.over(customer, id);
      assert.deepEqual([call.status, call.error.code], ['failed', 'expired']);
    }
    assert.equal((await customer.carrier.dials()).length, 1);
    await end(customer, first);
  });

  test('a call that is under way does not expire', async (context) => {
    const { system } = context;
    const customer = await customerOn(context);
    const id = await system.call(customer, { expires_at: new Date(Date.now() + 5000).toISOString() });
    const dial = await customer.carrier.asked(id);
    await system.sql(`UPDATE calls SET expires_at = NOW(6), expiry_due = NOW(6) WHERE call_id = ${idSql(id)}`);
    await until('its alarm to be taken off', () =>
      system.number(`SELECT expiry_due IS NULL AS n FROM calls WHERE call_id = ${idSql(id)}`),
    );
    assert.equal((await read(customer, id)).status, 'initiated');
    await end(customer, dial);
    assert.equal((await system.over(customer, id)).status, 'completed');
  });

  test('a bad expires_at is refused by name', async (context) => {
    const customer = await customerOn(context);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const past = new Date(Date.now() - 1000).toISOString();
    const cases = [
      { expires_at: past },
      { expires_at: 'tomorrow' },
      { expires_at: 1_700_000_000 },
      { expires_at: soon, scheduled_at: soon },
      { expires_at: '2199-01-01T00:00:00Z' },
    ];
    for (const one of cases)
      assertError(
        await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber(), ...one }),
        400,
        'invalid_request',
        'expires_at',
      );
    const null_ = await customer.api.create({
      agent_id: customer.agent_id,
      contact_number: freshNumber(),
      expires_at: null,
    });
    assert.equal(null_.status, 201, null_.text);
  });
}

export default suite(
  'policy',
  { runs: 'faults', weight: 30, width: 4, system: { settings } },
  (test) => {
    hours(test);
    numbers(test);
    lines(test);
    expiry(test);
  },
);
