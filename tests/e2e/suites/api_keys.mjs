// API keys over the API: shown once, listed, revoked; nobody gives away more than they have.
import assert from 'node:assert/strict';
import { assertError, TIME } from '../lib/expect.mjs';
import { Api } from '../lib/http.mjs';
import { allIds, assertOk, collection, refuseValues } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { inParallel } from '../lib/wait.mjs';

const keysOf = (customer) => collection(customer.api, '/v1/api_keys');
const BOTH = ['calls', 'manage'];

export default suite('api_keys', { runs: 'core', width: 4 }, (test) => {
  test('a key is shown once, works, and is listed without itself', async ({ system }) => {
    const customer = await system.customer();
    const keys = keysOf(customer);
    const answer = await keys.create({ name: 'ci', test: true, scopes: ['calls'] });
    const { key, ...made } = assertOk(answer, 201);
    assert.match(key, /^sk_test_[0-9a-z]{40}$/);
    assert.ok(answer.headers.location.endsWith(`/v1/api_keys/${made.key_id}`));
    assert.equal(made.prefix, key.slice(0, 12));
    assert.deepEqual(made.scopes, ['calls']);
    assert.equal(made.test, true);
    assert.match(made.created_at, TIME);
    for (const name of ['last_used_at', 'revoked_at', 'rate_per_minute']) assert.equal(made[name], null, name);
    assert.deepEqual(assertOk(await keys.get(made.key_id)), made);
    assert.equal((await new Api(system.url, key).list()).status, 200);
    assert.match(assertOk(await keys.get(made.key_id)).last_used_at, TIME);
    assert.ok(!(await keys.list()).text.includes(key));
  });

  test('bad values are refused by name', async ({ system }) => {
    const keys = keysOf(await system.customer());
    await refuseValues((change) => keys.create({ name: 'a', scopes: BOTH, ...change }), {
      name: ['', null, 1, 'x'.repeat(201)],
      test: ['true', 1, null],
      scopes: [[], ['all'], 'calls', ['calls', 'calls'], null],
      key: ['sk_live_x'],
      workspace_id: ['ws_x'],
      created_at: [null],
      rate_per_minute: [6000],
    });
    assertError(await keys.create({ scopes: BOTH }), 400, 'invalid_request', 'name');
    assertError(await keys.create({ name: 'a' }), 400, 'invalid_request', 'scopes');
    assert.equal((await keys.list()).json.data.length, 1);
  });

  test('a key makes none that may more than itself', async ({ system }) => {
    const manager = keysOf(await system.customer({ key: ['--scopes', 'manage'] }));
    assertOk(await manager.create({ name: 'a', scopes: ['manage'] }), 201);
    assertError(await manager.create({ name: 'a', scopes: BOTH }), 403, 'forbidden', 'scopes');
    assertError(await manager.create({ name: 'a', scopes: ['calls'] }), 403, 'forbidden', 'scopes');
    const tester = keysOf(await system.customer({ key: ['--test'] }));
    assertError(await tester.create({ name: 'a', scopes: BOTH }), 403, 'forbidden', 'test');
    assertOk(await tester.create({ name: 'a', scopes: BOTH, test: true }), 201);
    const caller = keysOf(await system.customer({ key: ['--scopes', 'calls'] }));
    assertError(await caller.create({ name: 'a', scopes: ['calls'] }), 403, 'forbidden', 'manage');
    assertError(await caller.list(), 403, 'forbidden', 'manage');
  });

  test('from the answer on a revoked key is refused everywhere, also by processes that know it', async ({
    system,
  }) => {
    const customer = await system.customer();
    const keys = keysOf(customer);
    const made = assertOk(await keys.create({ name: 'a', scopes: BOTH }), 201);
    const api = new Api(system.url, made.key);
    await inParallel(4, Array(12).fill(0), async () => assert.equal((await api.list()).status, 200));
    const revoked = assertOk(await keys.act(made.key_id, 'revoke'));
    assert.match(revoked.revoked_at, TIME);
    await inParallel(4, Array(12).fill(0), async () => assertError(await api.list(), 401, 'unauthorized'));
    const again = assertOk(await keys.act(made.key_id, 'revoke'));
    assert.equal(again.revoked_at, revoked.revoked_at);
    const listed = async (which) => (await keys.list({ revoked: which })).json.data.map(({ key_id }) => key_id);
    assert.deepEqual(await listed('true'), [made.key_id]);
    assert.deepEqual(await listed('false'), [customer.key_id]);
    // the one that asks
    assertOk(await keys.act(customer.key_id, 'revoke'));
    assertError(await keys.list(), 401, 'unauthorized');
  });

  test("lists are newest first, in pages; another workspace's keys are not found", async ({ system }) => {
    const [one, two] = await Promise.all([system.customer(), system.customer()]);
    const keys = keysOf(one);
    const ids = [one.key_id];
    for (let i = 0; i < 4; i++) ids.unshift(assertOk(await keys.create({ name: 'k', scopes: BOTH }), 201).key_id);
    for (const limit of [1, 2, 100]) assert.deepEqual(await allIds(keys.list, 'key_id', limit), ids);
    const others = keysOf(two);
    assertError(await others.get(one.key_id), 404, 'not_found');
    assertError(await others.act(one.key_id, 'revoke'), 404, 'not_found');
    assertError(await others.get('key_x'), 404, 'not_found');
    assert.equal((await keys.list()).status, 200);
  });
});
