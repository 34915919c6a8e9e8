// Things that happen at the same moment, many times over: what must never be is counted at the
// outside carrier.
import assert from 'node:assert/strict';
import { chance, freshSeed } from '../lib/chance.mjs';
import { idSql } from '../lib/database.mjs';
import { assertCreated } from '../lib/expect.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel } from '../lib/wait.mjs';

const settings = {
  place_timeout: '300ms',
  lookup_first: '50ms',
  lookup_gap: '50ms',
  lookup_deadline: '1500ms',
  lease_grace: '150ms',
  reaper_grace: '300ms',
  poll_interval: '20ms',
  place_retry_schedule: '20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 20ms',
  retry_schedule:
    '0s, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms',
};

const BUSY = { script: [{ event: 'ended', reason: 'busy' }] };

// A timer is part of a race, not a wait for something.
const after = (ms) => new Promise((done) => setTimeout(done, ms));

function sameKey(test) {
  test('the same Idempotency-Key in 50 parallel requests makes one call, twenty times over', async ({
    system,
  }) => {
    const customer = await system.customer({ talks: true });
    for (let round = 0; round < 20; round++) {
      const fields = {
        agent_id: customer.agent_id,
        contact_number: freshNumber(),
        scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
      };
      const answers = await inParallel(50, Array(50).fill(fields), (body) =>
        customer.api.create(body, { 'Idempotency-Key': `round-${round}` }),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        Array(50).fill(201),
      );
      assert.equal(new Set(answers.map(({ json }) => json.data.call_id)).size, 1);
      assert.equal(answers.filter(({ headers }) => headers['idempotent-replayed']).length, 49);
    }
    assert.equal(
      await system.number(`SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`),
      20,
    );
  });
}

function cancels(test) {
  // A hundred calls that are due at one moment, and their cancels from about that moment on: the
  // dispatchers and we go through the same rows at the same time. `lead` is how long before the
  // moment we begin; it follows the outcome, so that neither side has it easy.
  async function race(system, customer, random) {
    const outcomes = [];
    let [lead, horizon] = [0, 800];
    for (let round = 0; round < 10; round++) {
      const started = performance.now();
      const due = Date.now() + horizon;
      const fields = { agent_id: customer.agent_id, scheduled_at: new Date(due).toISOString() };
      const calls = await inParallel(8, Array(100).fill(fields), async (body) =>
        assertCreated(await customer.api.create({ ...body, contact_number: freshNumber() })),
      );
      horizon = Math.max(horizon, 1.5 * (performance.now() - started) + lead);
      calls.sort(() => random() - 0.5);
      await after(Math.max(0, due - lead - Date.now()));
      const answers = await inParallel(10, calls, (callId) => customer.api.cancel(callId));
      answers.forEach(({ status, text }, i) => {
        assert.ok(status === 200 || status === 409, `${status}: ${text}`);
        outcomes.push({ callId: calls[i], cancelled: status === 200 });
      });
      const won = answers.filter(({ status }) => status === 200).length;
      lead += won < 30 ? 20 : won > 70 ? -20 : 0;
    }
    return outcomes;
  }

  const claim = 'a cancel raced with the dispatch a thousand times: a 200 never rings, a 409 never twice';
  test(claim, { within: 120_000 }, async ({ system, receiver, carriers, defer }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier, box: receiver.box() });
    await carrier.behave({ behaviour: BUSY });
    const second = system.dispatcher();
    defer(() => second.kill('SIGTERM'));
    const outcomes = await race(system, customer, chance(freshSeed()));
    await system.settled(customer.workspace_id);
    const rung = new Map();
    for (const { call_id, rings } of await carrier.dials())
      rung.set(call_id, (rung.get(call_id) ?? 0) + rings);
    const cancelled = outcomes.filter((outcome) => outcome.cancelled);
    const refused = outcomes.filter((outcome) => !outcome.cancelled);
    const its = `workspace_id = ${idSql(customer.workspace_id)}`;
    const ends = await system.sql(`SELECT LOWER(HEX(call_id)) AS id, error_code FROM calls WHERE ${its}`);
    const endOf = new Map(ends.map(({ id, error_code }) => [id, error_code]));
    // how often it rang, and how it ended, as the carrier's script has it: busy
    const story = ({ callId }) => `${rung.get(callId) ?? 0} ${endOf.get(callId.replaceAll('-', ''))}`;
    assert.equal(outcomes.length, 1000);
    assert.ok(
      cancelled.length >= 100 && refused.length >= 100,
      `no race: ${cancelled.length} cancelled, ${refused.length} refused`,
    );
    assert.deepEqual([...new Set(cancelled.map(story))], ['0 null'], 'cancelled with 200, and rang');
    // a machine too busy to ask a carrier in time gives up without a dial
    const odd = refused.map(story).filter((one) => one !== '1 busy');
    assert.deepEqual(
      odd.filter((one) => one !== '0 carrier_error'),
      [],
      'refused with 409, and rung otherwise than once',
    );
    assert.ok(odd.length < refused.length / 2, `${odd.length} of ${refused.length} were never dialled`);
    const told = new Set(customer.box.arrivals.map(({ json }) => json.data.call_id));
    assert.deepEqual(
      cancelled.filter(({ callId }) => told.has(callId)),
      [],
      'cancelled, and an event says otherwise',
    );
    assert.equal(
      await system.number(`SELECT COUNT(*) FROM calls WHERE status = 'cancelled' AND ${its}`),
      cancelled.length,
    );
  });

  test('many cancels of one call at once: all 200 with one moment, or all 409', async ({
    system,
    carriers,
  }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier });
    await carrier.behave({ behaviour: BUSY });
    for (let round = 0; round < 10; round++) {
      const callId = assertCreated(
        await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() }),
      );
      const answers = await inParallel(10, Array(10).fill(callId), (id) => customer.api.cancel(id));
      const won = answers.filter(({ status }) => status === 200);
      assert.equal(new Set(won.map(({ json }) => json.data.cancelled_at)).size, won.length ? 1 : 0);
      assert.ok(answers.every(({ status }) => status === 200 || status === 409));
      const dials = await carrier.dials(callId);
      if (won.length) assert.deepEqual(dials, [], 'cancelled, and dialled');
    }
  });
}

// What a carrier does to a request, and whether the people it rings may ever be rung again.
const behaviours = {
  takes: {},
  'takes late': { answer_after: 120 },
  'takes too late': { answer_after: 500 },
  'hangs and calls back': { place: 'hang' },
  'hangs and forgets': { place: 'hang', script: 'none', find: { event: 'ended', reason: 'busy' } },
  'resets and calls back': { place: 'reset' },
  'resets and forgets': { place: 'reset', script: 'none', find: { event: 'ended', reason: 'busy' } },
  'cuts its answer': { place: 'cut' },
  'resets before it dials': [{ place: 'reset', rings: false }, {}],
  'hangs before it dials': [{ place: 'hang', rings: false }, {}],
  'answers 500': { status: 500 },
  refuses: { place: 'refuse', error: { code: 'rejected', message: 'No.' } },
  'resets and knows nothing': { place: 'reset', script: 'none', find: 'error' },
};

// Kills one of two dispatchers at a random moment and starts it again, until stopped.
function killing(system, random) {
  const programs = [system.dispatcher(), system.dispatcher()];
  let stopped = false;
  let kills = 0;
  const loop = (async () => {
    while (!stopped) {
      await after(10 + random() * 190);
      const i = random() < 0.5 ? 0 : 1;
      const { signal } = await programs[i].kill('SIGKILL');
      assert.equal(signal, 'SIGKILL', `a dispatcher ended by itself: ${programs[i].stderr}`);
      programs[i] = system.dispatcher();
      kills++;
    }
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      await Promise.all(programs.map((program) => program.kill('SIGTERM')));
      return kills;
    },
  };
}

function assertDials(callId, name, dials, redials) {
  const what = `${name} ${callId}: ${JSON.stringify(dials.map(({ attempt, requests, rings, finds }) => ({ attempt, requests: requests.length, rings, finds })))}`;
  for (const dial of dials) assert.ok(dial.requests.length <= 1, `two dials in one attempt: ${what}`);
  assert.equal(
    new Set(dials.map(({ attempt }) => attempt)).size,
    dials.length,
    `two tokens for one attempt: ${what}`,
  );
  if (redials) return;
  assert.ok(dials.reduce((sum, { rings }) => sum + rings, 0) <= 1, `rung twice: ${what}`);
  // whoever rang was the last to be asked
  dials
    .slice(0, -1)
    .forEach((dial) => assert.equal(dial.rings, 0, `another attempt after one that rang: ${what}`));
}

function kills(test) {
  test(
    'the carrier hangs or resets and dispatchers are killed at random moments: no attempt is dialled twice, no one is rung again',
    { within: 120_000, alone: true },
    async ({ system, receiver, carriers }) => {
      const seed = freshSeed();
      const random = chance(seed);
      try {
        await system.stopDispatcher();
        const carrier = carriers.carrier();
        const limits = ['--ring-timeout', '1', '--max-duration', '1'];
        const strict = await system.customer({ carrier, box: receiver.box(), agent: limits });
        const eager = await system.customer({
          carrier: carriers.carrier(),
          box: receiver.box(),
          agent: [...limits, '--redial-on-unknown'],
        });
        const calls = [];
        const killer = killing(system, random);
        const names = Object.keys(behaviours);
        await inParallel(
          3,
          Array.from({ length: names.length * 12 }, (_, i) => i),
          async (i) => {
            const name = names[i % names.length];
            const customer = i % 4 === 3 ? eager : strict;
            const callId = await system.call(customer, { additional_info: { carrier: behaviours[name] } });
            calls.push({ callId, name, customer });
            await after(random() * 60);
          },
        );
        await after(2000 * random());
        const killed = await killer.stop();
        assert.ok(killed >= 10, `${killed} kills`);
        const last = system.dispatcher();
        try {
          for (const { workspace_id } of [strict, eager])
            await system.settled(workspace_id, { within: 40_000 });
        } finally {
          await last.kill('SIGTERM');
        }
        for (const customer of [strict, eager]) {
          const all = await customer.carrier.dials();
          const types = new Map();
          for (const { json } of customer.box.arrivals)
            types.set(json.data.call_id, new Set([...(types.get(json.data.call_id) ?? []), json.event_type]));
          for (const { callId, name } of calls.filter((call) => call.customer === customer)) {
            const dials = all.filter((dial) => dial.call_id === callId).sort((a, b) => a.attempt - b.attempt);
            assertDials(callId, name, dials, customer === eager);
            const ends = [...(types.get(callId) ?? [])].filter((type) => type !== 'call.initiated');
            assert.equal(ends.length, 1, `${name} ${callId} ended with ${ends}`);
            const { status, error } = (await customer.api.get(callId)).json.data;
            if (error?.code === 'carrier_outcome_unknown')
              assert.equal(
                name,
                'resets and knows nothing',
                `${name}: outcome unknown, though the carrier knew`,
              );
            if (status === 'completed')
              assert.ok(
                dials.some(({ rings }) => rings),
                `${name} completed without a ring`,
              );
          }
        }
      } catch (error) {
        error.message = `(HV_E2E_SEED=${seed}) ${error.message}`;
        throw error;
      }
    },
  );
}

export default suite('races', { runs: 'faults', weight: 45, system: { settings } }, (test) => {
  sameKey(test);
  cancels(test);
  kills(test);
});
