// Calls that are due at once, each with a pre-call function that takes a second: how near one
// dispatcher comes to keeping its window full from the first request to the last dial.
import { idSql } from '../../e2e/lib/database.mjs';
import { between, count } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { spread } from '../lib/statistics.mjs';

const GOAL = 1.3;
const CALLS = 1000;
const TAKES_MS = 1000;
const WINDOW = 64; // pre_call_workspace_max
const ROUNDS_MAX = 3;

async function agentWithFunction(arena, url) {
  const workspace = await arena.workspace();
  const { agent_id: agent } = await arena.admin('agent', 'create', '--workspace', workspace, '--name', 'bench');
  await arena.query(`
    INSERT INTO functions (function_id, workspace_id, agent_id, phase, position, name, live_name, method, url,
        timeout_ms, on_error, created_at, updated_at)
      VALUES (RANDOM_BYTES(16), ${idSql(workspace)}, ${idSql(agent)}, 'pre_call', 0, 'crm', 'crm', 'POST', '${url}',
        5000, 'disallow', NOW(6), NOW(6))`);
  return { workspace, agent };
}

async function makeCalls(arena, { workspace, agent }) {
  await arena.query(`
    DELETE FROM function_runs; DELETE FROM call_attempts; DELETE FROM calls;
    INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, scheduled_at, due_at, origin,
        created_at, updated_at)
      SELECT RANDOM_BYTES(16), ${idSql(workspace)}, ${idSql(agent)}, 'scheduled', FALSE,
        CONCAT('+9198', LPAD(seq, 8, '0')), NOW(6), NOW(6), 'api_live', NOW(6), NOW(6) FROM seq_1_to_${CALLS}`);
}

// Seconds from the first function's start to the last call's fence.
async function round(arena, world) {
  await makeCalls(arena, world);
  await arena.once(120);
  const [[runs, good, fenced]] = await arena.query(`
    SELECT (SELECT COUNT(*) FROM function_runs), (SELECT COUNT(*) FROM function_runs WHERE error IS NULL),
      (SELECT COUNT(*) FROM call_attempts)`);
  if ([runs, good, fenced].some((n) => Number(n) !== CALLS))
    throw new Error(`of ${CALLS} calls ${runs} ran their function, ${good} well, ${fenced} were placed`);
  return (
    (await arena.number(`
      SELECT TIMESTAMPDIFF(MICROSECOND, (SELECT MIN(started_at) FROM function_runs),
        (SELECT MAX(fenced_at) FROM call_attempts))`)) / 1e6
  );
}

export const prepare = {
  name: 'prepare',
  async run(bench) {
    const sink = await Sink.start(bench);
    const arena = await bench.arena('prepare', {
      simulator_ring: '0ms',
      simulator_talk: '0ms',
      pre_call_workspace_max: WINDOW,
    });
    const world = await agentWithFunction(arena, `${sink.url}/delay/${TAKES_MS}/crm`);
    const ideal = (Math.ceil(CALLS / WINDOW) * TAKES_MS) / 1000;
    const seconds = [];
    for (let i = 0; i < Math.min(bench.rounds, ROUNDS_MAX); i++) seconds.push(await round(arena, world));
    await bench.end(sink.program);
    const ratio = spread(seconds.map((took) => took / ideal));
    return [
      {
        what: `${count(CALLS)} calls, a pre-call function of 1 s each`,
        measured: `${spread(seconds).median.toFixed(1)} s`,
        beside: `${ideal.toFixed(1)} s`,
        result: between(ratio),
        goal: `<= ${GOAL}`,
        met: ratio.median <= GOAL,
        details: [
          `one dispatcher, ${WINDOW} under way at once; beside: that many at a time and nothing in between; each call ran its function once and was placed`,
        ],
      },
    ];
  },
};
