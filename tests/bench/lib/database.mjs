// A private MariaDB: data below the bench's folder, a UNIX socket, no network, every commit durable.
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Program } from '../../e2e/lib/program.mjs';
import { until } from '../../e2e/lib/wait.mjs';

export class Database {
  static async start(bench) {
    const database = new Database();
    const data = path.join(bench.dir, 'data');
    const file = path.join(bench.dir, 'my.cnf');
    Object.assign(database, { bench, socket: path.join(bench.dir, 'db.sock') });
    await mkdir(data);
    await writeFile(file, settings(bench.dir, database.socket));
    await bench.run([
      'mariadb-install-db',
      `--defaults-file=${file}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]);
    const server = bench.launch(['mariadbd', `--defaults-file=${file}`], { label: 'database' });
    await until(
      'MariaDB to answer',
      async () => {
        if (!server.running)
          throw new Error(`MariaDB ended: ${await readFile(path.join(bench.dir, 'db.log'), 'utf8')}`);
        return database.query('', 'SELECT 1').catch(() => false);
      },
      { within: 60_000, every: 50 },
    );
    database.pid = server.pid;
    return database;
  }

  // Runs a script in a database ("": none); the last result's rows as arrays of texts.
  async query(name, script) {
    const args = ['--no-defaults', '--batch', '--skip-column-names', '--user=root', '--socket', this.socket];
    const child = spawn('mariadb', name ? [...args, name] : args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const client = new Program(child, 'mariadb');
    child.stdin.on('error', () => {}); // it ended before it read all; its exit says why
    child.stdin.end(script);
    const { code, stdout, stderr } = await client.ended({ within: 300_000 });
    if (code !== 0) throw new Error(`${stderr.trim()}\n${script.slice(0, 300)}`);
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  }

  async create(name) {
    await this.query('', `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  }
}

function settings(dir, socket) {
  const user = process.getuid() === 0 ? 'user = root\n' : '';
  return `[mariadbd]
${user}datadir = ${dir}/data
socket = ${socket}
pid-file = ${dir}/db.pid
log-error = ${dir}/db.log
tmpdir = ${dir}
skip-networking
skip-log-bin
innodb_flush_log_at_trx_commit = 1
innodb_buffer_pool_size = 2G
innodb_log_file_size = 512M
max_connections = 300
character-set-server = utf8mb4
`;
}
