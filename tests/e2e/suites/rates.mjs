// Rate limits of keys and workspaces, as callers and operators see them.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { createMessage, makeHook, tell } from '../lib/hooks.mjs';
import { Api, send } from '../lib/http.mjs';
import { burst, inOneWindow, rates, UNKNOWN_CALL } from '../lib/rates.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';

const LIMIT = 60;

async function limited(system, { key, keyRate, rate } = {}) {
  const customer = await system.customer({ talks: false });
  if (key) await system.admin('key', 'limit', customer.key_id, '--rate', String(key));
  const options = [];
  if (keyRate) options.push('--key-rate', String(keyRate));
  if (rate) options.push('--rate', String(rate));
  if (options.length) await system.admin('workspace', 'limit', customer.workspace_id, ...options);
  return customer;
}

function headers(test) {
  test('every answer to a good key says where its limits stand', ({ system }) =>
    inOneWindow(system, async () => {
      const customer = await limited(system, { key: 500, rate: 1000 });
      const answers = [
        [201, await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() })],
        [200, await customer.api.list()],
        [400, await customer.api.create({})],
        [404, await customer.api.get(UNKNOWN_CALL)],
        [415, await customer.api.create('x', { 'Content-Type': 'text/plain' })],
      ];
      let spent = 0;
      for (const [status, answer] of answers) {
        spent++;
        assert.equal(answer.status, status, answer.text);
        const { policy, now } = rates(answer);
        assert.deepEqual(policy, { key: { q: 500, w: 60 }, workspace: { q: 1000, w: 60 } });
        assert.deepEqual([now.key.r, now.workspace.r], [500 - spent, 1000 - spent]);
        assert.ok(now.key.t >= 1 && now.key.t <= 60, JSON.stringify(now));
      }
    }));

  test('a key without the scope is counted as well', async ({ system }) => {
    const customer = await system.customer({ key: ['--scopes', 'manage'] });
    const answer = await customer.api.list();
    assertError(answer, 403, 'forbidden');
    assert.ok(rates(answer).policy.key.q > 0);
  });

  test('who has no good key is told nothing of limits', async ({ system }) => {
    for (const answer of [
      await new Api(system.url, 'sk_live_wrong').list(),
      await send(`${system.url}/v1/calls`),
      await send(`${system.url}/healthz`),
    ]) {
      assert.equal(answer.headers['ratelimit-policy'], undefined);
      assert.equal(answer.headers['ratelimit'], undefined);
    }
  });
}

function floods(test) {
  test(`of a burst of 200 at ${LIMIT} a minute ${LIMIT} are accepted`, { alone: true }, ({ system }) =>
    inOneWindow(system, async () => {
      const customer = await limited(system, { key: LIMIT });
      const { accepted, refused } = await burst(customer, 200);
      assert.equal(accepted.length, LIMIT);
      for (const answer of refused) {
        assertError(answer, 429, 'rate_limited', /API key.* 60 in 60 s/);
        const { now } = rates(answer);
        assert.equal(now.key.r, 0);
        assert.ok(Number(answer.headers['retry-after']) >= now.key.t);
        assert.ok(now.key.t >= 1 && now.key.t <= 60);
      }
      const second = await system.admin('key', 'create', '--workspace', customer.workspace_id);
      const api = new Api(system.url, second.key, { agent: system.agent });
      assert.equal((await api.get(UNKNOWN_CALL)).status, 404, 'another key has its own limit');
    }));

  test("a workspace's keys share its limit", { alone: true }, ({ system }) =>
    inOneWindow(system, async () => {
      const customer = await limited(system, { rate: 20 });
      const second = await system.admin('key', 'create', '--workspace', customer.workspace_id);
      const api = new Api(system.url, second.key, { agent: system.agent });
      const one = await burst(customer, 15);
      const two = await burst(customer, 15, { api });
      assert.deepEqual([one.accepted.length, two.accepted.length], [15, 5]);
      assertError(two.refused[0], 429, 'rate_limited', /workspace.* 20 in 60 s/);
    }));

  test("an inbound hook has a key's limit, and spends its workspace's", { alone: true }, ({ system }) =>
    inOneWindow(system, async () => {
      const customer = await limited(system, { keyRate: 10, rate: 15 });
      const hook = await makeHook(customer); // the workspace's first request
      const message = createMessage({}); // of no use: what counts is that it came
      const answers = [];
      for (let i = 0; i < 12; i++) answers.push(await tell(system, hook.url, message));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [...Array(10).fill(400), 429, 429],
      );
      assert.deepEqual(rates(answers[0]).policy, { hook: { q: 10, w: 60 }, workspace: { q: 15, w: 60 } });
      assertError(answers[11], 429, 'rate_limited', /hook/);
      assert.equal(rates(answers[11]).now.hook.r, 0);
      assert.equal((await burst(customer, 12)).accepted.length, 4, "of the workspace's 15");
    }));

  test('a refused request makes nothing', { alone: true }, ({ system }) =>
    inOneWindow(system, async () => {
      const customer = await limited(system, { key: 1 });
      assert.equal((await customer.api.get(UNKNOWN_CALL)).status, 404);
      const fields = { agent_id: customer.agent_id, contact_number: freshNumber() };
      assertError(await customer.api.create(fields), 429, 'rate_limited');
      await system.admin('key', 'limit', customer.key_id, '--rate', 'none');
      assert.deepEqual((await customer.api.list()).json.data, []);
    }));
}

function operators(test) {
  test('limits are set, shown and taken back, and hold when the command ends', async ({ system }) => {
    const customer = await system.customer();
    const policy = async () => (await customer.api.get(UNKNOWN_CALL)).headers['ratelimit-policy'];
    const standard = await policy();
    const workspace = (...args) => system.admin('workspace', 'limit', customer.workspace_id, ...args);
    const key = (rate) => system.admin('key', 'limit', customer.key_id, '--rate', rate);

    assert.deepEqual(await workspace('--key-rate', '700'), {
      workspace_id: customer.workspace_id,
      key_rate_per_minute: 700,
      rate_per_minute: null,
    });
    assert.match(await policy(), /^"key";q=700;w=60, "workspace"/);
    assert.deepEqual(await key('800'), { key_id: customer.key_id, rate_per_minute: 800 });
    assert.match(await policy(), /^"key";q=800;w=60, "workspace"/);
    assert.equal((await workspace('--rate', 'none')).rate_per_minute, 0);
    assert.equal(await policy(), '"key";q=800;w=60');
    await key('none');
    assert.equal(await policy(), undefined);

    const row = (await system.admin('workspace', 'list')).find((one) => one.workspace_id === customer.workspace_id);
    assert.deepEqual([row.key_rate_per_minute, row.rate_per_minute], [700, 0]);
    const keys = await system.admin('key', 'list', '--workspace', customer.workspace_id);
    assert.equal(keys[0].rate_per_minute, 0);

    await key('default');
    assert.equal(await policy(), '"key";q=700;w=60');
    await workspace('--key-rate', 'default', '--rate', 'default');
    assert.equal(await policy(), standard);
  });

  test('what is no limit is refused', async ({ system }) => {
    const customer = await system.customer();
    const cases = [
      ['key', 'limit', customer.key_id],
      ['key', 'limit', '--rate', '5'],
      ['workspace', 'limit', customer.workspace_id],
      ['workspace', 'limit', 'ws_00000000000000000000000000', '--rate', '5'],
      ['key', 'limit', 'key_00000000000000000000000000', '--rate', '5'],
      ...['0', '-1', '10000001', 'many', '', '1.5'].map((rate) => [
        'key',
        'limit',
        customer.key_id,
        '--rate',
        rate,
      ]),
    ];
    for (const args of cases) {
      const { code, stderr } = await system.adminRaw(...args);
      assert.ok(code > 0, args.join(' '));
      assert.ok(stderr.length > 0, args.join(' '));
    }
  });
}

export default suite('rates', { runs: 'core', width: 4 }, (test) => {
  headers(test);
  floods(test);
  operators(test);
});
