// Events at an even pace, and how long each took from its commit to its first byte at the sink.
import { until } from '../../e2e/lib/wait.mjs';

const FIRST_LEFT_OUT = 50; // of each pace: first connections, first statements

// Milliseconds per event, in the order they were made. Every event must arrive.
export async function paced(arena, sink, workspaces, { perSecond, seconds }) {
  const { bench } = arena;
  const total = perSecond * seconds + FIRST_LEFT_OUT;
  const line = [
    bench.program('bench-events'),
    '--config',
    arena.config,
    '--rate',
    String(perSecond),
    '--count',
    String(total),
    ...workspaces,
  ];
  await sink.reset();
  bench.note('paced events', [...line.slice(0, -workspaces.length), 'WORKSPACE...']);
  const said = await bench.run(line);
  const made = said
    .split('\n')
    .slice(1, -1)
    .map((text) => text.split(' '));
  let times;
  await until(
    'every event to arrive',
    async () => {
      times = await sink.times();
      return made.every(([id]) => times.has(id));
    },
    {
      within: 20_000,
      every: 100,
      seen: () => `${made.filter(([id]) => times.has(id)).length} of ${made.length}`,
    },
  );
  return made.slice(FIRST_LEFT_OUT).map(([id, at]) => (times.get(id) - Number(at)) / 1000);
}
