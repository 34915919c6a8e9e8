// The database as its operator handles it: queries through its own client, kill, start, freeze.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { alive } from './program.mjs';
import { until } from './wait.mjs';

const run = promisify(execFile);

// Rows as objects of strings (NULL: null); env as in quickstart.env.
export async function runSql(env, query) {
  const args = ['--no-defaults', '--socket', env.HV_DB_SOCKET, '--default-character-set=utf8mb4'];
  if (env.HV_DB_USER) args.push('--user', env.HV_DB_USER);
  const { stdout } = await run('mariadb', [...args, env.HV_DB_NAME, '--batch', '-e', query], {
    maxBuffer: 64 << 20,
  });
  const lines = stdout.split('\n').slice(0, -1);
  if (lines.length === 0) return [];
  const names = lines[0].split('\t');
  return lines.slice(1).map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(
      names.map((name, i) => [name, cells[i] === 'NULL' ? null : unescapeCell(cells[i])]),
    );
  });
}

function unescapeCell(cell) {
  return cell.replace(/\\([0ntr\\])/g, (_, c) => ({ 0: '\0', n: '\n', t: '\t', r: '\r', '\\': '\\' })[c]);
}

// An id as shown, as an SQL literal of the sixteen bytes that are stored.
export function idSql(id) {
  if (/^[0-9a-f-]{36}$/i.test(id)) return `X'${id.replaceAll('-', '')}'`;
  const bits = [...id.slice(id.indexOf('_') + 1)].map((c) => BASE32.indexOf(c));
  if (bits.some((value) => value < 0)) throw new Error(`${id} is no id`);
  let value = 0n;
  for (const five of bits) value = (value << 5n) | BigInt(five);
  const extra = BigInt(bits.length * 5 - 128);
  return `X'${(value >> extra).toString(16).padStart(32, '0')}'`;
}
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's alphabet

export class Database {
  constructor(system) {
    this.system = system;
    this.pid = system.pidOf('mariadbd');
    if (!this.pid) throw new Error(`no pid file of ${system.dir}/run is mariadbd's`);
    this.line = readFileSync(`/proc/${this.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  }

  async kill(signal = 'SIGKILL') {
    const { pid } = this;
    process.kill(pid, signal);
    await until(`mariadbd ${pid} to be gone`, () => !alive(pid), { within: 30_000 });
  }

  // The same command line again, as a service manager does it.
  async start() {
    const log = openSync(`${this.system.dir}/log/mariadb.log`, 'a');
    const child = spawn(this.line[0], this.line.slice(1), {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: this.system.dir,
    });
    closeSync(log);
    child.unref();
    this.pid = child.pid;
    this.ours = child;
    await until(
      'the database to answer again',
      async () => {
        try {
          return await this.system.one('SELECT 1');
        } catch {
          return false;
        }
      },
      { within: 60_000, every: 50 },
    );
  }

  freeze() {
    process.kill(this.pid, 'SIGSTOP');
    this.frozen = true;
  }

  thaw() {
    if (this.frozen) process.kill(this.pid, 'SIGCONT');
    this.frozen = false;
  }

  // In case the quickstart did not know the server that we started.
  async stopOurs() {
    if (!this.ours || !alive(this.pid)) return;
    const gone = once(this.ours, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await gone;
  }
}
