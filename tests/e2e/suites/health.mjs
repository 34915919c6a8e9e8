// What those who run the server look at: /healthz for everyone, /metrics for this host and for
// holders of the token.
import assert from 'node:assert/strict';
import { runCgi } from '../lib/cgi.mjs';
import { send } from '../lib/http.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const TOKEN = 'mt_for_the_tests';

// Prometheus text: {"name{labels}": value}, and a check that every line has the format's form.
function readMetrics(text) {
  const values = {};
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# ')) {
      assert.match(line, /^# (HELP|TYPE) [a-z_]+ \S/);
      continue;
    }
    const match = /^([a-z_]+(?:\{.*\})?) (-?\d+(?:\.\d+)?)$/.exec(line);
    assert.ok(match, `no Prometheus line: ${line}`);
    values[match[1]] = Number(match[2]);
  }
  return values;
}

const metricsOf = async (system) => readMetrics((await send(`${system.url}/metrics`)).text);

export default suite('health', { runs: 'core', wire: true }, (test) => {
  test('/healthz needs no key and says that process and database are well', async ({ system }) => {
    const answer = await send(`${system.url}/healthz`);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.deepEqual([answer.json.status, answer.json.database], ['ok', 'ok']);
    assert.ok(answer.headers['x-request-id']);
  });

  test('/metrics is Prometheus text with every promised figure', async ({ system }) => {
    const answer = await send(`${system.url}/metrics`);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^text\/plain; ?version=0\.0\.4/);
    const metrics = readMetrics(answer.text);
    for (const name of [
      'huskyvoice_up',
      'huskyvoice_calls_due',
      'huskyvoice_oldest_due_call_age_seconds',
      'huskyvoice_deliveries{state="waiting"}',
      'huskyvoice_deliveries{state="in_flight"}',
      'huskyvoice_deliveries{state="failed"}',
      'huskyvoice_oldest_waiting_delivery_age_seconds',
      'huskyvoice_endpoints_held',
    ])
      assert.equal(typeof metrics[name], 'number', `${name} in ${Object.keys(metrics)}`);
    assert.equal(metrics.huskyvoice_up, 1);
  });

  test('requests are counted by route and status', async ({ system }) => {
    const name = 'huskyvoice_requests_total{route="GET /v1/calls/{call_id}",status="404"}';
    const before = (await metricsOf(system))[name] ?? 0;
    for (let i = 0; i < 3; i++) await system.api.get('01890000-0000-7000-8000-000000000000');
    await until(
      'three more 404 to be counted',
      async () => ((await metricsOf(system))[name] ?? 0) >= before + 3,
      { seen: () => metricsOf(system) },
    );
  });

  test("a paused endpoint's delivery is counted as waiting, with its age", async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box() });
    await system.admin('webhook', 'pause', customer.webhook_id);
    await system.status(customer, await system.call(customer), 'completed');
    const metrics = await metricsOf(system);
    assert.ok(metrics['huskyvoice_deliveries{state="waiting"}'] >= 2, JSON.stringify(metrics));
    assert.ok(metrics.huskyvoice_oldest_waiting_delivery_age_seconds > 0, JSON.stringify(metrics));
    await system.admin('webhook', 'resume', customer.webhook_id);
    await customer.box.count(2);
  });

  test('/metrics from elsewhere is refused without the token, and given with it', async ({ system }) => {
    const from = (address, headers = {}) =>
      runCgi(system, 'huskyvoice-api', { path: '/metrics', remote: address, headers });
    assert.equal((await from('127.0.0.1')).status, 200);
    for (const address of ['203.0.113.9', '10.0.0.1', '2001:db8::1', '128.0.0.1', '']) {
      const refused = await from(address);
      assert.ok([401, 403, 404].includes(refused.status), `${address}: ${refused.status}`);
      assert.ok(!refused.text.includes('huskyvoice_'), 'the refusal gives no figure');
      assert.ok(
        [401, 403, 404].includes((await from(address, { Authorization: `Bearer ${TOKEN}x` })).status),
      );
      assert.ok(
        [401, 403, 404].includes(
          (await from(address, { Authorization: `Bearer ${system.env.HV_API_KEY}` })).status,
        ),
      );
    }
    const given = await from('203.0.113.9', { Authorization: `Bearer ${TOKEN}` });
    assert.equal(given.status, 200, given.text);
    assert.equal(readMetrics(given.text).huskyvoice_up, 1);
  });

  test('/metrics through a proxy on this host is not taken for local', async ({ system }) => {
    for (const header of [{ 'X-Forwarded-For': '203.0.113.9' }, { Forwarded: 'for=203.0.113.9' }]) {
      const answer = await send(`${system.url}/metrics`, { headers: header });
      assert.ok([401, 403, 404].includes(answer.status), `${JSON.stringify(header)}: ${answer.status}`);
    }
    assert.equal(
      (
        await send(`${system.url}/metrics`, {
          headers: { 'X-Forwarded-For': '203.0.113.9', Authorization: `Bearer ${TOKEN}` },
        })
      ).status,
      200,
    );
  });
});
