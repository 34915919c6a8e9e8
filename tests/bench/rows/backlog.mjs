// Does a long backlog slow the dispatcher? The rate over the first thousands of deliveries, with
// millions waiting and with ten thousand.
import { fill } from '../lib/backlog.mjs';
import { between, count, rate } from '../lib/report.mjs';
import { Sink } from '../lib/sink.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const GOAL = 0.9;
const DESTINATIONS = 100;
const FAN_OUT = 10; // destinations per event
const SHORT = 10_000;
const COUNTED = 9_000; // deliveries of a round: what comes last of a backlog has no company

async function firstThousands(arena, sink, seconds) {
  await sink.reset();
  await arena.once(seconds);
  const { requests, first, nth } = await sink.stats(COUNTED);
  if (requests < COUNTED) throw new Error(`only ${requests} deliveries in ${seconds} s`);
  return COUNTED / ((nth - first) / 1e6);
}

export const backlog = {
  name: 'backlog',
  async run(bench) {
    const long = bench.quick ? 300_000 : 3_000_000;
    const sink = await Sink.start(bench);
    const [many, few] = [await bench.arena('backlog_long'), await bench.arena('backlog_short')];
    const workspace = await many.workspace();
    const urls = Array.from({ length: DESTINATIONS }, (_, n) => `${sink.url}/endpoints/${n}`);
    const destinations = await many.endpoints(workspace, urls);
    await few.copy(many, ['workspaces', 'destinations']);
    await fill(many, { workspace, destinations, events: long / FAN_OUT, fanOut: FAN_OUT });
    const results = await alternate(bench.rounds, {
      many: () => firstThousands(many, sink, 3),
      few: async () => {
        await fill(few, { workspace, destinations, events: SHORT / FAN_OUT, fanOut: FAN_OUT });
        return firstThousands(few, sink, 30);
      },
    });
    const left = await many.number("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'");
    await bench.end(sink.program);
    const ratio = ratios(results, 'many', 'few');
    return [
      {
        what: `drain with ${count(long)} waiting`,
        measured: rate(median(results.map((result) => result.many))),
        beside: rate(median(results.map((result) => result.few))),
        result: between(ratio),
        goal: `>= ${GOAL}`,
        met: ratio.median >= GOAL,
        details: [
          `the first ${count(COUNTED)} of a run, ${DESTINATIONS} destinations; ${count(left)} were left at the end; beside: ${count(SHORT)} waiting`,
        ],
      },
    ];
  },
};
