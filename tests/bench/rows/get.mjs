// GET /v1/calls/{id}: through lighttpd, key checked, beside a bare responder with one SELECT of key and call.
import { CONNECTIONS, describeRounds, PROCESSES } from '../lib/http_side.mjs';
import { between, rate } from '../lib/report.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9;
const PRODUCT = '/v1/calls/';
const BARE = '/bare/get/';

// Both must answer with the same bytes, or the comparison is none.
async function compareAnswers(side) {
  for (const id of side.ids.slice(0, 50)) {
    const [product, bare] = [await side.ask(PRODUCT, id), await side.ask(BARE, id)];
    if (product.status !== 200 || bare.status !== 200 || product.text !== bare.text) {
      throw new Error(`the answers differ:\n${product.status} ${product.text}\n${bare.status} ${bare.text}`);
    }
  }
  return (await side.ask(PRODUCT, side.ids[0])).text.length;
}

export const get = {
  name: 'get',
  async run(bench) {
    const side = await bench.httpSide();
    const bytes = await compareAnswers(side);
    await side.get(PRODUCT, 1, 'GET, product');
    await side.get(BARE, 1, 'GET, bare');
    const results = await alternate(bench.rounds, {
      product: () => side.get(PRODUCT, bench.seconds, 'GET, product'),
      bare: () => side.get(BARE, bench.seconds, 'GET, bare'),
    });
    const middle = (of, what) => median(results.map((result) => result[of][what]));
    const ratio = ratios(results, 'product', 'bare', (result) => result.rate);
    return [
      {
        what: 'GET /v1/calls/{id}',
        measured: rate(middle('product', 'rate')),
        beside: rate(middle('bare', 'rate')),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `lighttpd, ${PROCESSES} processes each, ${CONNECTIONS} connections, the same ${bytes} bytes of body; beside: one SELECT of key and call, and snprintf`,
          ...['product', 'bare'].map((of) => describeRounds(of, results)),
        ],
      },
    ];
  },
};
