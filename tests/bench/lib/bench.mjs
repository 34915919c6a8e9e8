// One run of the bench: its folder, its processes, its database server, and the commands that were
// used. All that it started is ended by pid, and the folder is removed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish, parent, Program } from '../../e2e/lib/program.mjs';
import { Database } from './database.mjs';
import { Arena } from './arena.mjs';
import { HttpSide } from './http_side.mjs';

export const SOURCE = fileURLToPath(new URL('../../..', import.meta.url));

export class Bench {
  static async start(options) {
    const bench = new Bench();
    Object.assign(bench, options, { children: [], systems: [], commands: new Map(), shared: new Map() });
    bench.dir = await mkdtemp(path.join(tmpdir(), 'hv-bench-'));
    return bench;
  }

  program(name) {
    return path.join(this.programs, name);
  }

  source(file) {
    return path.join(SOURCE, file);
  }

  // Made at its first use, and then the same for all.
  #once(name, make) {
    if (!this.shared.has(name)) this.shared.set(name, make());
    return this.shared.get(name);
  }

  database() {
    return this.#once('database', () => Database.start(this));
  }

  httpSide() {
    return this.#once('http', () => HttpSide.start(this));
  }

  // A database of its own with the product's schema and a configuration for it.
  async arena(name, settings) {
    return Arena.create(this, await this.database(), name, settings);
  }

  // A process that runs until the bench, or its user, ends it.
  launch(line, { env = {}, label } = {}) {
    if (label) this.note(label, line);
    const child = spawn(line[0], line.slice(1), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child, path.basename(line[0]));
    this.children.push(program);
    return program;
  }

  // A process that ends by itself: what it printed. Throws when it ends badly.
  async run(line, { env, within = 120_000, label } = {}) {
    if (label) this.note(label, line);
    const result = await finish(line[0], line.slice(1), { env, within });
    if (result.code !== 0) {
      throw new Error(
        `${this.shown(line)} ended with ${result.code ?? result.signal}: ${result.stderr || result.stdout}`,
      );
    }
    return result.stdout;
  }

  async end(program, signal = 'SIGTERM') {
    program.signal(signal);
    await program.ended({ within: 60_000 });
    this.children = this.children.filter((child) => child !== program);
  }

  // Keeps a command for the list at the end, under a name; the last stands for all of its kind.
  note(label, line) {
    this.commands.set(label, this.shown(line));
  }

  shown(line) {
    const words = line.map((word) => (/^[\w@%+=:,./#-]+$/.test(word) ? word : `'${word}'`)).join(' ');
    return words
      .replaceAll(this.dir, 'DIR')
      .replaceAll(this.programs, 'BUILD')
      .replaceAll(SOURCE.replace(/\/$/, ''), 'SOURCE');
  }

  async stop({ keep = false } = {}) {
    for (const system of this.systems) await system.stop();
    for (const child of [...this.children].reverse()) {
      child.signal('SIGTERM');
      await child.ended({ within: 60_000 }).catch(() => {});
    }
    this.children = [];
    if (!keep) await rm(this.dir, { recursive: true, force: true });
  }
}

// Pids whose parent is this one.
export function childrenOf(pid) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parent(name) === pid)
    .map(Number);
}

// Microseconds of CPU that these processes have had, in steps of the kernel's tick.
export function cpuOf(pids) {
  const tick = 10_000;
  let total = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    total += (Number(fields[11]) + Number(fields[12])) * tick;
  }
  return total;
}

// {rss, pss, peak} in kilobytes.
export async function memoryOf(pid) {
  const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return { rss: field(rollup, 'Rss'), pss: field(rollup, 'Pss'), peak: field(status, 'VmHWM') };
}
