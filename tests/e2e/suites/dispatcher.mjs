// The dispatcher as a program: runs from cron, its end, its exit codes, many at once, and killed at
// every point between claim and finish. No resident dispatcher runs but those of the tests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { idSql } from '../lib/database.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { patient, until } from '../lib/wait.mjs';

const settings = {
  retry_schedule: '0s, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms',
  retry_jitter_percent: '0',
  poll_interval: '100ms',
  lease_grace: '100ms',
  place_timeout: '300ms',
  lookup_first: '50ms',
  lookup_gap: '50ms',
  lookup_deadline: '3s',
  place_retry_schedule: '50ms, 50ms, 50ms',
  simulator_ring: '20ms',
  simulator_talk: '20ms',
};

const DONE = ['call.completed', 'call.initiated'];

// A customer whose endpoint is disabled when the test is over, so that what a failed test left
// behind does not hold up the runs of the next.
async function guest({ system, defer }, options) {
  const customer = await system.customer(options);
  if (customer.webhook_id) defer(() => system.admin('webhook', 'disable', customer.webhook_id));
  return customer;
}

async function once(system, options) {
  const run = await system.once(options);
  assert.equal(run.code, 0, `${run.signal ?? run.code}: ${run.stderr}`);
  return run;
}

// How many of the customer's deliveries a dispatcher has under way.
function claims(system, { workspace_id }) {
  return system.number(
    `SELECT COUNT(*) FROM deliveries WHERE owner <> 0 AND workspace_id = ${idSql(workspace_id)}`,
  );
}

// Runs from cron until the workspace has nothing on its way.
async function runUntilSettled(system, customer) {
  const its = `workspace_id = ${idSql(customer.workspace_id)}`;
  const open = () =>
    system.sql(`SELECT 'call' AS what, status AS state, due_at FROM calls
        WHERE status IN ('scheduled', 'initiated', 'ringing', 'in_progress') AND ${its}
      UNION ALL SELECT 'delivery', CONCAT('position ', position, ' owner ', owner, ' lost ', lost), due_at
        FROM deliveries WHERE state = 'waiting' AND ${its}`);
  const runs = [];
  await until(
    'runs of the dispatcher to settle everything',
    async () => {
      runs.push((await once(system)).stdout);
      return (await open()).length === 0;
    },
    { within: 30_000, every: 50, seen: async () => ({ open: await open(), runs: runs.slice(-3) }) },
  );
}

function fromCron(test) {
  test('--once with nothing due says so in one line and exits 0', async ({ system }) => {
    const run = await once(system);
    assert.equal(run.stdout.trimEnd().split('\n').length, 1, run.stdout);
    assert.notEqual(run.stdout.trim(), '');
  });

  test('--once places what is due, delivers it, and exits 0 with a summary', async (context) => {
    const { system, receiver, carriers } = context;
    const carrier = carriers.carrier();
    const customer = await guest(context, { carrier, box: receiver.box() });
    const calls = await Promise.all(Array.from({ length: 10 }, () => system.call(customer)));
    const run = await once(system);
    assert.match(run.stdout, /\b10 calls placed/);
    assert.equal(run.stdout.trimEnd().split('\n').length, 1, run.stdout);
    for (const callId of calls)
      assert.deepEqual(
        (await carrier.dials(callId)).map((dial) => [dial.requests.length, dial.rings]),
        [[1, 1]],
      );
    await runUntilSettled(system, customer);
    for (const callId of calls) assert.deepEqual(customer.box.types(callId).sort(), DONE);
  });

  test('--once leaves alone what is not due', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, { box: receiver.box() });
    const callId = await system.call(customer, {
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await once(system);
    assert.equal((await customer.api.get(callId)).json.data.status, 'scheduled');
  });

  test('--max-seconds ends a run whose endpoint never answers, and nothing is spent', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, {
      box: receiver.box({ answer: answers.hang() }),
      webhook: ['--timeout', '30'],
      talks: false,
    });
    const calls = await system.events(customer, 8);
    const started = performance.now();
    const run = await system.once({ args: ['--max-seconds', '1'], settings: { stop_timeout: '200ms' } });
    const took = performance.now() - started;
    assert.equal(run.code, 0, run.stderr);
    assert.ok(took >= 1000 && took < patient(4000), `${Math.round(took)} ms`);
    const waiting = await Promise.all(calls.map((callId) => system.delivery(callId)));
    assert.deepEqual(
      waiting.map(({ state }) => state),
      Array(8).fill('waiting'),
    );
    assert.equal(
      waiting.filter(({ position }) => position === '0').length >= 3,
      true,
      'what was never sent is not spent',
    );
  });

  test('a database that is away ends --once with 75', async ({ system }) => {
    const run = await system.once({
      settings: { database_hosts: `unix:${system.dir}/no.sock`, database_timeout: '500ms' },
    });
    assert.equal(run.code, 75, `${run.signal ?? ''} ${run.stdout} ${run.stderr}`);
    assert.notEqual(run.stderr + run.stdout, '');
  });

  test('a setting that is wrong or unknown is named, with its line, and nothing is done', async ({
    system,
  }) => {
    for (const [name, value] of [
      ['poll_interval', 'soon'],
      ['no_such_setting', '1'],
      ['window_start', '0'],
    ]) {
      const run = await system.once({ settings: { [name]: value } });
      assert.ok(run.code > 0 && run.code !== 75, `exit ${run.code}`);
      assert.match(run.stderr, new RegExp(name));
      assert.match(run.stderr, /\d/);
    }
  });

  test('wrong usage exits 64', async ({ system }) => {
    for (const args of [['--no-such-option'], ['--max-seconds', 'x'], ['rubbish']]) {
      const run = await system.dispatcher({ args }).ended();
      assert.equal(run.code, 64, `${args}: ${run.stderr}`);
    }
  });

  test('--status is one line for people and an object for scripts', async (context) => {
    const { system } = context;
    const customer = await guest(context, { box: { url: 'https://example.com/' }, talks: false });
    await system.admin('webhook', 'pause', customer.webhook_id);
    await system.events(customer, 3);
    const people = await system.dispatcher({ args: ['--status'] }).ended();
    assert.deepEqual(
      [people.code, people.stdout.trimEnd().split('\n').length],
      [0, 1],
      people.stdout + people.stderr,
    );
    const scripts = await system.dispatcher({ args: ['--status', '--json'] }).ended();
    const figures = JSON.parse(scripts.stdout).data;
    assert.ok(figures.deliveries_waiting >= 3, scripts.stdout);
    for (const [name, value] of Object.entries(figures)) assert.equal(typeof value, 'number', name);
  });
}

function ending(test) {
  test('TERM waits for what is under way, writes it and exits 0', async (context) => {
    const { system, receiver } = context;
    const hold = answers.hold();
    const customer = await guest(context, {
      box: receiver.box({ answer: hold }),
      webhook: ['--timeout', '20', '--max-in-flight', '5'],
      talks: false,
    });
    const calls = await system.events(customer, 12);
    const program = system.dispatcher();
    await until('five to be under way', () => customer.box.inFlight === 5);
    program.signal('SIGTERM');
    await until(
      'the claims to be down to what is under way',
      async () => (await claims(system, customer)) === 5,
    );
    assert.ok(program.running, 'it ended before its requests did');
    hold.release();
    const { code, stderr } = await program.ended();
    assert.equal(code, 0, stderr);
    const states = (await Promise.all(calls.map((callId) => system.delivery(callId)))).map(
      ({ state, position }) => `${state} ${position}`,
    );
    assert.deepEqual(states.sort(), [...Array(5).fill('succeeded 1'), ...Array(7).fill('waiting 0')]);
    assert.equal(customer.box.arrivals.length, 5);
    await runUntilSettled(system, customer);
    assert.equal(customer.box.arrivals.length, 12);
  });

  test('TERM with requests that never end exits 0 after stop_timeout; their work is free again after the lease', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, {
      box: receiver.box({ answer: answers.hang() }),
      webhook: ['--timeout', '2'],
      talks: false,
    });
    const callId = await system.event(customer);
    const program = system.dispatcher({ settings: { stop_timeout: '300ms' } });
    await customer.box.count(1);
    program.signal('SIGTERM');
    const { code, stderr } = await program.ended({ within: 1800 });
    assert.equal(code, 0, stderr);
    customer.box.answer = answers.status(200);
    await runUntilSettled(system, customer);
    assert.equal((await system.delivery(callId)).state, 'succeeded');
    assert.equal(customer.box.arrivals.length, 2);
  });

  test("TERM during a dial writes the carrier's answer first", async (context) => {
    const { system, receiver, carriers } = context;
    const carrier = carriers.carrier();
    const customer = await guest(context, { carrier, box: receiver.box() });
    const callId = await system.call(customer, {
      additional_info: { carrier: { answer_after: 200, script: 'none' } },
    });
    const program = system.dispatcher();
    await carrier.asked(callId);
    program.signal('SIGTERM');
    assert.equal((await program.ended()).code, 0);
    assert.equal((await customer.api.get(callId)).json.data.status, 'initiated');
    assert.equal(
      await system.one(`SELECT state FROM call_attempts WHERE call_id = ${idSql(callId)}`),
      'placed',
    );
    const { token } = await carrier.asked(callId);
    await carrier.tell(token, { event: 'ended', reason: 'busy' });
    await runUntilSettled(system, customer);
  });

  test('a resident dispatcher takes up a call and an event at once, and a poll does when no one wakes it', async (context) => {
    const { system, receiver, defer } = context;
    const customer = await guest(context, { box: receiver.box() });
    const program = system.dispatcher({ settings: { poll_interval: '30s' } });
    defer(() => program.kill('SIGTERM'));
    const first = await system.call(customer);
    await customer.box.arrival({ call: first, type: 'call.completed' }, { within: 5000 });
    await program.kill('SIGKILL');
    const second = await system.call(customer);
    assert.equal(
      (await customer.api.get(second)).json.data.status,
      'scheduled',
      "a dead dispatcher's socket hurts nobody",
    );
    const next = system.dispatcher();
    defer(() => next.kill('SIGTERM'));
    await customer.box.arrival({ call: second, type: 'call.completed' });
  });
}

// What a process has used of the processor, in milliseconds.
function processorTime(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '');
  const [user, kernel] = stat.split(' ').slice(11, 13).map(Number);
  return (user + kernel) * 10; // USER_HZ is 100 on every Linux
}

function atRest(test) {
  test('a resident dispatcher with nothing to do takes next to no processor and asks the database little', async ({
    system,
    defer,
  }) => {
    const program = system.dispatcher({ settings: { poll_interval: '1s' } });
    defer(() => program.kill('SIGTERM'));
    await until('it to have started', () => program.stderr.includes('started'));
    const look = async () => {
      const [{ Value: questions }] = await system.sql("SHOW GLOBAL STATUS LIKE 'Questions'");
      return { at: performance.now(), used: processorTime(program.pid), questions: Number(questions) };
    };
    // It begins with a round of housekeeping through all that other tests have made.
    let from = await look();
    await until(
      'that to be over',
      async () => {
        const now = await look();
        const asked = now.questions - from.questions;
        if (now.at - from.at < 1000) return false;
        from = now;
        return asked < 25;
      },
      { every: 1000, within: 30_000 },
    );
    const past = await until(
      'five seconds to pass',
      async () => performance.now() - from.at >= 5000 && look(),
      { every: 100 },
    );
    const took = past.at - from.at;
    const used = past.used - from.used;
    assert.ok(used < 0.02 * took, `${used} ms of the processor in ${Math.round(took)} ms`);
    const asked = ((past.questions - from.questions) * 1000) / took;
    assert.ok(asked < 25, `${asked.toFixed(1)} questions to the database a second`);
  });
}

function several(test) {
  test('two dispatchers on one backlog: each delivery once, each call dialled once', async (context) => {
    const { system, receiver, carriers, defer } = context;
    const carrier = carriers.carrier();
    const customer = await guest(context, { carrier, box: receiver.box() });
    const others = [receiver.box(), receiver.box()];
    for (const box of others) await system.endpoint(customer.workspace_id, box);
    const silent = await guest(context, { box: receiver.box(), talks: false });
    const [calls] = await Promise.all([
      Promise.all(Array.from({ length: 40 }, () => system.call(customer))),
      system.events(silent, 200),
    ]);
    const programs = [system.dispatcher(), system.dispatcher()];
    defer(() => Promise.all(programs.map((program) => program.kill('SIGTERM'))));
    await system.settled(customer.workspace_id);
    await system.settled(silent.workspace_id);
    assert.equal(silent.box.arrivals.length, 200);
    assert.equal(new Set(silent.box.ids()).size, 200);
    for (const box of [customer.box, ...others]) {
      assert.deepEqual([box.arrivals.length, new Set(box.ids()).size], [80, 80]);
    }
    for (const callId of calls)
      assert.deepEqual(
        (await carrier.dials(callId)).map((dial) => dial.requests.length),
        [1],
      );
    assert.equal((await claims(system, customer)) + (await claims(system, silent)), 0);
  });
}

// A look-up that finds nothing out, past the deadline, would fail the call.
function overtaken(test) {
  test('a callback that comes while its call is looked up is believed, not the look-up without an answer', async (context) => {
    const { system, receiver, carriers, defer } = context;
    const carrier = carriers.carrier();
    const customer = await guest(context, { carrier, box: receiver.box() });
    const callId = await system.call(customer, {
      additional_info: { carrier: { place: 'hang', script: 'none', find: 'hang' } },
    });
    const program = system.dispatcher({ settings: { place_timeout: '1s', lookup_deadline: '10ms' } });
    defer(() => program.kill('SIGTERM'));
    const dial = await until(
      'the carrier to be asked what became of the call',
      async () => (await carrier.dials(callId)).find(({ finds }) => finds.length > 0),
    );
    assert.equal((await carrier.tell(dial.token, { event: 'ringing' })).status, 200);
    program.signal('SIGTERM'); // what came of the look-up is written before the end
    assert.equal((await program.ended()).code, 0);
    assert.equal((await carrier.dials(callId))[0].finds.length, 1);
    assert.equal((await customer.api.get(callId)).json.data.status, 'ringing');
    await carrier.tell(dial.token, { event: 'ended', reason: 'completed' });
    await runUntilSettled(system, customer);
    assert.equal((await customer.api.get(callId)).json.data.status, 'completed');
    assert.deepEqual([...new Set(customer.box.types(callId))].sort(), DONE);
  });
}

// What must hold when a dispatcher is killed -9 at a point, and another takes over.
const points = {
  call_fenced: { dialled: [0, 1] }, // nothing was asked: the carrier denies it, and it is dialled anew
  call_asked: { dialled: [1] },
  call_answered: { dialled: [1] },
  delivery_claimed: { arrivals: [1] },
  delivery_started: { arrivals: [1, 2] },
  delivery_answered: { arrivals: [2] },
  delivery_written: { arrivals: [1] },
};

// As if the time had come for which dead dispatchers hold their deliveries, or the next attempt.
function endLeases(system, { workspace_id }) {
  return system.sql(
    `UPDATE deliveries SET due_at = NOW(6) WHERE state = 'waiting' AND workspace_id = ${idSql(workspace_id)}`,
  );
}

async function killAt(system, fault) {
  const { signal, code, stderr } = await system.once({ fault });
  assert.equal(
    signal,
    'SIGKILL',
    `the dispatcher ended with ${code} instead of dying at ${fault}: is it built with --enable-fault-points? ${stderr}`,
  );
}

function killed(test) {
  for (const point of Object.keys(points).filter((name) => name.startsWith('call_'))) {
    test(`killed at ${point}: the number is dialled once, and every event is delivered`, async (context) => {
      const { system, receiver, carriers } = context;
      const carrier = carriers.carrier();
      const customer = await guest(context, { carrier, box: receiver.box(), webhook: ['--timeout', '1'] });
      const callId = await system.call(customer, {
        // what the first attempt came to is known by look-up alone
        additional_info: {
          carrier: [{ script: 'none', found: { event: 'ended', reason: 'completed' } }, {}],
        },
      });
      await killAt(system, point);
      assert.equal(
        (await system.one(`SELECT status FROM calls WHERE call_id = ${idSql(callId)}`)) !== 'scheduled',
        true,
        'the fence was committed',
      );
      await runUntilSettled(system, customer);
      const dials = await carrier.dials(callId);
      assert.equal((await customer.api.get(callId)).json.data.status, 'completed');
      assert.equal(
        dials.reduce((sum, dial) => sum + dial.rings, 0),
        1,
        'rung once',
      );
      for (const dial of dials) assert.ok(dial.requests.length <= 1, 'asked once per attempt');
      assert.deepEqual([...new Set(customer.box.types(callId))].sort(), DONE);
    });
  }

  test('killed at steps_claimed: the simulator plays on, each event is delivered', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, { box: receiver.box(), webhook: ['--timeout', '1'] });
    const callId = await system.call(customer);
    await until(
      'a step to be claimed',
      async () => (await system.once({ fault: 'steps_claimed' })).signal === 'SIGKILL',
      { within: 10_000 },
    );
    await runUntilSettled(system, customer);
    assert.equal((await customer.api.get(callId)).json.data.status, 'completed');
    assert.deepEqual([...new Set(customer.box.types(callId))].sort(), DONE);
    assert.equal(
      await system.number(`SELECT COUNT(*) FROM call_attempts WHERE call_id = ${idSql(callId)}`),
      1,
    );
  });

  for (const [point, { arrivals }] of Object.entries(points).filter(([name]) =>
    name.startsWith('delivery_'),
  )) {
    test(`killed at ${point}: the event is delivered at least once, and its schedule is not burnt`, async (context) => {
      const { system, receiver } = context;
      const customer = await guest(context, {
        box: receiver.box(),
        webhook: ['--timeout', '1'],
        talks: false,
      });
      const callId = await system.event(customer);
      await killAt(system, point);
      await runUntilSettled(system, customer);
      const delivery = await system.delivery(callId);
      assert.equal(delivery.state, 'succeeded');
      assert.ok(arrivals.includes(customer.box.arrivals.length), `${customer.box.arrivals.length} arrivals`);
      assert.equal(new Set(customer.box.arrivals.map(({ text }) => text)).size, 1);
      assert.ok(Number(delivery.position) <= 2, `position ${delivery.position}`);
      customer.box.assertSigned();
    });
  }

  test('killed in the middle of a backlog, at the 7th delivery: all are delivered', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, {
      box: receiver.box(),
      webhook: ['--timeout', '1'],
      talks: false,
    });
    for (const point of ['delivery_started:7', 'delivery_answered:7', 'delivery_claimed:2']) {
      await system.events(customer, 20);
      await killAt(system, point);
    }
    await runUntilSettled(system, customer);
    assert.equal(new Set(customer.box.ids()).size, 60);
  });

  test('a delivery that kills its dispatcher 20 times in a row counts as one failed attempt, "abandoned"', async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, { box: receiver.box(), webhook: ['--timeout', '1'], talks: false });
    const callId = await system.event(customer);
    for (let run = 1; run <= 20; run++) {
      await killAt(system, 'delivery_started');
      const { state, position, attempts } = await system.delivery(callId);
      assert.deepEqual([state, position, attempts], ['waiting', '0', '0'], `after ${run} kills`);
      await endLeases(system, customer);
    }
    const arrivals = customer.box.arrivals.length;
    assert.ok(arrivals <= 20, `${arrivals} arrivals`);
    // it would kill this one as well, but is not sent before its next attempt is due
    await once(system, { fault: 'delivery_started', settings: { retry_schedule: '0s, 1h' } });
    const delivery = await system.delivery(callId);
    assert.deepEqual(
      [delivery.state, delivery.position, delivery.attempts, delivery.lost, delivery.last_error],
      ['waiting', '1', '1', '0', 'abandoned'],
    );
    assert.deepEqual(await system.log(callId), [], 'the log is of requests that were made');
    assert.equal(customer.box.arrivals.length, arrivals);
    await endLeases(system, customer);
    await runUntilSettled(system, customer);
    assert.equal((await system.delivery(callId)).state, 'succeeded');
  });

  test("twelve killed --once runs exhaust no delivery's schedule", { within: 90_000 }, async (context) => {
    const { system, receiver } = context;
    const customer = await guest(context, {
      box: receiver.box({ answer: answers.hang() }),
      webhook: ['--timeout', '1'],
      talks: false,
    });
    const callId = await system.event(customer);
    for (let run = 1; run <= 12; run++) {
      const fault = run % 2 ? 'delivery_started' : 'delivery_claimed';
      await until(
        `run ${run} to be killed at ${fault}`,
        async () => (await system.once({ fault })).signal === 'SIGKILL',
        { every: 50 },
      );
    }
    assert.equal((await system.delivery(callId)).state, 'waiting');
    customer.box.answer = answers.status(200);
    await runUntilSettled(system, customer);
    const delivery = await system.delivery(callId);
    assert.equal(delivery.state, 'succeeded', JSON.stringify(delivery));
  });
}

export default suite(
  'dispatcher',
  { runs: 'faults', weight: 40, system: { settings, dispatcher: false } },
  (test) => {
    fromCron(test);
    ending(test);
    atRest(test);
    several(test);
    overtaken(test);
    killed(test);
  },
);
