// The same latency by the whole path: calls made over HTTP, placed with the simulator, its
// callbacks taken by the voice responder; two events each. Measured from an event's created_at,
// which is taken inside its transaction and so is earlier than the commit.
import path from 'node:path';
import { System } from '../../e2e/lib/system.mjs';
import { until } from '../../e2e/lib/wait.mjs';
import { idHex } from '../lib/arena.mjs';
import { count, milliseconds } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { percentile } from '../lib/statistics.mjs';

const CALLS_PER_SECOND = 100;
const EVENTS_PER_CALL = 2;
const FIRST_LEFT_OUT = 50; // events

// One call every so often, whether or not the last was answered.
async function makeCalls(system, customer, total) {
  const began = performance.now();
  const answers = [];
  for (let i = 0; i < total; i++) {
    const wait = began + (i * 1000) / CALLS_PER_SECOND - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    answers.push(system.call(customer));
  }
  await Promise.all(answers);
  return (performance.now() - began) / 1000;
}

async function latencies(system, customer, sink, total) {
  let times;
  await until(
    'every event to arrive',
    async () => {
      times = await sink.times();
      return times.size >= total * EVENTS_PER_CALL;
    },
    { within: 60_000, every: 100, seen: () => `${times.size} of ${total * EVENTS_PER_CALL}` },
  );
  const rows =
    await system.sql(`SELECT LOWER(HEX(event_id)) AS id, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) AS at
    FROM events WHERE workspace_id = X'${idHex(customer.workspace_id)}' ORDER BY created_at`);
  const byHex = new Map([...times].map(([id, at]) => [idHex(id), at]));
  return rows.slice(FIRST_LEFT_OUT).map(({ id, at }) => (byHex.get(id) - Number(at)) / 1000);
}

export const wholeCalls = {
  name: 'calls',
  async run(bench) {
    const sink = await Sink.start(bench);
    const system = await System.start({
      dir: path.join(bench.dir, 'calls'),
      programs: bench.programs,
      settings: { simulator_ring: '20ms', simulator_talk: '20ms' },
    });
    bench.systems.push(system);
    const customer = await system.customer();
    await system.admin(
      'webhook',
      'create',
      '--workspace',
      customer.workspace_id,
      '--url',
      `${sink.url}/events`,
    );
    const total = CALLS_PER_SECOND * bench.seconds;
    await sink.reset();
    const seconds = await makeCalls(system, customer, total);
    const samples = await latencies(system, customer, sink, total);
    await bench.end(sink.program);
    return [
      {
        what: `the same by whole calls, ${CALLS_PER_SECOND}/s`,
        measured: `p95 ${milliseconds(percentile(samples, 0.95))}`,
        details: [
          `p50 ${milliseconds(percentile(samples, 0.5))}, p99 ${milliseconds(percentile(samples, 0.99))}, most ${milliseconds(Math.max(...samples))}; ` +
            `${count(total)} calls over HTTP in ${seconds.toFixed(1)} s, placed with the simulator, two events each, from created_at to first byte`,
        ],
      },
    ];
  },
};
