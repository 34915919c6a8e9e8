// A workspace's settings as its members see and change them, and what it used.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError, assertKeysInOrder } from '../lib/expect.mjs';
import { assertOk, refuseValues } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel } from '../lib/wait.mjs';

const read = async (customer) => assertOk(await customer.api.send('GET', '/v1/workspace'));
const change = (customer, body) => customer.api.send('PATCH', '/v1/workspace', { body });
const usage = (customer, query = '') => customer.api.send('GET', `/v1/usage${query}`);
const ALL_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const HOURS = { from: '10:00', to: '24:00', days: ['sat'] };

function settings(test) {
  test('it comes with defaults', async ({ system }) => {
    const customer = await system.customer();
    const { workspace_id, created_at, updated_at, ...rest } = await read(customer);
    assert.equal(workspace_id, customer.workspace_id);
    assert.ok(updated_at >= created_at);
    assert.deepEqual(rest, {
      name: 'a customer',
      status: 'active',
      time_zone: 'Asia/Kolkata',
      calling_hours: { from: '09:00', to: '21:00', days: ALL_DAYS },
      holidays: [],
      calls_per_day: null,
      concurrent_calls: 10,
      number_calls_per_day: 3,
      number_gap_minutes: 30,
      number_types: ['mobile', 'landline'],
      retention_days: 90,
      has_signing_secret: false,
      key_rate_per_minute: null,
      rate_per_minute: null,
    });
  });

  test('good values are taken, and what is not given is kept', async ({ system }) => {
    const customer = await system.customer();
    const good = {
      name: ['Acme', 'म'.repeat(200)],
      time_zone: ['Europe/Berlin', 'UTC', 'Asia/Kolkata'],
      calling_hours: [HOURS],
      holidays: [['2026-01-26', '2026-08-15'], []],
      calls_per_day: [1, 10_000_000, null],
      concurrent_calls: [1, 10_000],
      number_calls_per_day: [1, 1000],
      number_gap_minutes: [10_080, 0],
      number_types: [['mobile'], ['landline'], ['mobile', 'landline']],
      retention_days: [1, 3650],
    };
    let expected = await read(customer);
    for (const [field, values] of Object.entries(good))
      for (const value of values) {
        const now = assertOk(await change(customer, { [field]: value }));
        expected = { ...expected, [field]: value, updated_at: now.updated_at };
        assert.deepEqual(now, expected);
      }
    assert.deepEqual(await read(customer), expected);
    const days = ['2026-08-15', '2026-01-26', '2026-08-15'];
    assert.deepEqual(assertOk(await change(customer, { holidays: days })).holidays, ['2026-01-26', '2026-08-15']);
  });

  test('a gap that is longer than dials are kept is refused, from both sides', async ({ system }) => {
    const customer = await system.customer();
    assertOk(await change(customer, { retention_days: 1, number_gap_minutes: 1440 }));
    for (const [field, value] of [['number_gap_minutes', 1441], ['retention_days', 1]]) {
      if (field === 'retention_days') assertOk(await change(customer, { retention_days: 2, number_gap_minutes: 1441 }));
      const refused = await change(customer, { [field]: value });
      assertError(refused, 400, 'invalid_request', /number_gap_minutes must not be over retention_days/);
    }
    assert.deepEqual([(await read(customer)).retention_days, (await read(customer)).number_gap_minutes], [2, 1441]);
  });

  test('bad values, and what only the operator sets, are refused by name', async ({ system }) => {
    const customer = await system.customer();
    const before = await read(customer);
    await refuseValues((body) => change(customer, body), {
      name: ['', null, 'x'.repeat(201), 1],
      time_zone: ['', 'Asia/Nowhere', '/etc/passwd', '../UTC', 'Asia', 'posix/UTC', '+05:30', null],
      calling_hours: [null, {}, { ...HOURS, from: '9:00' }, { ...HOURS, days: [] }, { ...HOURS, to: '09:00' }],
      holidays: [null, '2026-01-26', ['2026-02-30'], [20260126], Array(367).fill('2026-01-26')],
      calls_per_day: [0, 1.5],
      concurrent_calls: [0, null, 10_001],
      number_calls_per_day: [0, null],
      number_gap_minutes: [-1, 10_081],
      number_types: [[], null, ['service'], 'mobile'],
      retention_days: [0, 3651, null],
      status: ['suspended', 'active', null],
      key_rate_per_minute: [6000],
      rate_per_minute: [null],
      workspace_id: ['ws_x'],
      created_at: [null],
    });
    assertError(await change(customer, {}), 400, 'invalid_request');
    assert.deepEqual(await read(customer), before);
  });

  test('changes of different fields at the same time are all kept', async ({ system }) => {
    const customer = await system.customer();
    const changes = [{ name: 'n' }, { retention_days: 7 }, { calling_hours: HOURS }, { calls_per_day: 5 }];
    await inParallel(4, changes, async (one) => assertOk(await change(customer, one)));
    const now = await read(customer);
    for (const [name, value] of Object.entries(Object.assign({}, ...changes))) assert.deepEqual(now[name], value);
  });

  test('a key needs the scope "manage"', async ({ system }) => {
    const customer = await system.customer({ key: ['--scopes', 'calls'] });
    for (const answer of [
      await customer.api.send('GET', '/v1/workspace'),
      await change(customer, { name: 'a' }),
      await usage(customer),
    ])
      assertError(answer, 403, 'forbidden', 'manage');
  });
}

function used(test) {
  test('usage counts by day what is there and what was deleted', async ({ system }) => {
    const customer = await system.customer({ talks: false });
    const other = await system.customer({ talks: false });
    const calls = await system.events(customer, 3);
    await system.events(other, 1);
    const which = `workspace_id = ${idSql(customer.workspace_id)}`;
    await system.sql(`UPDATE calls SET created_at = '2025-03-01 23:59:59.9', status = 'completed', duration_seconds = 61
      WHERE call_id = ${idSql(calls[0])}`);
    await system.sql(`UPDATE calls SET created_at = '2025-03-02', status = 'cancelled' WHERE call_id = ${idSql(calls[1])}`);
    await system.sql(`UPDATE events SET created_at = '2025-03-02' WHERE ${which}`);
    await system.sql(`INSERT INTO usage_days VALUES (${idSql(customer.workspace_id)}, '2025-03-01', 10, 5, 3, 1, 1, 600, 12)`);
    const days = assertOk(await usage(customer, '?from=2025-02-28&to=2025-03-02'));
    const none = { calls: 0, completed: 0, failed: 0, cancelled: 0, disallowed: 0, talk_seconds: 0, events: 0 };
    assert.deepEqual(days, [
      { date: '2025-02-28', ...none },
      { date: '2025-03-01', calls: 11, completed: 6, failed: 3, cancelled: 1, disallowed: 1, talk_seconds: 661, events: 12 },
      { date: '2025-03-02', ...none, calls: 1, cancelled: 1, events: 3 },
    ]);
    assertKeysInOrder(days[0], ['date', ...Object.keys(none)]);
    const month = assertOk(await usage(customer));
    assert.equal(month.length, 30);
    assert.equal(month.at(-1).disallowed + month.at(-2).disallowed, 1);
  });

  test('days that are none, or too many, are refused', async ({ system }) => {
    const customer = await system.customer();
    const day = (query, says) => async () => assertError(await usage(customer, query), 400, 'invalid_request', says);
    await inParallel(
      3,
      [
        day('?from=2026-02-30', 'from'),
        day('?to=yesterday', 'to'),
        day('?from=2026-02-02&to=2026-02-01', 'to'),
        day('?from=2025-01-01&to=2026-01-02', '365'),
        day('?days=3', 'days'),
      ],
      (check) => check(),
    );
    assert.equal(assertOk(await usage(customer, '?from=2025-01-01&to=2026-01-01')).length, 366);
    assert.equal(assertOk(await usage(customer, '?from=2025-01-01')).length, 30);
  });
}

function erasing(test) {
  const erase = (customer, number) => customer.api.send('DELETE', `/v1/contacts/${encodeURIComponent(number)}`);

  test('a contact is erased everywhere, once, and others are left alone', async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box(), talks: false });
    const number = freshNumber();
    const details = { contact_name: 'Raj Patel', contact_email: 'raj@example.com', additional_info: { note: 'private' } };
    const made = await system.call(customer, { contact_number: number, ...details });
    const other = await system.call(customer, { contact_number: freshNumber(), ...details });
    await system.admin('webhook', 'pause', customer.webhook_id);
    const waits = await system.call(customer, { contact_number: number, ...details });
    await system.admin('agent', 'enable', customer.agent_id);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = await system.call(customer, { contact_number: number, scheduled_at: later, ...details });

    assert.deepEqual(assertOk(await erase(customer, number)), { calls: 3, events: 2 });
    assert.deepEqual(assertOk(await erase(customer, number)), { calls: 0, events: 0 });
    for (const id of [made, waits, scheduled]) {
      const call = assertOk(await customer.api.get(id));
      for (const word of [number, 'Raj', 'raj@', 'private']) assert.ok(!JSON.stringify(call).includes(word), word);
      assert.equal(call.contact_number, '');
    }
    assert.equal(assertOk(await customer.api.get(scheduled)).status, 'cancelled');
    assert.equal(assertOk(await customer.api.get(other)).contact_name, 'Raj Patel');
    const row = (id) => system.sql(`SELECT CAST(body AS CHAR) AS body FROM events WHERE call_id = ${idSql(id)}`);
    const [event] = await row(made);
    const { event_id, event_type, created_at, ...rest } = JSON.parse(event.body);
    assert.match(event_id, /^evt_/);
    assert.ok(event_type && created_at);
    assert.deepEqual(rest, { data: { call_id: made }, erased: true });
    assert.match((await row(other))[0].body, /phone_number/);
    assert.equal((await system.delivery(waits)).state, 'dropped');
    assert.equal(await system.number(`SELECT COUNT(*) AS n FROM calls WHERE contact_number = '${number}'`), 0);
    assert.equal((await customer.api.list()).json.data.length, 4);
  });

  test('a contact is not erased while one of its calls is under way, nor in another workspace', async ({ system }) => {
    const [customer, other] = await Promise.all([system.customer({ talks: false }), system.customer({ talks: false })]);
    const number = freshNumber();
    const call = await system.call(customer, { contact_number: number });
    await system.sql(`UPDATE calls SET status = 'in_progress' WHERE call_id = ${idSql(call)}`);
    assertError(await erase(customer, number), 409, 'conflict');
    assert.deepEqual(assertOk(await erase(other, number)), { calls: 0, events: 0 });
    assert.equal(assertOk(await customer.api.get(call)).contact_number, number);
    await system.sql(`UPDATE calls SET status = 'completed' WHERE call_id = ${idSql(call)}`);
    assert.deepEqual(assertOk(await erase(customer, number)), { calls: 1, events: 1 });
    assertError(await erase(customer, '12345'), 400, 'invalid_request', 'number');
  });
}

export default suite('workspace', { runs: 'core', width: 4 }, (test) => {
  settings(test);
  used(test);
  erasing(test);
});
