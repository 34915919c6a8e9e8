// One whole system under test: a private database, a web server, responders and (if wanted) a
// resident dispatcher, started and stopped by apache/quickstart, driven as its operator would.
import { spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Database, idSql, runSql } from './database.mjs';
import { Api } from './http.mjs';
import { alive, comm, finish, parent, Program } from './program.mjs';
import { inParallel, stretched, until } from './wait.mjs';

export const QUICKSTART = fileURLToPath(new URL('../../../apache/quickstart', import.meta.url));

// A port that nobody listens on, below those that the kernel gives to outgoing connections; the
// next one is free too, for a system's own receiver.
export async function freePort() {
  for (;;) {
    const port = 16_000 + 2 * Math.floor(Math.random() * 8_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port) {
  return new Promise((done) => {
    const server = net.createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

// The NAME=VALUE lines of a file for scripts.
export function readEnvironment(file) {
  const env = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const match = /^(?:export\s+)?([A-Z_]+)=(?:'(.*)'|"(.*)"|(.*))$/.exec(line);
    if (match) env[match[1]] = match[2] ?? match[3] ?? match[4];
  }
  return env;
}

// Limits that no test runs into, unless it says so; the way of a request is that with limits.
export const HIGH_RATES = {
  key_rate_per_minute: '10000000',
  workspace_rate_per_minute: '10000000',
};

let madeNumbers = 0;

// A mobile number that no other test uses.
export function freshNumber() {
  return `+9198${String(10_000_000 + madeNumbers++)}`;
}

// How many tests, and connections of one test, are good for a web server: mod_fcgid makes requests
// wait in steps of a second when more are under way than it has processes, CGI makes one for each.
function concurrency(server) {
  if (server.endsWith('fcgid')) return { lanes: 1, connections: 3 };
  return server.endsWith('cgi') ? { lanes: 3, connections: 4 } : { lanes: Infinity, connections: 50 };
}

export class System {
  // settings: {name: value} for the configuration; dispatcher: a resident one, or none.
  static async start({ dir, programs, server = 'lighttpd', settings = {}, dispatcher = true }) {
    const system = new System();
    settings = { ...HIGH_RATES, ...stretched(settings) };
    Object.assign(system, {
      dir,
      programs,
      server,
      settings,
      children: new Set(),
      ...concurrency(server),
    });
    system.agent = new http.Agent({ keepAlive: true, maxSockets: system.connections });
    system.port = await freePort();
    await mkdir(path.dirname(dir), { recursive: true });
    const args = [
      QUICKSTART,
      '--no-demo',
      '--dir',
      dir,
      '--port',
      String(system.port),
      '--server',
      server,
      '--programs',
      programs,
    ];
    for (const [name, value] of Object.entries(settings)) args.push('--set', `${name}=${value}`);
    if (!dispatcher) args.push('--no-dispatcher');
    const result = await finish('sh', args, { within: 120_000 });
    if (result.code !== 0) {
      throw new Error(
        `quickstart --server ${server} ended with ${result.code ?? result.signal}:\n${result.stdout}\n${result.stderr}`,
      );
    }
    system.env = readEnvironment(path.join(dir, 'quickstart.env'));
    system.url = system.env.HV_URL;
    system.api = new Api(system.url, system.env.HV_API_KEY, { agent: system.agent });
    system.pools = system.responders();
    return system;
  }

  program(name) {
    return path.join(this.env.HV_BIN, name);
  }

  // The responders live beside the other programs, or under libexec of an installation.
  responder(name) {
    const places = [this.program(`${name}.fcgi`), path.join(this.programs, `${name}.fcgi`)];
    return places.find((place) => existsSync(place)) ?? places[0];
  }

  // huskyvoice-admin --json; throws with its words when it refuses.
  async admin(...args) {
    const result = await this.adminRaw('--json', ...args);
    if (result.code !== 0)
      throw new Error(
        `huskyvoice-admin ${args.join(' ')}: ${result.code}: ${result.stderr || result.stdout}`,
      );
    try {
      return JSON.parse(result.stdout).data;
    } catch (error) {
      throw new Error(`huskyvoice-admin ${args.join(' ')} printed no {"data"}: ${result.stdout}`, {
        cause: error,
      });
    }
  }

  adminRaw(...args) {
    return this.adminWith(this.env.HV_CONFIG, ...args);
  }

  // With another configuration, as it comes: {code, stdout, stderr}.
  adminWith(config, ...args) {
    return finish(this.program('huskyvoice-admin'), ['--config', config, ...args]);
  }

  // On a terminal, as its operator sees it: {code, stdout: all that was shown}. into: a file that
  // standard output goes to.
  adminOnTerminal(args, { into } = {}) {
    const quoted = [this.program('huskyvoice-admin'), '--config', this.env.HV_CONFIG, ...args]
      .map((word) => `'${word}'`)
      .join(' ');
    return finish('script', ['-qec', into ? `${quoted} > '${into}'` : quoted, '/dev/null']);
  }

  // Rows of a query as objects of strings (NULL: null), through the database's own client.
  sql(query) {
    return runSql(this.env, query);
  }

  async one(query) {
    const rows = await this.sql(query);
    return rows.length ? Object.values(rows[0])[0] : undefined;
  }

  async number(query) {
    return Number(await this.one(query));
  }

  // A configuration like the system's, with some settings changed: for a program of our own.
  config(changes) {
    const file = path.join(this.dir, `e2e-${++this.configs}.conf`);
    const kept = readFileSync(this.env.HV_CONFIG, 'utf8')
      .split('\n')
      .filter((line) => !(/^\s*([a-z_]+)\s*=/.exec(line)?.[1] in changes));
    const added = Object.entries(stretched(changes)).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(file, [...kept, ...added, ''].join('\n'), { mode: 0o600 });
    const { uid, gid } = this.owner;
    chownSync(file, uid, gid);
    return file;
  }

  // Whom the system's programs run as: root's do not run as root.
  get owner() {
    return statSync(this.env.HV_CONFIG);
  }

  configs = 0;

  // A dispatcher of our own. settings: changes to the configuration; fault: a named fault point;
  // wrap: [program, ...args] that runs it.
  dispatcher({ args = [], settings, config, fault, env = {}, wrap = [] } = {}) {
    const file = config ?? (settings ? this.config(settings) : this.env.HV_CONFIG);
    const { uid, gid } = this.owner;
    const become =
      uid === process.getuid() ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
    const line = [...wrap, ...become, this.program('huskyvoice-dispatch'), '--config', file, ...args];
    const child = spawn(line[0], line.slice(1), {
      env: { ...process.env, ...env, ...(fault ? { HUSKYVOICE_FAULT: fault } : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child, `huskyvoice-dispatch ${args.join(' ')}`);
    this.children.add(program);
    return program;
  }

  // Ends the resident dispatcher that the quickstart started.
  async stopDispatcher() {
    const pid = this.pidOf('huskyvoice-disp');
    if (!pid) throw new Error(`no resident dispatcher among ${JSON.stringify(this.pids())}`);
    process.kill(pid, 'SIGTERM');
    await until(`the dispatcher ${pid} to end`, () => !alive(pid), { within: 30_000 });
  }

  // One run as cron makes it.
  once({ within = 70_000, args = [], ...options } = {}) {
    return this.dispatcher({ ...options, args: ['--once', ...args] }).ended({ within });
  }

  // The pids that the quickstart keeps, by name of file: {"mariadb": 123, ...}.
  pids() {
    const folder = path.join(this.dir, 'run');
    if (!existsSync(folder)) return {};
    const pids = {};
    for (const file of readdirSync(folder)) {
      if (!file.endsWith('.pid')) continue;
      const pid = Number(readFileSync(path.join(folder, file), 'utf8').trim());
      if (pid > 0 && alive(pid)) pids[file.slice(0, -4)] = pid;
    }
    return pids;
  }

  // The pid of the one process among them whose program has this name.
  pidOf(program) {
    return Object.values(this.pids()).find((pid) => comm(pid) === program);
  }

  // Our programs that run under this system's care, the web server's and pools' children included.
  programsRunning() {
    const roots = new Set(Object.values(this.pids()));
    const under = (pid) => pid > 1 && (roots.has(pid) || under(parent(pid)));
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && comm(name)?.startsWith('huskyvoice'))
      .map(Number)
      .filter(under)
      .sort();
  }

  // Where a pool keeps the responders, they are the same from beginning to end.
  responders() {
    const pooled = ['api', 'hooks', 'voice'].every((name) => name in this.pids());
    return pooled ? this.programsRunning().filter((pid) => /^huskyvoice-(api|hook|voic)/.test(comm(pid))) : [];
  }

  // What no run may leave: a responder that died and was replaced, a sanitizer's report.
  complaints() {
    const found = [];
    const now = this.responders();
    if (String(now) !== String(this.pools)) found.push(`responders died: ${this.pools} are now ${now}`);
    for (const file of readdirSync(path.join(this.dir, 'log'))) {
      const text = readFileSync(path.join(this.dir, 'log', file), 'utf8');
      const report = /^(?:fatal: |.*ERROR: \w+Sanitizer|.*runtime error:)[^]*/m.exec(text);
      if (report) found.push(`${file}: ${report[0].slice(0, 3000)}`);
    }
    return found;
  }

  get database() {
    return (this.keeper ??= new Database(this));
  }

  // A workspace of its own with agent, live key and, as asked, carrier and webhook endpoint.
  // talks: false disables the agent, so that each call made is an event at once (see event()).
  // policy: true leaves hours and limits as they are for everybody, so that a carrier is not asked at
  // night, nor thrice for one number.
  async customer({ agent = [], carrier, box, webhook = [], key = [], talks = true, policy = false } = {}) {
    const { workspace_id } = await this.admin('workspace', 'create', '--name', 'a customer');
    const customer = { workspace_id };
    if (carrier) {
      const made = await this.admin(
        'carrier',
        'create',
        '--workspace',
        workspace_id,
        '--kind',
        'http',
        '--url',
        carrier.url,
      );
      await carrier.behave({ secret: made.secret });
      if (!policy) await this.noPolicy(workspace_id);
      Object.assign(customer, { carrier_id: made.carrier_id, carrier_secret: made.secret, carrier });
      agent = [...agent, '--carrier', made.carrier_id];
    }
    const [madeAgent, madeKey, madeHook] = await Promise.all([
      this.admin('agent', 'create', '--workspace', workspace_id, '--name', 'an agent', ...agent),
      this.admin('key', 'create', '--workspace', workspace_id, ...key),
      box ? this.endpoint(workspace_id, box, webhook) : null,
    ]);
    Object.assign(customer, {
      agent_id: madeAgent.agent_id,
      key_id: madeKey.key_id,
      key: madeKey.key,
      box,
      webhook_id: madeHook?.webhook_id,
    });
    customer.api = new Api(this.url, madeKey.key, { agent: this.agent });
    if (!talks) await this.admin('agent', 'disable', madeAgent.agent_id);
    return customer;
  }

  // At all hours, to any number of lines, and to each number as often as one likes.
  noPolicy(workspaceId) {
    return this.sql(
      `UPDATE workspaces SET calling_from_minute = 0, calling_to_minute = 1440, concurrent_calls = 10000,
       number_calls_per_day = 1000, number_gap_minutes = 0 WHERE workspace_id = ${idSql(workspaceId)}`,
    );
  }

  async endpoint(workspaceId, box, args = []) {
    const made = await this.admin('webhook', 'create', '--workspace', workspaceId, '--url', box.url, ...args);
    box.secret = made.secret;
    return made;
  }

  // Makes a call and gives its id.
  async call(customer, fields = {}, headers) {
    const answer = await customer.api.create(
      { agent_id: customer.agent_id, contact_number: freshNumber(), ...fields },
      headers,
    );
    if (answer.status !== 201) throw new Error(`a call could not be made: ${answer.status} ${answer.text}`);
    return answer.json.data.call_id;
  }

  // The time of calls that were made for later has come.
  makeDue(...callIds) {
    return this.sql(`UPDATE calls SET scheduled_at = NOW(6), due_at = NOW(6)
      WHERE status = 'scheduled' AND call_id IN (${callIds.map(idSql)})`);
  }

  // One event for a customer that does not talk: a call that is disallowed as it is made. The call's
  // id; nothing but the delivery is left to a dispatcher.
  event(customer) {
    return this.call(customer);
  }

  events(customer, n) {
    return inParallel(8, Array(n).fill(customer), (one) => this.event(one));
  }

  // The delivery of a call's event: {state, position, attempts, last_status, last_error, ...}.
  async delivery(callId) {
    const rows = await this
      .sql(`SELECT d.state, d.position, d.attempts, d.lost, d.last_status, d.last_error, HEX(d.delivery_id) AS id
      FROM deliveries d JOIN events e USING (event_id) WHERE e.call_id = ${idSql(callId)}`);
    return rows[0];
  }

  // The log of that delivery, oldest first: {status, error, duration_ms, response}.
  log(callId) {
    return this
      .sql(`SELECT a.status, a.error, a.duration_ms, LENGTH(a.response) AS response FROM delivery_attempts a
      JOIN deliveries d USING (delivery_id) JOIN events e USING (event_id) WHERE e.call_id = ${idSql(callId)} ORDER BY a.fence`);
  }

  async endpointRow(webhookId) {
    const rows = await this.sql(
      `SELECT status, status_reason, failures, held_until FROM destinations WHERE destination_id = ${idSql(webhookId)}`,
    );
    return rows[0];
  }

  status(customer, callId, wanted, options) {
    const list = [wanted].flat();
    let last;
    return until(
      `call ${callId} to be ${list.join(' or ')}`,
      async () => {
        const answer = await customer.api.get(callId);
        last = answer.json ?? answer.text;
        return list.includes(answer.json?.data?.status) ? answer.json.data : null;
      },
      { within: 15_000, seen: () => last, ...options },
    );
  }

  over(customer, callId, options) {
    return this.status(customer, callId, ['completed', 'failed', 'cancelled', 'disallowed'], options);
  }

  // Until nothing of this workspace is on its way: every call over, every delivery settled.
  async settled(workspaceId, options) {
    const which = workspaceId ? `AND workspace_id = ${idSql(workspaceId)}` : '';
    const open = `SELECT
      (SELECT COUNT(*) FROM calls WHERE status IN ('scheduled','initiated','ringing','in_progress') ${which}) AS calls,
      (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting' ${which}) AS deliveries`;
    await until(
      'every call to be over and every delivery settled',
      async () => {
        const [{ calls, deliveries }] = await this.sql(open);
        return calls === '0' && deliveries === '0';
      },
      { within: 30_000, every: 40, seen: async () => (await this.sql(open))[0], ...options },
    );
  }

  // The last lines of what programs complained of, for a failure's report.
  logs(lines = 8) {
    const found = [];
    for (const name of ['dispatcher', 'api', 'voice', 'web', 'web-error', 'mariadb']) {
      const file = path.join(this.dir, 'log', `${name}.log`);
      if (!existsSync(file)) continue;
      const all = readFileSync(file, 'utf8').split('\n');
      const wanted = all.filter((line) => line && !/\[Note\]|notice\]|msg="started"/.test(line));
      if (wanted.length) found.push(`--- ${file}`, ...wanted.slice(-lines));
    }
    return found.join('\n');
  }

  async stop({ keep = false } = {}) {
    for (const child of this.children) child.signal('SIGKILL');
    this.agent?.destroy();
    this.keeper?.thaw();
    const complaints = this.complaints();
    const result = await finish('sh', [QUICKSTART, '--stop', '--dir', this.dir], { within: 60_000 });
    if (result.code !== 0)
      throw new Error(`quickstart --stop ended with ${result.code}: ${result.stdout}${result.stderr}`);
    const left = Object.entries(this.pids()).map(([name, pid]) => `${name} (${pid})`);
    if (left.length) throw new Error(`quickstart --stop left behind: ${left.join(', ')}`);
    await this.keeper?.stopOurs();
    if (complaints.length) throw new Error(complaints.join('\n'));
    if (!keep) await rm(this.dir, { recursive: true, force: true });
  }
}
