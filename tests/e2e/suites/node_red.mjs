// Node-RED with the flow that is shipped: a lead posted to it becomes a call through an inbound
// webhook, and the call's events come back to it, verified there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { send } from '../lib/http.mjs';
import { Program } from '../lib/program.mjs';
import { sign } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { freePort, freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const FLOW = fileURLToPath(new URL('../../../apache/node-red.json', import.meta.url));
const NODE_RED = fileURLToPath(new URL('../node_modules/node-red/red.js', import.meta.url));

async function startNodeRed(system, port, env) {
  const folder = path.join(system.dir, 'node-red');
  await mkdir(folder, { recursive: true });
  await cp(FLOW, path.join(folder, 'flow.json'));
  await writeFile(
    path.join(folder, 'settings.js'),
    `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, httpAdminRoot: false, flowFile: 'flow.json', userDir: ${JSON.stringify(folder)},
      functionExternalModules: true, telemetry: { enabled: false } };`,
  );
  const child = spawn(process.execPath, [NODE_RED, '--settings', path.join(folder, 'settings.js')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program = new Program(child, 'node-red');
  system.children.add(program);
  const url = `http://127.0.0.1:${port}`;
  await until(
    'Node-RED to answer',
    async () => {
      if (!program.running) throw new Error(`Node-RED ended: ${program.stdout}${program.stderr}`);
      return (await send(`${url}/events`)).status === 200;
    },
    { within: 60_000, every: 200 },
  );
  return url;
}

const post = (url, body, headers = {}) =>
  send(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const settings = { poll_interval: '100ms', simulator_ring: '20ms', simulator_talk: '20ms' };

export default suite('node_red', { runs: 'faults', system: { settings }, weight: 10, within: 120_000 }, (test) => {
  test('a lead becomes one call through the inbound webhook, and its events come back verified', async ({ system }) => {
    const customer = await system.customer();
    const port = await freePort();
    const made = await system.admin(
      ...['webhook', 'create', '--workspace', customer.workspace_id],
      ...['--url', `http://127.0.0.1:${port}/huskyvoice`],
    );
    const hook = await system.admin('hook', 'create', '--workspace', customer.workspace_id, '--name', 'Node-RED');
    const url = await startNodeRed(system, port, {
      HUSKYVOICE_HOOK_URL: hook.url,
      HUSKYVOICE_AGENT_ID: customer.agent_id,
      HUSKYVOICE_WEBHOOK_SECRET: made.secret,
    });

    const lead = { id: 17, phone: freshNumber(), name: 'Raj Patel' };
    const answers = [await post(`${url}/new-lead`, lead), await post(`${url}/new-lead`, lead)];
    const [first, second] = answers.map(({ status, json }) => ({ status, id: json?.data?.call_id }));
    assert.equal(first.status, 201, JSON.stringify(answers[0]));
    assert.deepEqual(second, first, 'the same lead again is the same call');
    const call = await system.over(customer, first.id);
    assert.equal(call.additional_info.lead_id, 17);

    let events;
    await until('both events to be in Node-RED', async () => {
      events = (await send(`${url}/events`)).json;
      return events.length >= 2;
    });
    assert.deepEqual(events.map(({ event_type: type }) => type).sort(), ['call.completed', 'call.initiated']);
    assert.ok(events.every(({ data }) => data.call_id === first.id));

    // What is not ours is refused there.
    const body = JSON.stringify({ event_id: 'evt_1', event_type: 'call.completed', data: {} });
    const now = Math.floor(Date.now() / 1000);
    const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    assert.equal((await post(`${url}/huskyvoice`, body, sign(other, 'evt_1', now, body))).status, 401);
    assert.equal((await post(`${url}/huskyvoice`, body, sign(made.secret, 'evt_1', now - 3600, body))).status, 401);
    assert.equal((await post(`${url}/huskyvoice`, body)).status, 401);
    assert.equal((await send(`${url}/events`)).json.length, 2);
  });
});
