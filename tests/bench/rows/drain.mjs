// Draining a backlog of deliveries to one and to a thousand destinations, attempts logged, beside
// a bare claim, curl_multi, mark loop.
import { fill } from '../lib/backlog.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.8;
const MANY = 1000;
const ONE_PER_SECOND = 10_000; // about what is drained in a second: sizes the backlog

// Drains what was filled; {rate, seconds} between the first request and the last, as the sink saw
// them. Every delivery must have arrived once and stand as succeeded.
async function drain(arena, sink, deliveries, work, attempts) {
  await sink.reset();
  await work();
  const { requests, first, last } = await sink.stats();
  const done = await arena.number("SELECT COUNT(*) FROM deliveries WHERE state = 'succeeded'");
  const logged = await arena.number('SELECT COUNT(*) FROM delivery_attempts');
  if (requests !== deliveries || done !== deliveries || logged !== attempts) {
    throw new Error(
      `of ${deliveries} deliveries ${requests} arrived, ${done} are marked, ${logged} are logged`,
    );
  }
  const seconds = (last - first) / 1e6;
  return { rate: requests / seconds, seconds };
}

async function arenas(bench, sink) {
  const product = await bench.arena('drain_product');
  const bare = await bench.arena('drain_bare');
  const workspace = await product.workspace();
  const urls = Array.from({ length: MANY }, (_, n) => `${sink.url}/endpoints/${n}`);
  const destinations = await product.endpoints(workspace, urls);
  await bare.copy(product, ['workspaces', 'destinations']);
  // All one queue: the bare loop's own index in the place of the product's.
  await bare.query('ALTER TABLE deliveries DROP KEY due, ADD KEY due (state, due_at)');
  return { product, bare, workspace, destinations };
}

async function compare(bench, sink, world, destinations) {
  const deliveries = Math.max(1, bench.seconds) * ONE_PER_SECOND;
  const { product, bare, workspace } = world;
  const backlog = { workspace, destinations: world.destinations.slice(0, destinations), events: deliveries };
  const bareLine = [bench.program('bench-drain'), bare.database.socket, bare.name];
  const results = await alternate(bench.rounds, {
    product: async () => {
      await fill(product, backlog);
      return drain(product, sink, deliveries, () => product.once(120), deliveries);
    },
    bare: async () => {
      await fill(bare, backlog);
      return drain(bare, sink, deliveries, () => bench.run(bareLine, { label: 'bare drain' }), 0);
    },
  });
  const middle = (of) => median(results.map((result) => result[of].rate));
  const ratio = ratios(results, 'product', 'bare', (result) => result.rate);
  return {
    what: `drain, ${count(destinations)} destination${destinations > 1 ? 's' : ''}`,
    measured: rate(middle('product')),
    beside: rate(middle('bare')),
    result: between(ratio),
    goal: `>= ${GOAL}`,
    met: ratio.median >= GOAL,
    details: [
      `${count(deliveries)} deliveries a round, all to one host, each arrived once and every attempt logged; beside: no log, all one queue, 64 in flight`,
    ],
  };
}

export const drains = {
  name: 'drain',
  async run(bench) {
    const sink = await Sink.start(bench);
    const world = await arenas(bench, sink);
    const rows = [await compare(bench, sink, world, 1), await compare(bench, sink, world, MANY)];
    await bench.end(sink.program);
    return rows;
  },
};
