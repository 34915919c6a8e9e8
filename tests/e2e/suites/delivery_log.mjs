// The log of events and deliveries: lists, one with its attempts, one made anew.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError, inCase, TIME } from '../lib/expect.mjs';
import { allIds, assertOk, collection } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

async function customerWith({ system, receiver }, { answer, webhook } = {}) {
  const customer = await system.customer({ box: receiver.box({ answer }), webhook, talks: false });
  customer.deliveries = collection(customer.api, '/v1/deliveries');
  customer.events = collection(customer.api, '/v1/events');
  customer.webhooks = collection(customer.api, '/v1/webhooks');
  return customer;
}

const listed = async (list, query) => assertOk(await list(query));

async function deliveryOf(customer, query, state) {
  return until(`a delivery ${JSON.stringify(query)} that is ${state}`, async () => {
    const [row] = await listed(customer.deliveries.list, query);
    return row?.state === state && row;
  });
}

function reading(test) {
  test('a delivery is listed and read with its attempts and the bytes that were sent', async (context) => {
    const customer = await customerWith(context, { answer: answers.status(201, {}, 'thank you\u00e9') });
    const call_id = await context.system.event(customer);
    const row = await deliveryOf(customer, { call_id }, 'succeeded');
    const arrival = await customer.box.arrival({ call: call_id });
    assert.match(row.delivery_id, /^dlv_[0-9a-z]{26}$/);
    for (const name of ['created_at', 'updated_at']) assert.match(row[name], TIME);
    const { delivery_id, created_at, updated_at, ...rest } = row;
    assert.deepEqual(rest, {
      webhook_id: customer.webhook_id,
      function_id: null,
      event_id: arrival.headers['webhook-id'],
      event_type: 'call.disallowed',
      call_id,
      state: 'succeeded',
      in_flight: false,
      attempt_count: 1,
      last_status: 201,
      last_error: null,
      next_attempt_at: null,
    });
    const answer = await customer.deliveries.get(delivery_id);
    const { payload, attempts, ...same } = assertOk(answer);
    assert.deepEqual(same, row);
    assert.deepEqual(payload, arrival.json);
    assert.ok(answer.text.includes(`"payload":${arrival.text},`), 'byte by byte, in the order of its keys');
    assert.equal(attempts.length, 1);
    assert.match(attempts[0].started_at, TIME);
    const { started_at, duration_ms, ...attempt } = attempts[0];
    assert.ok(duration_ms >= 0);
    assert.deepEqual(attempt, { status: 201, error: null, detail: null, response: 'thank you\u00e9' });
    assert.ok(updated_at >= created_at);
  });

  test('an event is listed and read as it was sent, with its deliveries', async (context) => {
    const customer = await customerWith(context);
    const other = context.receiver.box();
    assertOk(await customer.webhooks.create({ url: other.url }), 201);
    const call_id = await context.system.event(customer);
    const arrival = await customer.box.arrival({ call: call_id });
    await context.system.settled(customer.workspace_id);
    const [event] = await listed(customer.events.list, { call_id });
    assert.deepEqual(Object.keys(event), ['event_id', 'event_type', 'call_id', 'created_at']);
    assert.equal(event.event_id, arrival.json.event_id);
    assert.equal(event.created_at, arrival.json.created_at);
    const answer = await customer.events.get(event.event_id);
    const { payload, deliveries, ...same } = assertOk(answer);
    assert.deepEqual(same, event);
    assert.deepEqual(payload, arrival.json);
    assert.ok(answer.text.includes(`"payload":${arrival.text},`));
    assert.equal(deliveries.length, 2);
    assert.deepEqual(deliveries, await listed(customer.deliveries.list, { event_id: event.event_id }));
  });

  test('an answer that is no text, or cut within a character, can be read', async (context) => {
    for (const [bytes, shown] of [
      [Buffer.from([0x61, 0x00, 0xff, 0xfe, 0x62]), 'a\u0000??b'],
      [Buffer.concat([Buffer.alloc(4095, 'x'), Buffer.from('\u00e9')]), 'x'.repeat(4095)],
    ]) {
      const customer = await customerWith(context, { answer: answers.status(200, {}, bytes) });
      const call_id = await context.system.event(customer);
      const { delivery_id } = await deliveryOf(customer, { call_id }, 'succeeded');
      assert.equal(assertOk(await customer.deliveries.get(delivery_id)).attempts[0].response, shown);
    }
  });
}

function lists(test) {
  test('deliveries and events are listed newest first, in pages, by every filter and two at once', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    const second = context.receiver.box({ answer: answers.status(500) });
    const made = assertOk(
      await customer.webhooks.create({ url: second.url, events: ['call.disallowed'] }),
      201,
    );
    const calls = [];
    for (let i = 0; i < 5; i++) calls.push(await system.event(customer));
    await until('the first endpoint to have all', async () => {
      const rows = await listed(customer.deliveries.list, { webhook_id: customer.webhook_id });
      return rows.length === 5 && rows.every(({ state }) => state === 'succeeded');
    });
    const all = await listed(customer.deliveries.list, { limit: 100 });
    assert.equal(all.length, 10);
    const times = all.map(({ created_at }) => created_at);
    assert.deepEqual(times, times.toSorted().reverse());
    const ids = (rows) => rows.map(({ delivery_id }) => delivery_id);
    assert.deepEqual(await allIds(customer.deliveries.list, 'delivery_id', 3), ids(all));
    const [one] = all;
    const middle = all[4].created_at;
    const filters = {
      webhook: [{ webhook_id: made.webhook_id }, (d) => d.webhook_id === made.webhook_id],
      event: [{ event_id: one.event_id }, (d) => d.event_id === one.event_id],
      call: [{ call_id: calls[2] }, (d) => d.call_id === calls[2]],
      waiting: [{ state: 'waiting' }, (d) => d.webhook_id === made.webhook_id],
      succeeded: [{ state: 'succeeded' }, (d) => d.webhook_id === customer.webhook_id],
      dropped: [{ state: 'dropped' }, () => false],
      after: [{ created_after: middle }, (d) => d.created_at >= middle],
      before: [{ created_before: middle }, (d) => d.created_at < middle],
    };
    for (const [a, [query, holds]] of Object.entries(filters))
      for (const [b, [other, alsoHolds]] of Object.entries(filters))
        await inCase(`${a} and ${b}`, async () => {
          const wanted = all.filter((row) => holds(row) && alsoHolds(row));
          const query2 = { ...query, ...other, limit: 100 };
          if (Object.keys(query2).length - 1 < Object.keys(query).length + Object.keys(other).length && a !== b) return;
          assert.deepEqual(ids(await listed(customer.deliveries.list, query2)), ids(wanted));
          const paged = (page) => customer.deliveries.list({ ...query2, ...page });
          assert.deepEqual(await allIds(paged, 'delivery_id', 2), ids(wanted));
        });
    const events = await listed(customer.events.list);
    assert.deepEqual(
      events.map(({ call_id }) => call_id),
      calls.toReversed(),
    );
    assert.deepEqual(
      await allIds(customer.events.list, 'event_id', 2),
      events.map(({ event_id }) => event_id),
    );
    const count = async (query) => (await listed(customer.events.list, query)).length;
    assert.equal(await count({ event_type: 'call.disallowed' }), 5);
    assert.equal(await count({ event_type: 'call.failed' }), 0);
    assert.equal(await count({ call_id: calls[1], event_type: 'call.disallowed' }), 1);
    assert.equal(await count({ created_before: events[1].created_at }), 3);
  });

  test('bad parameters are refused by name', async (context) => {
    const customer = await customerWith(context);
    const bad = {
      webhook_id: 'we_x',
      event_id: customer.webhook_id,
      call_id: '1',
      state: 'lost',
      created_after: 'today',
      created_before: '1',
      limit: '101',
      cursor: 'x',
      type: 'a',
    };
    for (const [name, value] of Object.entries(bad))
      await inCase(name, async () =>
        assertError(await customer.deliveries.list({ [name]: value }), 400, 'invalid_request', name),
      );
    for (const name of ['event_type', 'call_id', 'created_after', 'state'])
      assertError(await customer.events.list({ [name]: 'x' }), 400, 'invalid_request', name);
  });

  test("another workspace's deliveries and events are not there", async (context) => {
    const [mine, other] = [await customerWith(context), await customerWith(context)];
    const call_id = await context.system.event(other);
    const row = await deliveryOf(other, { call_id }, 'succeeded');
    assertError(await mine.deliveries.get(row.delivery_id), 404, 'not_found');
    assertError(await mine.deliveries.act(row.delivery_id, 'replay'), 404, 'not_found');
    assertError(await mine.events.get(row.event_id), 404, 'not_found');
    for (const query of [{}, { call_id }, { event_id: row.event_id }, { webhook_id: row.webhook_id }])
      assert.deepEqual(await listed(mine.deliveries.list, query), []);
    assert.deepEqual(await listed(mine.events.list, { call_id }), []);
    for (const id of ['dlv_x', row.event_id]) assertError(await mine.deliveries.get(id), 404, 'not_found');
  });
}

function anew(test) {
  test('a delivery made anew brings the same bytes under the same id, and its log both attempts', async (context) => {
    const customer = await customerWith(context);
    const call_id = await context.system.event(customer);
    const first = await deliveryOf(customer, { call_id }, 'succeeded');
    const again = assertOk(await customer.deliveries.act(first.delivery_id, 'replay'));
    assert.equal(again.delivery_id, first.delivery_id);
    await customer.box.count(2);
    await deliveryOf(customer, { call_id }, 'succeeded');
    const [one, two] = customer.box.arrivals;
    assert.deepEqual(two.body, one.body);
    assert.equal(two.headers['webhook-id'], one.headers['webhook-id']);
    customer.box.assertSigned();
    const read = await until('both attempts', async () => {
      const row = assertOk(await customer.deliveries.get(first.delivery_id));
      return row.attempts.length === 2 && row;
    });
    assert.equal(read.attempt_count, 2);
    assert.ok(read.attempts[0].started_at <= read.attempts[1].started_at);
  });

  test('one that waits or is in flight is not made anew', async (context) => {
    const hold = answers.hold();
    const customer = await customerWith(context, { answer: hold });
    const call_id = await context.system.event(customer);
    await until('it to be under way', () => customer.box.inFlight === 1);
    const [row] = await listed(customer.deliveries.list, { call_id });
    assert.deepEqual([row.state, row.in_flight], ['waiting', true]);
    assertError(await customer.deliveries.act(row.delivery_id, 'replay'), 409, 'conflict');
    hold.release();
    await deliveryOf(customer, { call_id }, 'succeeded');
    assertOk(await customer.webhooks.act(customer.webhook_id, 'pause'));
    const waits = assertOk(await customer.deliveries.act(row.delivery_id, 'replay'));
    assert.deepEqual([waits.state, waits.in_flight], ['waiting', false]);
    assertError(await customer.deliveries.act(row.delivery_id, 'replay'), 409, 'conflict');
    assert.equal(customer.box.arrivals.length, 1);
    assertOk(await customer.webhooks.act(customer.webhook_id, 'resume'));
    await customer.box.count(2);
  });

  test('of ten requests at once one makes it anew', async (context) => {
    const customer = await customerWith(context);
    const call_id = await context.system.event(customer);
    const { delivery_id } = await deliveryOf(customer, { call_id }, 'succeeded');
    assertOk(await customer.webhooks.act(customer.webhook_id, 'pause'));
    const all = await Promise.all(
      Array.from({ length: 10 }, () => customer.deliveries.act(delivery_id, 'replay')),
    );
    assert.deepEqual(all.map(({ status }) => status).sort(), [200, ...Array(9).fill(409)]);
  });

  test('of an endpoint that was deleted nothing is made anew, and its log can be read', async (context) => {
    const customer = await customerWith(context);
    const call_id = await context.system.event(customer);
    const { delivery_id } = await deliveryOf(customer, { call_id }, 'succeeded');
    assertOk(await customer.webhooks.remove(customer.webhook_id));
    assertError(await customer.deliveries.act(delivery_id, 'replay'), 409, 'conflict');
    const [row] = await listed(customer.deliveries.list, { webhook_id: customer.webhook_id });
    assert.equal(row.delivery_id, delivery_id);
    assert.equal(assertOk(await customer.deliveries.get(delivery_id)).attempts.length, 1);
  });

  test('one whose event is not kept any more is told of, and not made anew', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    const call_id = await system.event(customer);
    const { delivery_id } = await deliveryOf(customer, { call_id }, 'succeeded');
    await system.sql(`DELETE FROM events WHERE workspace_id = ${idSql(customer.workspace_id)}`);
    const row = assertOk(await customer.deliveries.get(delivery_id));
    assert.deepEqual([row.payload, row.event_type, row.call_id], [null, null, null]);
    assertError(await customer.deliveries.act(delivery_id, 'replay'), 409, 'conflict');
  });
}

export default suite('delivery_log', { runs: 'core', width: 4 }, (test) => {
  reading(test);
  lists(test);
  anew(test);
});
