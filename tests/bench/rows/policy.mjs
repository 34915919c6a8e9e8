// What policy costs: calls placed through the http carrier with every limit on and millions of
// suppressed numbers, beside the same without caps and with an empty list.
import { idSql } from '../../e2e/lib/database.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9;
const CALLS_PER_SECOND = 500; // about what is placed in a second: sizes a round

async function world(arena, sink) {
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
  // The hours must not stop the bench at night; they are judged all the same.
  await arena.query(
    'UPDATE workspaces SET calling_from_minute = 0, calling_to_minute = 1440, concurrent_calls = 1000000',
  );
  return { arena, workspace, agent };
}

const withoutCaps = ({ arena }) =>
  arena.query('UPDATE workspaces SET number_calls_per_day = 0, number_gap_minutes = 0');

// The suppressed numbers stand all around those that are called.
async function withAllLimits({ arena, workspace }, suppressed) {
  await arena.query(`
    UPDATE workspaces SET calls_per_day = 10000000, number_calls_per_day = 3, number_gap_minutes = 30,
      holidays = '2020-01-26,2020-08-15';
    UPDATE agents SET calls_per_day = 10000000, concurrent_calls = 1000000;
    UPDATE carriers SET concurrent_calls = 1000000, calls_per_second = 100000;
    INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at)
      SELECT ${idSql(workspace)}, CONCAT('+9198', LPAD(seq * 2, 8, '0')), NOW(6) FROM seq_1_to_${suppressed};
    ANALYZE TABLE suppressed_numbers`);
}

// Calls a second, between the first request to the carrier and the last.
async function place({ arena, workspace, agent }, sink, calls, suppressed) {
  const apart = Math.floor(suppressed / calls) * 2;
  await arena.query(`
    DELETE FROM events; DELETE FROM dial_days; DELETE FROM call_attempts; DELETE FROM calls;
    INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, scheduled_at, due_at, origin,
        created_at, updated_at)
      SELECT RANDOM_BYTES(16), ${idSql(workspace)}, ${idSql(agent)}, 'scheduled', FALSE,
        CONCAT('+9198', LPAD(seq * ${apart} + 1, 8, '0')), NOW(6), NOW(6), 'api_live', NOW(6), NOW(6)
      FROM seq_1_to_${calls};
    ANALYZE TABLE calls, call_attempts`);
  await sink.reset();
  await arena.once(120);
  const { requests, first, last } = await sink.stats();
  const told = await arena.number("SELECT COUNT(*) FROM events WHERE type = 'call.initiated'");
  if (requests !== calls || told !== calls)
    throw new Error(`of ${calls} calls ${requests} reached the carrier, ${told} were told of`);
  return calls / ((last - first) / 1e6);
}

export const policy = {
  name: 'policy',
  async run(bench) {
    const sink = await Sink.start(bench);
    const calls = CALLS_PER_SECOND * bench.seconds;
    const suppressed = bench.quick ? 500_000 : 5_000_000;
    const on = await world(await bench.arena('policy_on'), sink);
    const off = await world(await bench.arena('policy_off'), sink);
    await withAllLimits(on, suppressed);
    await withoutCaps(off);
    const results = await alternate(bench.rounds, {
      on: () => place(on, sink, calls, suppressed),
      off: () => place(off, sink, calls, suppressed),
    });
    await bench.end(sink.program);
    const ratio = ratios(results, 'on', 'off');
    const middle = (of) => rate(median(results.map((result) => result[of])));
    return [
      {
        what: `placing calls with every limit, ${count(suppressed)} suppressed numbers`,
        measured: middle('on'),
        beside: middle('off'),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `${count(calls)} due calls a round, placed by one dispatcher through the http carrier, each told of; beside: no caps, an empty list`,
        ],
      },
    ];
  },
};
