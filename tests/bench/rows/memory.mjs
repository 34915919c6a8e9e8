// Memory of a responder after many requests, and of a dispatcher with as much in flight as it may.
import { until } from '../../e2e/lib/wait.mjs';
import { fill } from '../lib/backlog.mjs';
import { childrenOf, memoryOf } from '../lib/bench.mjs';
import { PROCESSES } from '../lib/http_side.mjs';
import { count, megabytes } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';

const RESPONDER_MB = 8;
const DISPATCHER_MB = 40;
const IN_FLIGHT = 256;
const ENDPOINTS = 64;
const REQUESTS = 10_000; // per responder

async function responders(bench) {
  const side = await bench.httpSide();
  const wanted = (bench.quick ? REQUESTS / 4 : REQUESTS) * PROCESSES;
  let requests = 0;
  while (requests < wanted) {
    requests += (await side.get('/v1/calls/', 2, 'GET, product')).requests;
    requests += (await side.post('/v1/calls', 1, 'POST, product')).requests;
  }
  const all = await Promise.all(childrenOf(side.pool.pid).map(memoryOf));
  const most = (what) => Math.max(...all.map((one) => one[what]));
  return {
    what: 'memory of a responder',
    measured: `RSS ${megabytes(most('rss'))}`,
    goal: `<= ${RESPONDER_MB} MB`,
    met: most('rss') <= RESPONDER_MB * 1024,
    details: [
      `the largest of ${all.length} after over ${count(requests / all.length)} GETs and POSTs each; PSS ${megabytes(most('pss'))}`,
    ],
  };
}

async function dispatcher(bench) {
  const sink = await Sink.start(bench);
  const arena = await bench.arena('memory', { deliveries_in_flight_max: IN_FLIGHT });
  const workspace = await arena.workspace();
  const urls = Array.from({ length: ENDPOINTS }, (_, n) => `${sink.url}/delay/1500/${n}`);
  const destinations = await arena.endpoints(workspace, urls);
  await fill(arena, { workspace, destinations, events: ENDPOINTS * 40 });
  const program = await arena.dispatcher();
  await until(`${IN_FLIGHT} deliveries in flight`, async () => (await sink.stats()).waiting >= IN_FLIGHT, {
    within: 30_000,
    every: 5,
    seen: () => sink.stats(),
  });
  const { rss, pss } = await memoryOf(program.pid);
  await until('all to arrive', async () => (await sink.stats()).requests >= ENDPOINTS * 40, {
    within: 60_000,
    every: 50,
    seen: () => sink.stats(),
  });
  const { peak } = await memoryOf(program.pid);
  await bench.end(program);
  await bench.end(sink.program);
  return {
    what: `memory of the dispatcher, ${IN_FLIGHT} in flight`,
    measured: `RSS ${megabytes(rss)}`,
    goal: `<= ${DISPATCHER_MB} MB`,
    met: peak <= DISPATCHER_MB * 1024,
    details: [
      `PSS ${megabytes(pss)}; most in its life ${megabytes(peak)}; ${ENDPOINTS} endpoints that answer after 1.5 s`,
    ],
  };
}

export const memory = {
  name: 'memory',
  async run(bench) {
    return [await responders(bench), await dispatcher(bench)];
  },
};
