// Carriers over the API: made, changed, given another secret, deleted; what may not be in one.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { allIds, assertOk, collection, refuseValues } from '../lib/manage.mjs';
import { INSIDE_URLS } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

const open = async (system) => {
  const customer = await system.customer({ key: ['--scopes', 'calls,manage'] });
  return { customer, api: customer.api, carriers: collection(customer.api, '/v1/carriers') };
};
const URL_A = 'https://engine.example.com/calls';
const SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;

export default suite('carriers', { runs: 'core', width: 4 }, (test) => {
  test('a carrier is made with its secret shown once, read, listed, changed', async ({ system }) => {
    const { carriers } = await open(system);
    const answer = await carriers.create({ kind: 'http', url: URL_A, name: 'Ours', concurrent_calls: 5 });
    const { secret, ...made } = assertOk(answer, 201);
    assert.match(secret, /^whsec_/);
    assert.equal(answer.headers.location, `${system.url}/v1/carriers/${made.carrier_id}`);
    assert.deepEqual(
      { ...made, carrier_id: 1, created_at: 1, updated_at: 1 },
      {
        carrier_id: 1,
        kind: 'http',
        name: 'Ours',
        url: URL_A,
        concurrent_calls: 5,
        calls_per_second: null,
        created_at: 1,
        updated_at: 1,
      },
    );
    assert.deepEqual(assertOk(await carriers.get(made.carrier_id)), made);
    const changed = assertOk(
      await carriers.change(made.carrier_id, { concurrent_calls: null, calls_per_second: 3, name: '' }),
    );
    assert.deepEqual([changed.concurrent_calls, changed.calls_per_second, changed.name, changed.url], [null, 3, '', URL_A]);
    const simulator = assertOk(await carriers.create({ kind: 'simulator' }), 201);
    assert.deepEqual([simulator.secret, simulator.url], [null, null]);
    assert.deepEqual(
      assertOk(await carriers.list()).map(({ carrier_id }) => carrier_id),
      [simulator.carrier_id, made.carrier_id],
    );
    const shown = await system.admin('carrier', 'list');
    assert.equal(shown.find(({ carrier_id }) => carrier_id === made.carrier_id).calls_per_second, 3);
    await system.admin('carrier', 'set', made.carrier_id, '--calls-per-second', 'none', '--concurrent-calls', '7');
    const after = assertOk(await carriers.get(made.carrier_id));
    assert.deepEqual([after.concurrent_calls, after.calls_per_second], [7, null]);
  });

  test('pages of carriers hold each one once', async ({ system }) => {
    const { carriers } = await open(system);
    const made = [];
    for (let i = 0; i < 7; i++) made.unshift(assertOk(await carriers.create({ kind: 'simulator' }), 201).carrier_id);
    assert.deepEqual(await allIds(carriers.list, 'carrier_id', 3), made);
  });

  test('what is no carrier is refused and named', async ({ system }) => {
    const { carriers } = await open(system);
    const good = { kind: 'http', url: URL_A };
    await refuseValues((fields) => carriers.create({ ...good, ...fields }), {
      kind: ['twilio', '', 1, null, ['http']],
      name: [1, null, 'x'.repeat(201), 'a\nb'],
      url: [1, null, ...INSIDE_URLS],
      concurrent_calls: [0, -1, 1.5, '5', 100_001],
      calls_per_second: [0, -1, 1.5, '5', 1001],
      secret: ['', 'whsec_', 'secret', 'whsec_AAAA', 1, null],
      carrier_id: ['car_x'],
      workspace_id: ['ws_x'],
      paced_until: ['2024-01-27T03:02:00Z'],
    });
    assertError(await carriers.create({ url: URL_A }), 400, 'invalid_request', 'kind');
    assertError(await carriers.create({ kind: 'http' }), 400, 'invalid_request', 'url');
    assertError(await carriers.create({ kind: 'simulator', url: URL_A }), 400, 'invalid_request', 'url');
    assertError(await carriers.create({ kind: 'simulator', secret: SECRET }), 400, 'invalid_request', 'secret');
    const { carrier_id } = assertOk(await carriers.create(good), 201);
    await refuseValues((fields) => carriers.change(carrier_id, fields), {
      url: ['https://10.0.0.1/', 'http://8.8.8.8/', ''],
      kind: ['simulator'],
      secret: [SECRET],
    });
    const simulator = assertOk(await carriers.create({ kind: 'simulator' }), 201);
    assertError(await carriers.change(simulator.carrier_id, { url: URL_A }), 400, 'invalid_request', 'url');
    assertError(await carriers.act(simulator.carrier_id, 'rotate', {}), 409, 'conflict');
    assert.equal(assertOk(await carriers.get(carrier_id)).url, URL_A);
  });

  test('another secret holds at once, in both directions', async ({ system, carriers: programs }) => {
    const program = programs.carrier();
    const { api, customer, carriers } = await open(system);
    const { carrier_id } = assertOk(await carriers.create({ kind: 'http', url: program.url }), 201);
    const { agent_id } = assertOk(await api.send('POST', '/v1/agents', { body: { name: 'a', carrier_id } }), 201);
    assert.equal(assertOk(await carriers.act(carrier_id, 'rotate', { secret: SECRET })).secret, SECRET);
    await program.behave({ secret: SECRET });
    const call = await system.call({ ...customer, agent_id });
    await system.status(customer, call, 'completed');
    const made = assertOk(await carriers.act(carrier_id, 'rotate', {})).secret;
    assert.notEqual(made, SECRET);
    await program.behave({ secret: made });
    await system.status(customer, await system.call({ ...customer, agent_id }), 'completed');
  });

  test('one that an agent uses is not deleted; calls under way end when it is', async ({ system, carriers: programs }) => {
    const program = programs.carrier();
    const { api, customer, carriers } = await open(system);
    const { carrier_id, secret } = assertOk(await carriers.create({ kind: 'http', url: program.url }), 201);
    await program.behave({ secret });
    const agents = collection(api, '/v1/agents');
    const { agent_id } = assertOk(await agents.create({ name: 'a', carrier_id }), 201);
    assertError(await carriers.remove(carrier_id), 409, 'conflict', 'agent');
    const call = await system.call({ ...customer, agent_id }, { additional_info: { carrier: { script: 'none' } } });
    const { token } = await program.asked(call);
    await system.status(customer, call, 'initiated');
    assertOk(await agents.change(agent_id, { carrier_id: null }));
    assert.deepEqual(assertOk(await carriers.remove(carrier_id)), { carrier_id, deleted: true });
    assertError(await carriers.get(carrier_id), 404, 'not_found');
    assertError(await carriers.remove(carrier_id), 404, 'not_found');
    assertError(await carriers.change(carrier_id, { name: 'x' }), 404, 'not_found');
    assertError(await agents.create({ name: 'b', carrier_id }), 404, 'not_found', 'carrier_id');
    assertError(await agents.change(agent_id, { carrier_id }), 404, 'not_found', 'carrier_id');
    assert.deepEqual(assertOk(await carriers.list()), []);
    assert.ok(token);
    await program.tell(token, { event: 'ended', reason: 'completed', duration_seconds: 3 });
    await system.status(customer, call, 'completed');
  });
});
