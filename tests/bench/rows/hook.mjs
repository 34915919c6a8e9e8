// call.create by an inbound hook, durable, each with an Idempotency-Key, beside POST /v1/calls.
import { CONNECTIONS, describeRounds, PROCESSES } from '../lib/http_side.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9;

// One load, and the proof that every answer stands in the table, as a call of this origin.
async function measure(side, origin, load) {
  const made = () => side.product.number(`SELECT COUNT(*) FROM calls WHERE origin = '${origin}'`);
  const before = await made();
  const result = await load();
  const rows = (await made()) - before;
  if (rows < result.requests || rows > result.requests + CONNECTIONS)
    throw new Error(`${origin}: ${result.requests} answers, but ${rows} rows`);
  return result;
}

export const hook = {
  name: 'hook',
  async run(bench) {
    const side = await bench.httpSide();
    const byHook = (seconds) =>
      measure(side, 'hook', () => side.postToHook(seconds, 'call.create by a hook'));
    const byApi = (seconds) =>
      measure(side, 'api_live', () => side.post('/v1/calls', seconds, 'POST, product'));
    await byHook(1);
    await byApi(1);
    const results = await alternate(bench.rounds, {
      hook: () => byHook(bench.seconds),
      api: () => byApi(bench.seconds),
    });
    const middle = (of) => median(results.map((result) => result[of].rate));
    const ratio = ratios(results, 'hook', 'api', (result) => result.rate);
    const total = results.reduce((sum, result) => sum + result.hook.requests, 0);
    return [
      {
        what: 'inbound call.create',
        measured: rate(middle('hook')),
        beside: rate(middle('api')),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `lighttpd, ${PROCESSES} processes each, ${CONNECTIONS} connections, an Idempotency-Key each; beside: POST /v1/calls`,
          ...['hook', 'api'].map((of) => describeRounds(of, results)),
          `${count(total)} answers, each found in the table`,
        ],
      },
    ];
  },
};
