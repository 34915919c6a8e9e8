// POST /v1/calls with an Idempotency-Key, durable, beside a bare responder with one INSERT into the
// same table.
import { CONNECTIONS, describeRounds, PROCESSES } from '../lib/http_side.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.85;

// One load, and the proof that every answer stands in the table: wrk leaves requests that are
// under way at its end uncounted, at most one per connection.
async function measure(side, arena, target, seconds, label) {
  const before = await arena.number('SELECT COUNT(*) FROM calls');
  const result = await side.post(target, seconds, label);
  const rows = (await arena.number('SELECT COUNT(*) FROM calls')) - before;
  if (rows < result.requests || rows > result.requests + CONNECTIONS) {
    throw new Error(`${label}: ${result.requests} answers, but ${rows} rows`);
  }
  return result;
}

// The rows of both must be of one size.
async function compareRows(side) {
  const sizes = `SELECT LENGTH(contact_number), LENGTH(contact_name), LENGTH(contact_email), LENGTH(additional_info),
    LENGTH(fingerprint), LENGTH(idempotency_key), origin, status FROM calls WHERE idempotency_key IS NOT NULL LIMIT 1`;
  const [product, bare] = [await side.product.query(sizes), await side.bare.query(sizes)];
  if (String(product) !== String(bare)) throw new Error(`the rows differ: ${product} | ${bare}`);
}

export const post = {
  name: 'post',
  async run(bench) {
    const side = await bench.httpSide();
    const product = (seconds) => measure(side, side.product, '/v1/calls', seconds, 'POST, product');
    const bare = (seconds) => measure(side, side.bare, '/bare/post/calls', seconds, 'POST, bare');
    await product(1);
    await bare(1);
    await compareRows(side);
    const results = await alternate(bench.rounds, {
      product: () => product(bench.seconds),
      bare: () => bare(bench.seconds),
    });
    const middle = (of, what) => median(results.map((result) => result[of][what]));
    const ratio = ratios(results, 'product', 'bare', (result) => result.rate);
    const total = results.reduce((sum, result) => sum + result.product.requests, 0);
    return [
      {
        what: 'POST /v1/calls, durable',
        measured: rate(middle('product', 'rate')),
        beside: rate(middle('bare', 'rate')),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `lighttpd, ${PROCESSES} processes each, ${CONNECTIONS} connections, an Idempotency-Key each; beside: one INSERT of the same columns`,
          ...['product', 'bare'].map((of) => describeRounds(of, results)),
          `${count(total)} answers, each found in the table`,
        ],
      },
    ];
  },
};
