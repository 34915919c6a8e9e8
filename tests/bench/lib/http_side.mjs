// Both contestants of the request rows behind one lighttpd with the shipped configuration: the
// product's pools for the API and for inbound hooks, and pools of the bare responder, eight processes
// each, databases alike.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { idSql } from '../../e2e/lib/database.mjs';
import { freePort } from '../../e2e/lib/system.mjs';
import { until } from '../../e2e/lib/wait.mjs';
import { idHex } from './arena.mjs';
import { childrenOf, cpuOf } from './bench.mjs';
import { milliseconds } from './report.mjs';
import { median } from './statistics.mjs';

export const PROCESSES = 8;
export const CONNECTIONS = 32;
const CALLS = 10_000;
const ASKED_FOR = 2_000;

// bare_responder.c stores the same values.
const REQUEST = {
  contact_number: '+919876543210',
  contact_name: 'Asha Verma',
  contact_email: 'asha@example.com',
  additional_info: { company: 'Acme Traders', order: 'A-1024', language: 'hi' },
};

export class HttpSide {
  static async start(bench) {
    const side = new HttpSide();
    const [product, bare] = [await bench.arena('http_product'), await bench.arena('http_bare')];
    Object.assign(side, { bench, product, bare, port: await freePort() });
    side.url = `http://127.0.0.1:${side.port}`;
    await product.configure({ public_url: side.url });
    await side.#fillTables();
    await side.#startPools();
    await side.#startWebServer();
    return side;
  }

  async #fillTables() {
    this.workspace = await this.product.workspace();
    this.agent = (
      await this.product.admin('agent', 'create', '--workspace', this.workspace, '--name', 'bench')
    ).agent_id;
    this.key = (await this.product.admin('key', 'create', '--workspace', this.workspace)).key;
    this.hook = new URL(
      (await this.product.admin('hook', 'create', '--workspace', this.workspace)).url,
    ).pathname;
    const {
      contact_number: number,
      contact_name: name,
      contact_email: email,
      additional_info: info,
    } = REQUEST;
    await this.product.query(`
      INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, contact_name, contact_email,
        additional_info, scheduled_at, due_at, completed_at, duration_seconds, origin, created_at, updated_at)
      SELECT UNHEX(CONCAT(LPAD(HEX(${Date.now()} + seq), 12, '0'), '7', LEFT(MD5(seq), 3), '8', LEFT(MD5(seq * 7), 15))),
        ${idSql(this.workspace)}, ${idSql(this.agent)}, 'in_progress', 0, '${number}', '${name}', '${email}',
        '${JSON.stringify(info)}', NOW(6), NOW(6), NULL, NULL, 'api_live', NOW(6), NOW(6)
      FROM seq_1_to_${CALLS};
      ANALYZE TABLE calls, api_keys;`);
    await this.bare.copy(this.product, ['workspaces', 'agents', 'api_keys', 'calls']);
    this.idsFile = path.join(this.bench.dir, 'ids');
    this.bodyFile = path.join(this.bench.dir, 'body.json');
    const ids = await this.product.query(
      `SELECT LOWER(HEX(call_id)) FROM calls ORDER BY MD5(call_id) LIMIT ${ASKED_FOR}`,
    );
    this.ids = ids.map(([hex]) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
    await writeFile(this.idsFile, this.ids.map((id) => `${id}\n`).join(''));
    await writeFile(this.bodyFile, JSON.stringify({ agent_id: this.agent, ...REQUEST }));
    this.messageFile = path.join(this.bench.dir, 'message.json');
    await writeFile(
      this.messageFile,
      JSON.stringify({ action: 'call.create', data: { agent_id: this.agent, ...REQUEST } }),
    );
  }

  async #startPools() {
    const { bench, bare } = this;
    const responder = bench.program('bench-responder');
    const keyHash = createHash('sha256').update(this.key).digest('hex');
    const database = [bare.database.socket, bare.name];
    this.pool = await this.#pool('api', [
      bench.program('huskyvoice-api.fcgi'),
      '--config',
      this.product.config,
    ]);
    this.hooksPool = await this.#pool('hooks', [
      bench.program('huskyvoice-hooks.fcgi'),
      '--config',
      this.product.config,
    ]);
    this.barePools = {
      get: await this.#pool('bare-get', [responder, 'get', ...database, keyHash]),
      post: await this.#pool('bare-post', [
        responder,
        'post',
        ...database,
        idHex(this.workspace),
        idHex(this.agent),
      ]),
    };
  }

  #socket(name) {
    return path.join(this.bench.dir, `${name}.sock`);
  }

  async #pool(name, program) {
    const line = [
      'spawn-fcgi',
      '-n',
      '-s',
      this.#socket(name),
      '-M',
      '0660',
      '-b',
      '1024',
      '--',
      found('multiwatch'),
      '-f',
      String(PROCESSES),
      '-s',
      'TERM',
      '--',
      ...program,
    ];
    // Without it libfcgi waits at each connection's end for the peer; the product sets it itself.
    const pool = this.bench.launch(line, {
      label: `pool ${name}`,
      env: { LIBFCGI_OS_CLOSE_POLL_TIMEOUT: '0' },
    });
    await until(`the pool ${name}`, () => {
      if (!pool.running) throw new Error(`the pool ${name} ended: ${pool.stderr}${pool.stdout}`);
      return existsSync(this.#socket(name));
    });
    return pool;
  }

  async #startWebServer() {
    const { bench } = this;
    const shipped = (await readFile(bench.source('apache/lighttpd.conf.in'), 'utf8'))
      .replaceAll('@API_SOCKET@', this.#socket('api'))
      .replaceAll('@HOOKS_SOCKET@', this.#socket('hooks'))
      .replaceAll('@VOICE_SOCKET@', this.#socket('api'))
      .replaceAll('@ACCESS_LOG@', path.join(bench.dir, 'access.log'));
    const file = path.join(bench.dir, 'lighttpd.conf');
    await mkdir(path.join(bench.dir, 'www'));
    await writeFile(
      file,
      `server.document-root = "${bench.dir}/www"
server.bind = "127.0.0.1"
server.port = ${this.port}
server.upload-dirs = ( "${bench.dir}" )
${shipped}
fastcgi.server += (
    "/bare/get/"  => (( "socket" => "${this.#socket('bare-get')}", "check-local" => "disable", "disable-time" => 0 )),
    "/bare/post/" => (( "socket" => "${this.#socket('bare-post')}", "check-local" => "disable", "disable-time" => 0 ))
)
`,
    );
    const server = (this.webServer = bench.launch(['lighttpd', '-D', '-f', file], { label: 'web server' }));
    await until('lighttpd to answer', async () => {
      if (!server.running) throw new Error(`lighttpd ended: ${server.stderr}`);
      return (await fetch(`${this.url}/healthz`).catch(() => null))?.ok;
    });
  }

  // What one request answers: {status, text}.
  async ask(prefix, id) {
    const answer = await fetch(`${this.url}${prefix}${id}`, {
      headers: { Authorization: `Bearer ${this.key}` },
    });
    return { status: answer.status, text: await answer.text() };
  }

  // wrk with GETs of paths that begin so: {rate, p50_ms, p95_ms, p99_ms, requests, cpu}. cpu:
  // microseconds of each process group per request.
  get(prefix, seconds, label) {
    const pool = prefix === '/v1/calls/' ? this.pool : this.barePools.get;
    return this.#wrk(label, pool, 'get.lua', seconds, [this.key, this.idsFile, prefix]);
  }

  post(target, seconds, label, { key, bodyFile } = this) {
    const salt = process.hrtime.bigint().toString(36);
    const pool = target === '/v1/calls' ? this.pool : this.barePools.post;
    return this.#wrk(label, pool, 'post.lua', seconds, [key, bodyFile, target, salt]);
  }

  // Another workspace to post calls for, to numbers all over the plan.
  async customer() {
    const workspace = await this.product.workspace();
    const made = (what, ...args) => this.product.admin(what, 'create', '--workspace', workspace, ...args);
    const { agent_id: agent } = await made('agent', '--name', 'bench');
    const { key, key_id: id } = await made('key');
    const bodyFile = path.join(this.bench.dir, `body-${id}.json`);
    await writeFile(
      bodyFile,
      JSON.stringify({ agent_id: agent, ...REQUEST, contact_number: '+9198########' }),
    );
    return { workspace, key, bodyFile };
  }

  // The same calls by the inbound hook.
  postToHook(seconds, label) {
    const salt = process.hrtime.bigint().toString(36);
    return this.#wrk(label, this.hooksPool, 'post.lua', seconds, [this.key, this.messageFile, this.hook, salt]);
  }

  #cpu(pool) {
    return {
      database: cpuOf([this.product.database.pid]),
      responders: cpuOf(childrenOf(pool.pid)),
      'web server': cpuOf([this.webServer.pid]),
    };
  }

  async #wrk(label, pool, script, seconds, args) {
    const line = [
      'wrk',
      '-t2',
      `-c${CONNECTIONS}`,
      `-d${seconds}s`,
      '-s',
      this.bench.source(`tests/bench/${script}`),
      this.url,
      '--',
      ...args,
    ];
    const before = this.#cpu(pool);
    const said = await this.bench.run(line);
    const after = this.#cpu(pool);
    this.bench.note(
      label,
      line.map((word) => (/^sk_/.test(word) ? 'KEY' : word === this.hook ? '/v1/hooks/TOKEN' : word)),
    );
    const result = JSON.parse(/^RESULT (.*)$/m.exec(said)[1]);
    if (result.failed > 0)
      throw new Error(`${label}: ${result.failed} of ${result.requests} requests failed:\n${said}`);
    const cpu = {};
    for (const group of Object.keys(after)) cpu[group] = (after[group] - before[group]) / result.requests;
    return { ...result, rate: result.requests / result.seconds, cpu };
  }
}

// One line on rounds of one contestant: latencies, and where the CPU time of a request went.
export function describeRounds(of, results) {
  const middle = (value) => median(results.map((result) => value(result[of])));
  const groups = Object.keys(results[0][of].cpu).map(
    (group) => `${group} ${Math.round(middle(({ cpu }) => cpu[group]))}`,
  );
  return `${of}: p50 ${milliseconds(middle((one) => one.p50_ms))}, p99 ${milliseconds(middle((one) => one.p99_ms))}; CPU per request in us: ${groups.join(', ')}`;
}

// spawn-fcgi wants the whole path.
function found(program) {
  const folder = process.env.PATH.split(':').find((one) => existsSync(path.join(one, program)));
  if (!folder) throw new Error(`there is no ${program} (Debian: apt-get install ${program})`);
  return path.join(folder, program);
}
