// A resident dispatcher that is told to stop while the database is away: it ends in time and in good
// order, and what it could not write is done again by the next.
import assert from 'node:assert/strict';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { patient, until } from '../lib/wait.mjs';

const STOP = 1500; // stop_timeout
const TIMEOUT = 500; // database_timeout: an answer that is waited for when the stop comes

const settings = {
  stop_timeout: `${STOP}ms`,
  poll_interval: '100ms',
  lease_grace: '100ms',
  retry_schedule: '0s, 100ms, 100ms',
  simulator_ring: '20ms',
  simulator_talk: '20ms',
};

// The short time-out is the dispatcher's alone: making the tables may take longer.
const resident = (system) => system.dispatcher({ settings: { database_timeout: `${TIMEOUT}ms` } });

const says = (program, words) =>
  until(`the dispatcher to say "${words}"`, () => program.stderr.includes(words), {
    seen: () => program.stderr,
  });

// TERM, and its end with exit status 0; gives the milliseconds that it took.
async function stop(program) {
  const started = performance.now();
  program.signal('SIGTERM');
  const { code, signal, stderr } = await program.ended();
  const took = performance.now() - started;
  assert.deepEqual([code, signal], [0, null], stderr);
  const most = STOP + 2 * TIMEOUT + patient(2000);
  assert.ok(took < most, `it ended after ${Math.round(took)} ms; stop_timeout is ${STOP} ms`);
  return took;
}

// The database away for a while, by one of two ways.
const ways = {
  'was killed': { begin: (database) => database.kill(), end: (database) => database.start() },
  hangs: { begin: (database) => database.freeze(), end: (database) => database.thaw() },
};

export default suite(
  'dispatcher_outages',
  { runs: 'faults', weight: 15, system: { settings, dispatcher: false } },
  (test) => {
    for (const [how, way] of Object.entries(ways)) {
      test(`TERM while the database ${how}: an idle dispatcher ends in time, with 0`, async ({ system }) => {
        const program = resident(system);
        await says(program, 'started');
        await way.begin(system.database);
        try {
          await says(program, 'database is away');
          await stop(program);
        } finally {
          await way.end(system.database);
        }
      });

      test(`TERM while the database ${how}, with an answer that can't be written: the same, and the next delivers again`, async ({
        system,
        receiver,
        defer,
      }) => {
        const hold = answers.hold();
        const customer = await system.customer({
          box: receiver.box({ answer: hold }),
          webhook: ['--timeout', '5'],
          talks: false,
        });
        const callId = await system.event(customer);
        const program = resident(system);
        await until('the delivery to be under way', () => customer.box.inFlight === 1);
        await way.begin(system.database);
        try {
          hold.release();
          await until('the endpoint to have answered', () => customer.box.inFlight === 0);
          await says(program, 'database is away');
          const took = await stop(program);
          assert.ok(took >= STOP - 100, `it gave up what it had to write after ${Math.round(took)} ms`);
          assert.match(program.stderr, /stopped with work under way/);
        } finally {
          await way.end(system.database);
        }
        const next = resident(system);
        defer(() => next.kill('SIGTERM'));
        await system.settled(customer.workspace_id);
        assert.equal((await system.delivery(callId)).state, 'succeeded');
        assert.equal(customer.box.arrivals.length, 2);
        assert.equal(new Set(customer.box.ids()).size, 1, 'under the same id');
      });

      test(`TERM to a dispatcher that was started while the database ${how}: it ends with 0`, async ({
        system,
      }) => {
        const { database } = system;
        await way.begin(database);
        try {
          const program = resident(system);
          await says(program, 'waiting');
          await stop(program);
        } finally {
          await way.end(database);
        }
      });
    }
  },
);
