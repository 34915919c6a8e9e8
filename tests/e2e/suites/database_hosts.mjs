// Several hosts in database_hosts: responders and dispatcher go on to the next when one is dead,
// says nothing, or dies under them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { runCgi } from '../lib/cgi.mjs';
import { DatabaseProxy } from '../lib/database_proxy.mjs';
import { send } from '../lib/http.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber, System } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = { poll_interval: '100ms', simulator_ring: '20ms', simulator_talk: '20ms' };

// Ways for a host to be no good.
const bad = {
  'has no socket': () => ({ entry: 'unix:/nonexistent/mysqld.sock' }),
  'refuses connections': () => ({ entry: '127.0.0.1:1' }),
  'says nothing': async (system) => {
    const file = path.join(path.dirname(system.env.HV_DB_SOCKET), 'silent.sock');
    return { entry: `unix:${file}`, proxy: await new DatabaseProxy(file, null, { silent: true }).start() };
  },
};

const withHosts = (system, entry) =>
  system.config({ database_hosts: `${entry}, unix:${system.env.HV_DB_SOCKET}`, database_timeout: '500ms' });

function deadAtFirst(test) {
  for (const [name, make] of Object.entries(bad)) {
    test(`a first host that ${name}: responder and dispatcher use the second`, async ({
      system,
      receiver,
      defer,
    }) => {
      const { entry, proxy } = await make(system);
      if (proxy) defer(() => proxy.kill());
      const config = withHosts(system, entry);
      const answer = await runCgi(system, 'huskyvoice-api', { path: '/healthz', config });
      assert.deepEqual([answer.status, JSON.parse(answer.text).database], [200, 'ok'], answer.text);
      const customer = await system.customer({ box: receiver.box() });
      const callId = await system.call(customer);
      const program = system.dispatcher({ config });
      defer(() => program.kill('SIGTERM'));
      await customer.box.arrival({ call: callId, type: 'call.completed' });
      if (proxy) assert.ok(proxy.taken >= 2, `the first host was asked ${proxy.taken} times`);
    });
  }
}

function deadLater(test) {
  test('a first host that dies under load: the same processes go on with the second', async ({
    root,
    programs,
    receiver,
    defer,
  }) => {
    const dir = path.join(root, 'two-hosts');
    const first = path.join(dir, 'live/sockets/first.sock');
    const second = path.join(dir, 'live/sockets/db.sock');
    const system = await System.start({
      dir,
      programs,
      settings: { ...settings, database_hosts: `unix:${first}, unix:${second}` },
    });
    defer(() => system.stop()); // it complains of responders that died
    assert.equal(system.env.HV_DB_SOCKET, second);
    const ours = system.programsRunning();
    const proxy = await new DatabaseProxy(first, second).start();
    defer(() => proxy.kill());
    await breakAll(system); // from now on they use the first
    const customer = await system.customer({ box: receiver.box() });
    await oneCall(customer, system);
    await until('programs to use the first host', () => proxy.open >= 2, { seen: () => proxy.open });
    const calls = [];
    const callers = Array.from({ length: 4 }, () => keepCalling(customer, system, calls));
    await until('calls to be made', () => calls.length >= 20);
    const before = calls.length;
    await proxy.kill();
    await until('calls to be made after its death', () => calls.length >= before + 20);
    calls.stopping = true;
    const refused = (await Promise.all(callers)).flat();
    for (const { status } of refused) assert.equal(status, 503, 'callers are told to come again');
    await system.settled(customer.workspace_id);
    const done = customer.box.of({ type: 'call.completed' }).map(({ json }) => json.data.call_id);
    for (const callId of calls) assert.ok(done.includes(callId), `${callId} did not complete`);
    assert.equal((await send(`${system.url}/healthz`)).status, 200);
    assert.deepEqual(system.programsRunning(), ours, 'the same processes as before');
  });
}

// Every connection of ours to the database is broken by its operator.
async function breakAll(system) {
  await system.sql('KILL USER huskyvoice@localhost');
}

const create = ({ api, agent_id }) => api.create({ agent_id, contact_number: freshNumber() });

async function oneCall(customer, system) {
  const callId = await until('a call to be taken', async () => {
    const answer = await create(customer);
    return answer.json?.data?.call_id;
  });
  await system.status(customer, callId, 'completed');
}

// Makes one call after another until it is told to stop; what was refused.
async function keepCalling(customer, system, calls) {
  const refused = [];
  while (!calls.stopping) {
    const answer = await create(customer);
    if (answer.status === 201) calls.push(answer.json.data.call_id);
    else refused.push(answer);
  }
  return refused;
}

export default suite(
  'database_hosts',
  { runs: 'faults', weight: 10, system: { settings, dispatcher: false } },
  (test) => {
    deadAtFirst(test);
    deadLater(test);
  },
);
