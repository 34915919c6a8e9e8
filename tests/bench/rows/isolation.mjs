// What other endpoints notice when one hangs with a long backlog and the name of another does not
// resolve, because its name server is silent: the same paced events with and without the two,
// round by round.
import { idSql } from '../../e2e/lib/database.mjs';
import { deadNames } from '../../e2e/lib/dead_names.mjs';
import { until } from '../../e2e/lib/wait.mjs';
import { fill } from '../lib/backlog.mjs';
import { paced } from '../lib/pace.mjs';
import { between, count, milliseconds } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { alternate, median, percentile, ratios } from '../lib/statistics.mjs';
import { workspacesWithEndpoint } from './latency.mjs';

const GOAL = 1.2;
const PER_SECOND = 200;
const ENDPOINTS = 20;
const HANGING = 100_000;
const NAMELESS = 10_000;

async function addTroublemakers(arena, sink) {
  const workspace = await arena.workspace();
  const [hanging, nameless] = await arena.endpoints(workspace, [
    `${sink.url}/hang/`,
    'https://name.unanswered.test/',
  ]);
  await fill(arena, { workspace, destinations: [hanging], events: HANGING });
  await fill(arena, { workspace, destinations: [nameless], events: NAMELESS, keep: true });
  return [hanging, nameless];
}

// As they were before anything was tried, so that each round meets them anew.
async function forget(arena, troublemakers) {
  const list = troublemakers.map(idSql).join(', ');
  await arena.query(`
    UPDATE deliveries SET state = 'waiting', owner = 0, fence = 0, position = 0, attempts = 0, lost = 0, due_at = created_at
      WHERE destination_id IN (${list}) AND (fence > 0 OR attempts > 0 OR state <> 'waiting');
    UPDATE destinations SET status = 'enabled', status_reason = NULL, failures = 0, held_until = NULL, hold_wait_ms = 0
      WHERE destination_id IN (${list});`);
}

async function measure(bench, arena, sink, names, workspaces, troublemakers) {
  if (troublemakers) await forget(arena, troublemakers);
  await sink.reset();
  const dispatcher = await arena.dispatcher(names);
  if (troublemakers) {
    const tried = `SELECT COUNT(*) FROM deliveries WHERE destination_id = ${idSql(troublemakers[1])} AND fence > 0`;
    await until('the endpoint to hang', async () => (await sink.stats()).waiting > 0);
    await until('the nameless endpoint to be tried', async () => (await arena.number(tried)) > 0);
  }
  const samples = await paced(arena, sink, workspaces, { perSecond: PER_SECOND, seconds: bench.seconds });
  await bench.end(dispatcher);
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95), p99: percentile(samples, 0.99) };
}

export const isolation = {
  name: 'isolation',
  async run(bench) {
    const sink = await Sink.start(bench);
    const settings = { stop_timeout: '200ms' }; // what hangs is left to its lease
    const [quiet, troubled] = [await bench.arena('quiet', settings), await bench.arena('troubled', settings)];
    const workspaces = {
      quiet: await workspacesWithEndpoint(quiet, sink, ENDPOINTS),
      troubled: await workspacesWithEndpoint(troubled, sink, ENDPOINTS),
    };
    const troublemakers = await addTroublemakers(troubled, sink);
    const names = await deadNames(bench.dir);
    const results = await alternate(bench.rounds, {
      troubled: () => measure(bench, troubled, sink, names, workspaces.troubled, troublemakers),
      quiet: () => measure(bench, quiet, sink, names, workspaces.quiet),
    });
    names.close();
    await bench.end(sink.program);
    const ratio = ratios(results, 'troubled', 'quiet', (result) => result.p95);
    const middle = (of, what) => milliseconds(median(results.map((result) => result[of][what])));
    return [
      {
        what: 'p95 beside broken endpoints',
        measured: middle('troubled', 'p95'),
        beside: middle('quiet', 'p95'),
        result: between(ratio),
        goal: `<= ${GOAL}`,
        met: ratio.median <= GOAL,
        details: [
          `commit to first byte of ${ENDPOINTS} endpoints at ${PER_SECOND}/s; one more hangs with ${count(HANGING)} waiting, the name of another (${count(NAMELESS)} waiting) does not resolve (${names.how}); beside: without the two`,
          ...['troubled', 'quiet'].map(
            (of) => `${of}: p50 ${middle(of, 'p50')}, p95 ${middle(of, 'p95')}, p99 ${middle(of, 'p99')}`,
          ),
        ],
      },
    ];
  },
};
