// What rate limits cost a request: GET with the limits of key and workspace, beside the same without.
import { CONNECTIONS, describeRounds, PROCESSES } from '../lib/http_side.mjs';
import { between, rate } from '../lib/report.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9;
const PRODUCT = '/v1/calls/';

// For the same processes; from the moment that the commands end.
async function limit(side, how) {
  const [{ key_id: key }] = await side.product.admin('key', 'list', '--workspace', side.workspace);
  await side.product.admin('key', 'limit', key, '--rate', how);
  await side.product.admin('workspace', 'limit', side.workspace, '--rate', how);
}

async function measure(side, how, seconds) {
  await limit(side, how);
  return side.get(PRODUCT, seconds, 'GET, product');
}

export const rates = {
  name: 'rates',
  async run(bench) {
    const side = await bench.httpSide();
    await measure(side, 'default', 1);
    const results = await alternate(bench.rounds, {
      limited: () => measure(side, 'default', bench.seconds),
      free: () => measure(side, 'none', bench.seconds),
    });
    await limit(side, 'default');
    const middle = (of) => median(results.map((result) => result[of].rate));
    const ratio = ratios(results, 'limited', 'free', (result) => result.rate);
    const windows = await side.product.query('SELECT taken FROM rate_windows ORDER BY taken DESC LIMIT 1');
    return [
      {
        what: 'GET with rate limits',
        measured: rate(middle('limited')),
        beside: rate(middle('free')),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `lighttpd, ${PROCESSES} processes, ${CONNECTIONS} connections; beside: the same key without limits; the fullest window had leased ${windows[0][0]}`,
          ...['limited', 'free'].map((of) => describeRounds(of, results)),
        ],
      },
    ];
  },
};
