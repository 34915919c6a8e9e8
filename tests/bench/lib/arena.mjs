// A database with the product's schema, and a configuration that points there: where one
// contestant runs. Arenas share the key file, so that rows with sealed secrets may be copied.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { idSql } from '../../e2e/lib/database.mjs';
import { HIGH_RATES } from '../../e2e/lib/system.mjs';
import { inParallel, until } from '../../e2e/lib/wait.mjs';

export class Arena {
  static async create(bench, database, name, settings = {}) {
    const arena = new Arena();
    const runtime = path.join(bench.dir, `run-${name}`);
    const keys = path.join(bench.dir, 'keys');
    Object.assign(arena, { bench, database, name, runtime, config: path.join(bench.dir, `${name}.conf`) });
    if (!existsSync(keys)) await writeFile(keys, `1 ${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    await mkdir(runtime);
    arena.settings = {
      public_url: 'http://127.0.0.1:1',
      key_file: keys,
      runtime_dir: runtime,
      migrations_dir: bench.source('sql/migrations'),
      database_hosts: `unix:${database.socket}`,
      database_name: name,
      database_user: 'root',
      deliver_allow_cidrs: '127.0.0.0/8',
      ...HIGH_RATES,
      ...settings,
    };
    await arena.configure({});
    await database.create(name);
    await bench.run([bench.program('huskyvoice-admin'), '--config', arena.config, 'migrate']);
    return arena;
  }

  // Writes the configuration anew with these settings changed.
  async configure(settings) {
    Object.assign(this.settings, settings);
    const lines = Object.entries(this.settings).map(([name, value]) => `${name} = ${value}\n`);
    await writeFile(this.config, lines.join(''), { mode: 0o600 });
  }

  async admin(...args) {
    const said = await this.bench.run([
      this.bench.program('huskyvoice-admin'),
      '--config',
      this.config,
      '--json',
      ...args,
    ]);
    return JSON.parse(said).data;
  }

  query(script) {
    return this.database.query(this.name, script);
  }

  async number(query) {
    return Number((await this.query(query))[0][0]);
  }

  async workspace() {
    return (await this.admin('workspace', 'create', '--name', 'bench')).workspace_id;
  }

  // Endpoints at these URLs, made as their owner would; their ids in the URLs' order.
  async endpoints(workspace, urls) {
    const made = await inParallel(4, urls, (url) =>
      this.admin('webhook', 'create', '--workspace', workspace, '--url', url),
    );
    return made.map(({ webhook_id: id }) => id);
  }

  // All rows of these tables as another arena has them.
  async copy(other, tables) {
    await this.query(
      tables.map((table) => `INSERT INTO ${table} SELECT * FROM ${other.name}.${table};`).join('\n'),
    );
  }

  // A resident dispatcher, listening for wakes. wrap: [program, ...args] that runs it.
  async dispatcher({ wrap = [], env } = {}) {
    const line = [this.bench.program('huskyvoice-dispatch'), '--config', this.config];
    this.bench.note('resident dispatcher', line);
    const program = this.bench.launch([...wrap, ...line], { env });
    const folder = path.join(this.runtime, 'wake');
    await until('the dispatcher to listen', async () => {
      if (!program.running) throw new Error(`huskyvoice-dispatch ended: ${program.stderr}`);
      return existsSync(folder) && (await readdir(folder)).includes(`${program.pid}.sock`);
    });
    return program;
  }

  // One run of the dispatcher, or of a program like it, to the end of what is due.
  once(seconds, { program = 'huskyvoice-dispatch', label = 'dispatcher, drain' } = {}) {
    const line = [
      this.bench.program(program),
      '--config',
      this.config,
      '--once',
      '--max-seconds',
      String(seconds),
    ];
    return this.bench.run(line, { within: (seconds + 60) * 1000, label });
  }
}

// The sixteen bytes of an id as hexadecimal digits.
export function idHex(id) {
  return idSql(id).slice(2, -1).toLowerCase();
}
