// From the commit of an event to its first byte at the receiver, at an even pace, with a resident
// dispatcher that is woken by datagrams.
import { paced } from '../lib/pace.mjs';
import { count, milliseconds } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { median, percentile } from '../lib/statistics.mjs';

const GOAL_MS = 20;
const PER_SECOND = 200;
const ENDPOINTS = 20;

export const latency = {
  name: 'latency',
  async run(bench) {
    const sink = await Sink.start(bench);
    const arena = await bench.arena('latency');
    const workspaces = await workspacesWithEndpoint(arena, sink, ENDPOINTS);
    const dispatcher = await arena.dispatcher();
    const rounds = [];
    for (let i = 0; i < bench.rounds; i++) {
      rounds.push(await paced(arena, sink, workspaces, { perSecond: PER_SECOND, seconds: bench.seconds }));
    }
    await bench.end(dispatcher);
    await bench.end(sink.program);
    const of = (p) => rounds.map((samples) => percentile(samples, p));
    const p95 = of(0.95);
    return [
      {
        what: `commit to first byte, ${PER_SECOND}/s`,
        measured: `p95 ${milliseconds(median(p95))}`,
        result: `[${milliseconds(Math.min(...p95))}-${milliseconds(Math.max(...p95))}]`,
        goal: `p95 <= ${GOAL_MS} ms`,
        met: median(p95) <= GOAL_MS,
        details: [
          `p50 ${milliseconds(median(of(0.5)))}, p95 ${milliseconds(median(p95))}, p99 ${milliseconds(median(of(0.99)))}, most ${milliseconds(Math.max(...of(1)))}; ` +
            `${rounds.length} rounds of ${count(rounds[0].length)} events, ${ENDPOINTS} endpoints that take turns`,
        ],
      },
    ];
  },
};

// Workspaces with one endpoint each.
export async function workspacesWithEndpoint(arena, sink, number) {
  const workspaces = [];
  for (let i = 0; i < number; i++) {
    const workspace = await arena.workspace();
    await arena.endpoints(workspace, [`${sink.url}/endpoints/${i}`]);
    workspaces.push(workspace);
  }
  return workspaces;
}
