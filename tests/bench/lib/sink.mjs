// The sink that measured deliveries go to, and what it noted.
import { until } from '../../e2e/lib/wait.mjs';

export class Sink {
  static async start(bench) {
    const sink = new Sink();
    const program = bench.launch([bench.program('bench-sink')]);
    const port = await until('the sink to listen', () => {
      if (!program.running) throw new Error(`bench-sink ended: ${program.stderr}`);
      return Number(program.stdout.trim());
    });
    return Object.assign(sink, { program, url: `http://127.0.0.1:${port}` });
  }

  async #ask(path) {
    const answer = await fetch(`${this.url}/control/${path}`);
    return answer.text();
  }

  async reset() {
    await this.#ask('reset');
  }

  // {requests, first, last, nth, waiting, waiting_peak}; times in microseconds.
  async stats(nth = 0) {
    return JSON.parse(await this.#ask(`stats?nth=${nth}`));
  }

  // webhook-id -> when its first byte came; of a repeated one the first time.
  async times() {
    const times = new Map();
    for (const line of (await this.#ask('times')).split('\n').slice(0, -1)) {
      const [id, at] = line.split(' ');
      if (!times.has(id)) times.set(id, Number(at));
    }
    return times;
  }
}
