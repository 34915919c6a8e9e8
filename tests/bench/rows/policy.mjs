// What policy costs, with millions of suppressed numbers: calls placed through the http carrier with
// every limit on, beside the same dispatcher with a fence that asks nothing (unchecked_fence.c); and
// calls made over HTTP, beside a workspace without a list.
import { idSql } from '../../e2e/lib/database.mjs';
import { CONNECTIONS, describeRounds, PROCESSES } from '../lib/http_side.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9; // of placing
const CALLS_PER_SECOND = 500; // about what is placed in a second: sizes a round
const NUMBERS = 100_000_000; // after +9198

// Evenly over all numbers; those that are called stand between them.
const suppressing = (workspace, suppressed) => `
  INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at)
    SELECT ${idSql(workspace)}, CONCAT('+9198', LPAD(seq * ${NUMBERS / suppressed} - 1, 8, '0')), NOW(6)
    FROM seq_1_to_${suppressed};
  ANALYZE TABLE suppressed_numbers`;

// ---- placing ----

async function world(arena, sink, program) {
  const workspace = await arena.workspace();
  const { carrier_id: carrier } = await arena.admin(
    'carrier',
    'create',
    '--workspace',
    workspace,
    '--kind',
    'http',
    '--url',
    `${sink.url}/carrier`,
  );
  const { agent_id: agent } = await arena.admin(
    'agent',
    'create',
    '--workspace',
    workspace,
    '--name',
    'bench',
    '--carrier',
    carrier,
  );
  return { arena, workspace, agent, program };
}

// The hours must not stop the bench at night; they are judged all the same.
const withAllLimits = ({ arena, workspace }, suppressed) =>
  arena.query(`
    UPDATE workspaces SET calling_from_minute = 0, calling_to_minute = 1440, concurrent_calls = 1000000,
      calls_per_day = 10000000, number_calls_per_day = 3, number_gap_minutes = 30, holidays = '2020-01-26,2020-08-15';
    UPDATE agents SET calls_per_day = 10000000, concurrent_calls = 1000000;
    UPDATE carriers SET concurrent_calls = 1000000, calls_per_second = 100000;
    ${suppressing(workspace, suppressed)}`);

// An index that only the caps of numbers need.
const withoutPolicy = ({ arena }) => arena.query('ALTER TABLE call_attempts DROP INDEX dialled');

// Calls a second, between the first request to the carrier and the last.
async function place({ arena, workspace, agent, program }, sink, calls) {
  const apart = Math.floor(NUMBERS / calls / 2) * 2;
  await arena.query(`
    DELETE FROM events; DELETE FROM dial_days; DELETE FROM call_attempts; DELETE FROM calls;
    INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, scheduled_at, due_at, origin,
        created_at, updated_at)
      SELECT RANDOM_BYTES(16), ${idSql(workspace)}, ${idSql(agent)}, 'scheduled', FALSE,
        CONCAT('+9198', LPAD((seq - 1) * ${apart}, 8, '0')), NOW(6), NOW(6), 'api_live', NOW(6), NOW(6)
      FROM seq_1_to_${calls};
    ANALYZE TABLE calls, call_attempts`);
  await sink.reset();
  await arena.once(120, { program, label: `placing, ${program}` });
  const { requests, first, last } = await sink.stats();
  const told = await arena.number("SELECT COUNT(*) FROM events WHERE type = 'call.initiated'");
  if (requests !== calls || told !== calls)
    throw new Error(`of ${calls} calls ${requests} reached the carrier, ${told} were told of`);
  return calls / ((last - first) / 1e6);
}

async function placing(bench, suppressed) {
  const sink = await Sink.start(bench);
  const calls = CALLS_PER_SECOND * bench.seconds;
  const on = await world(await bench.arena('policy_on'), sink, 'huskyvoice-dispatch');
  const off = await world(await bench.arena('policy_off'), sink, 'bench-dispatch');
  await withAllLimits(on, suppressed);
  await withoutPolicy(off);
  const results = await alternate(bench.rounds, {
    on: () => place(on, sink, calls),
    off: () => place(off, sink, calls),
  });
  await bench.end(sink.program);
  const ratio = ratios(results, 'on', 'off');
  const middle = (of) => rate(median(results.map((result) => result[of])));
  return {
    what: `placing calls with every limit, ${count(suppressed)} suppressed numbers`,
    measured: middle('on'),
    beside: middle('off'),
    result: between(ratio),
    goal: `>= ${GOAL}`,
    met: ratio.median >= GOAL,
    details: [
      `${count(calls)} due calls a round, placed by one dispatcher through the http carrier, each told of; beside: the same dispatcher without lock, count, limit, hours or list`,
    ],
  };
}

// ---- making ----

async function making(bench, suppressed) {
  const side = await bench.httpSide();
  const [on, off] = [await side.customer(), await side.customer()];
  await side.product.query(suppressing(on.workspace, suppressed));
  const made = ({ workspace }) =>
    side.product.number(
      `SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(workspace)} AND status = 'scheduled'`,
    );
  const measure = async (customer, seconds, label) => {
    const before = await made(customer);
    const result = await side.post('/v1/calls', seconds, label, customer);
    const rows = (await made(customer)) - before;
    if (rows < result.requests || rows > result.requests + CONNECTIONS)
      throw new Error(`${label}: ${result.requests} answers, but ${rows} scheduled calls`);
    return result;
  };
  const withList = (seconds) => measure(on, seconds, 'POST, with a list');
  const without = (seconds) => measure(off, seconds, 'POST, without a list');
  await withList(1);
  await without(1);
  const results = await alternate(bench.rounds, {
    on: () => withList(bench.seconds),
    off: () => without(bench.seconds),
  });
  const ratio = ratios(results, 'on', 'off', (result) => result.rate);
  const middle = (of) => rate(median(results.map((result) => result[of].rate)));
  return {
    what: `making calls beside ${count(suppressed)} suppressed numbers`,
    measured: middle('on'),
    beside: middle('off'),
    result: between(ratio),
    details: [
      `lighttpd, ${PROCESSES} processes, ${CONNECTIONS} connections, POST /v1/calls with an Idempotency-Key each, to numbers all over the list; beside: a workspace without one`,
      ...['on', 'off'].map((of) => describeRounds(of, results)),
    ],
  };
}

export const policy = {
  name: 'policy',
  async run(bench) {
    const suppressed = bench.quick ? 500_000 : 5_000_000;
    return [await placing(bench, suppressed), await making(bench, suppressed)];
  },
};
