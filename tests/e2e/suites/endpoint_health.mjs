// How much an endpoint is sent at once, when it is held, when it is disabled. Each test runs a
// dispatcher of its own with the settings it is about.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { patient, until } from '../lib/wait.mjs';

const settings = {
  retry_schedule: '0s, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms',
  retry_jitter_percent: '0',
  poll_interval: '100ms',
  lease_grace: '500ms',
};

async function setUp({ system, receiver }, { answer, webhook = ['--timeout', '5'], events }) {
  const customer = await system.customer({ box: receiver.box({ answer }), webhook, talks: false });
  const calls = await system.events(customer, events);
  return { customer, box: customer.box, calls, webhookId: customer.webhook_id };
}

// A resident dispatcher for the test; it is stopped in the end and must have ended well.
function resident({ system, defer }, changes) {
  const program = system.dispatcher({ settings: changes });
  defer(async () => assert.equal((await program.kill('SIGTERM')).code, 0));
  return program;
}

const gaps = (arrivals) => arrivals.slice(1).map((arrival, i) => arrival.at - arrivals[i].at);

// What all deliveries of the endpoint have used of the schedule.
const positions = (system, webhookId) =>
  system.number(`SELECT SUM(position) FROM deliveries WHERE destination_id = ${idSql(webhookId)}`);

function windows(test) {
  test('an endpoint gets five at first, one more with each success, never over max_in_flight', async (context) => {
    const [first, second] = [answers.hold(), answers.hold()];
    const { box, customer } = await setUp(context, {
      answer: first,
      webhook: ['--timeout', '5', '--max-in-flight', '8'],
      events: 60,
    });
    const markers = await setUp(context, { events: 1 });
    resident(context, {});
    await until('five to be under way', () => box.inFlight === 5, { seen: () => box.inFlight });
    await markers.box.count(1);
    assert.equal(box.inFlightMax, 5);
    box.answer = second;
    first.release();
    await until('eight to be under way', () => box.inFlight === 8, { seen: () => box.inFlight });
    await context.system.event(markers.customer);
    await markers.box.count(2);
    assert.equal(box.inFlight, 8);
    second.release();
    await context.system.settled(customer.workspace_id);
    assert.deepEqual([box.arrivals.length, box.inFlightMax], [60, 8]);
  });

  test('max_in_flight below the first window is kept to', async (context) => {
    const hold = answers.hold();
    const { box, customer } = await setUp(context, {
      answer: hold,
      webhook: ['--timeout', '5', '--max-in-flight', '2'],
      events: 20,
    });
    const marker = await setUp(context, { events: 1 });
    resident(context, {});
    await until('two to be under way', () => box.inFlight === 2);
    await marker.box.count(1);
    assert.equal(box.inFlight, 2);
    hold.release();
    await context.system.settled(customer.workspace_id);
    assert.deepEqual([box.inFlightMax, box.arrivals.length], [2, 20]);
  });

  test('all endpoints together stay within deliveries_in_flight_max', async (context) => {
    const hold = answers.hold();
    const endpoints = [];
    for (let i = 0; i < 4; i++) endpoints.push(await setUp(context, { answer: hold, events: 6 }));
    const inFlight = () => endpoints.reduce((sum, { box }) => sum + box.inFlight, 0);
    resident(context, { deliveries_in_flight_max: '10' });
    await until('ten to be under way', () => inFlight() === 10, { seen: inFlight });
    assert.ok(
      endpoints.filter(({ box }) => box.inFlight > 0).length >= 3,
      'no endpoint takes the whole room',
    );
    // an operator's look at the table: nothing more is claimed than is under way
    assert.equal(await context.system.number('SELECT COUNT(*) FROM deliveries WHERE owner <> 0'), 10);
    hold.release();
    for (const { customer } of endpoints) await context.system.settled(customer.workspace_id);
    assert.deepEqual(
      endpoints.map(({ box }) => box.arrivals.length),
      [6, 6, 6, 6],
    );
  });
}

function holds(test) {
  test('an endpoint that fails is held and probed singly, at doubling waits, and recovers with nothing lost', async (context) => {
    const { system } = context;
    const { box, customer, calls, webhookId } = await setUp(context, {
      answer: answers.status(500),
      events: 12,
    });
    resident(context, { hold_after_failures: '3', hold_first: '300ms', hold_max: '1200ms' });
    await until('the endpoint to be held', async () => (await system.endpointRow(webhookId)).held_until);
    // the first window was under way when the hold began
    const before = await until(
      'the first window to be answered',
      () => box.inFlight === 0 && box.arrivals.length,
    );
    assert.ok(before >= 3 && before <= 5, `${before} requests before the hold`);
    await until('four probes', () => box.arrivals.length >= before + 4, {
      within: 15_000,
      seen: () => box.arrivals.length - before,
    });
    const waits = gaps(box.arrivals.slice(before - 1, before + 4));
    [300, 600, 1200, 1200].forEach((wait, i) => {
      assert.ok(
        waits[i] >= wait * 0.9 && waits[i] < wait + patient(1500),
        `probe ${i + 1} came after ${waits[i]} ms, not ${wait}`,
      );
    });
    await until(
      "the probe's result to be written",
      async () => (await positions(system, webhookId)) === box.arrivals.length,
      {
        seen: async () => `${await positions(system, webhookId)} positions, ${box.arrivals.length} requests`,
      },
    );
    box.answer = answers.status(200);
    await system.settled(customer.workspace_id);
    assert.deepEqual(
      calls.map((call) => box.of({ call }).length >= 1),
      Array(12).fill(true),
    );
    const row = await system.endpointRow(webhookId);
    assert.deepEqual([row.status, row.failures, row.held_until], ['enabled', '0', null]);
    box.assertSigned();
  });

  test('a hold outlives the dispatcher: a run from cron sends a held endpoint nothing and burns no attempt', async (context) => {
    const { system } = context;
    const { box, webhookId } = await setUp(context, { answer: answers.status(500), events: 12 });
    const changes = { hold_after_failures: '3', hold_first: '60s' };
    assert.equal((await system.once({ settings: changes })).code, 0);
    const [sent, used] = [box.arrivals.length, await positions(system, webhookId)];
    assert.ok((await system.endpointRow(webhookId)).held_until, 'held');
    assert.ok(sent >= 3 && sent <= 5, `${sent} requests`);
    const marker = await setUp(context, { events: 1 });
    assert.equal((await system.once({ settings: changes })).code, 0);
    assert.equal(marker.box.arrivals.length, 1);
    assert.deepEqual([box.arrivals.length, await positions(system, webhookId)], [sent, used]);
    await system.admin('webhook', 'disable', webhookId);
  });

  test('a success between failures starts the count anew', async (context) => {
    const { system } = context;
    const twice = Array(2).fill(answers.status(500));
    const { box, customer, webhookId } = await setUp(context, {
      answer: answers.inTurn(
        ...twice,
        answers.status(200),
        ...twice,
        answers.status(200),
        ...twice,
        answers.status(200),
      ),
      webhook: ['--timeout', '5', '--max-in-flight', '1'],
      events: 3,
    });
    resident(context, { hold_after_failures: '3', hold_first: '30s' });
    await system.settled(customer.workspace_id);
    assert.equal(box.arrivals.length, 9);
    assert.equal((await system.endpointRow(webhookId)).held_until, null);
  });

  test('while one endpoint is held another is served', async (context) => {
    const { system } = context;
    const bad = await setUp(context, { answer: answers.status(500), events: 8 });
    const good = await setUp(context, { events: 20 });
    resident(context, { hold_after_failures: '2', hold_first: '20s' });
    await good.box.count(20);
    await until('the bad one to be held', async () => (await system.endpointRow(bad.webhookId)).held_until);
    assert.ok(bad.box.arrivals.length <= 5);
    await system.admin('webhook', 'disable', bad.webhookId);
  });
}

function disabling(test) {
  test('an endpoint that fails often and for long is disabled; enabling sends what waited', async (context) => {
    const { system } = context;
    const { box, customer, calls, webhookId } = await setUp(context, {
      answer: answers.status(500),
      events: 6,
    });
    resident(context, { hold_after_failures: '1000', disable_after_failures: '8', disable_after: '10ms' });
    await until(
      'the endpoint to be disabled',
      async () => (await system.endpointRow(webhookId)).status === 'disabled',
      { seen: () => system.endpointRow(webhookId) },
    );
    assert.ok((await system.endpointRow(webhookId)).status_reason);
    await until('what was under way to be over', () => box.inFlight === 0);
    const marker = await setUp(context, { events: 1 });
    await marker.box.count(1);
    const tried = box.arrivals.length;
    assert.ok(tried >= 8 && tried <= 13, `${tried} requests`);
    box.answer = answers.status(200);
    await system.admin('webhook', 'enable', webhookId);
    await system.settled(customer.workspace_id);
    assert.deepEqual(
      calls.map((call) => box.of({ call }).length >= 1),
      Array(6).fill(true),
    );
    const row = await system.endpointRow(webhookId);
    assert.deepEqual([row.status, row.failures], ['enabled', '0']);
  });

  test('many failures within the allowed time do not disable', async (context) => {
    const { system } = context;
    const { box, customer, webhookId } = await setUp(context, { answer: answers.status(500), events: 6 });
    resident(context, { hold_after_failures: '1000', disable_after_failures: '8', disable_after: '1h' });
    await system.settled(customer.workspace_id);
    assert.equal(box.arrivals.length, 60, 'six deliveries, ten tries each');
    assert.equal((await system.endpointRow(webhookId)).status, 'enabled');
  });
}

export default suite(
  'endpoint_health',
  { runs: 'faults', weight: 18, system: { settings, dispatcher: false } },
  (test) => {
    windows(test);
    holds(test);
    disabling(test);
  },
);
