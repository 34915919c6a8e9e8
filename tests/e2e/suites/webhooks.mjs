// Webhook endpoints as their owner makes, reads, changes, switches and deletes them.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError, inCase, TIME } from '../lib/expect.mjs';
import { Api } from '../lib/http.mjs';
import { allIds, assertOk, collection, refuseValues } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { INSIDE_URLS } from '../lib/refusals.mjs';
import { signatureProblems } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { inParallel, until } from '../lib/wait.mjs';

const PUBLIC = 'https://hooks.example.com/in';
const webhooksOf = (customer) => collection(customer.api, '/v1/webhooks');

// A customer whose calls are events at once, with one endpoint made over the API.
async function customerWith({ system, receiver }, { fields = {}, answer } = {}) {
  const customer = await system.customer({ talks: false });
  customer.webhooks = webhooksOf(customer);
  customer.box = receiver.box({ answer });
  const made = assertOk(await customer.webhooks.create({ url: customer.box.url, ...fields }), 201);
  customer.box.secret = made.secret;
  customer.webhook_id = made.webhook_id;
  return customer;
}

const signed = (secret, { headers, body }) => signatureProblems(secret, headers, body).length === 0;

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const secretOf = (bytes) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;

const BAD = {
  url: ['', null, 7, ...INSIDE_URLS.filter((url) => url !== '')],
  description: [null, 1, 'x'.repeat(501), 'a\nb'],
  events: [[], null, 'call.completed', ['call.unknown'], ['call.failed', 'call.failed'], [1]],
  timeout_seconds: [0, 121, 1.5, '15', null],
  max_in_flight: [0, 1001, null],
  rate_per_second: [0, 1001, '5'],
  headers: [
    [],
    'a: b',
    { 'Content-Length': '1' },
    { host: 'a' },
    { 'User-Agent': 'a' },
    { 'content-type': 'text/plain' },
    { 'Transfer-Encoding': 'chunked' },
    { connection: 'close' },
    { 'webhook-id': 'a' },
    { 'X-Webhook-Signature': 'a' },
    { 'X-A': 'b\r\nX-Evil: 1' },
    { 'X-A\r\nX-Evil': 'b' },
    { 'X-A:': 'b' },
    { 'X A': 'b' },
    { 'X-A': '' },
    { 'X-A': 'é' },
    { 'X-A': 1 },
    { 'X-A': 'x'.repeat(4097) },
    { 'X-A': '1', 'x-a': '2' },
    Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`X-${i}`, 'v'])),
  ],
  status: ['enabled'],
  webhook_id: ['we_x'],
  workspace_id: ['ws_x'],
};
const BAD_SECRETS = ['', 'abc', secretOf(23), secretOf(65), 'whsec_', 'whsec_!!!!', secretOf(32).slice(6), null, 1];

function values(test) {
  test('an endpoint is made with defaults and its secret, which is shown once', async ({ system }) => {
    const webhooks = webhooksOf(await system.customer());
    const answer = await webhooks.create({ url: PUBLIC });
    const { secret, ...made } = assertOk(answer, 201);
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.match(made.webhook_id, /^we_[0-9a-z]{26}$/);
    assert.ok(answer.headers.location.endsWith(`/v1/webhooks/${made.webhook_id}`));
    const { webhook_id, created_at, updated_at, good_since, ...rest } = made;
    for (const time of [created_at, updated_at, good_since]) assert.match(time, TIME);
    assert.deepEqual(rest, {
      url: PUBLIC,
      description: '',
      events: ['call.initiated', 'call.completed', 'call.failed', 'call.disallowed'],
      timeout_seconds: 15,
      max_in_flight: 64,
      rate_per_second: null,
      headers: {},
      status: 'enabled',
      status_reason: null,
      failures: 0,
      held_until: null,
      waiting: 0,
      previous_secret_until: null,
    });
    const read = await webhooks.get(webhook_id);
    assert.deepEqual(assertOk(read), made);
    assert.ok(!read.text.includes('whsec_'));
    const listed = await webhooks.list();
    assert.deepEqual(listed.json.data, [made]);
  });

  test('every setting is taken, changed alone and shown; a given secret is the one in force', async ({
    system,
  }) => {
    const webhooks = webhooksOf(await system.customer());
    const fields = {
      url: PUBLIC,
      description: 'म'.repeat(500),
      events: ['call.completed', 'call.failed'],
      timeout_seconds: 120,
      max_in_flight: 1000,
      rate_per_second: 1000,
    };
    const made = assertOk(
      await webhooks.create({ ...fields, secret: SECRET, headers: { Authorization: 'Bearer x' } }),
      201,
    );
    assert.equal(made.secret, SECRET);
    const shown = { ...fields, headers: { Authorization: '(hidden)' } };
    for (const [name, value] of Object.entries(shown)) assert.deepEqual(made[name], value, name);
    const changes = {
      url: 'https://other.example.com/',
      description: '',
      events: ['call.initiated'],
      timeout_seconds: 1,
      max_in_flight: 1,
      rate_per_second: null,
    };
    for (const [name, value] of Object.entries(changes)) {
      const changed = assertOk(await webhooks.change(made.webhook_id, { [name]: value }));
      shown[name] = value;
      for (const [other, is] of Object.entries(shown)) assert.deepEqual(changed[other], is, other);
    }
  });

  test('secrets of 24 to 64 bytes are taken', async ({ system }) => {
    const webhooks = webhooksOf(await system.customer());
    for (const bytes of [24, 32, 64])
      assertOk(await webhooks.create({ url: PUBLIC, secret: secretOf(bytes) }), 201);
  });

  test('every bad value is refused by the name of its field, and nothing is made', async ({ system }) => {
    const webhooks = webhooksOf(await system.customer());
    const base = { url: PUBLIC };
    await refuseValues((fields) => webhooks.create({ ...base, ...fields }), {
      ...BAD,
      secret: BAD_SECRETS,
    });
    assertError(await webhooks.create({}), 400, 'invalid_request', 'url');
    assert.deepEqual((await webhooks.list()).json.data, []);
    const { webhook_id } = assertOk(await webhooks.create(base), 201);
    await refuseValues((fields) => webhooks.change(webhook_id, fields), { ...BAD, secret: [SECRET] });
    assertError(await webhooks.change(webhook_id, {}), 400, 'invalid_request');
    await refuseValues((fields) => webhooks.act(webhook_id, 'rotate', fields), {
      secret: BAD_SECRETS,
      grace_seconds: [-1, 604_801, '1', null, 0.5],
    });
    await refuseValues((fields) => webhooks.act(webhook_id, 'test', fields), {
      event_type: ['call.unknown', '', null, 1],
    });
    const after = assertOk(await webhooks.get(webhook_id));
    assert.equal(after.updated_at, after.created_at);
  });

  test('changes of different fields at the same time are all kept', async ({ system }) => {
    const webhooks = webhooksOf(await system.customer());
    const { webhook_id } = assertOk(await webhooks.create({ url: PUBLIC }), 201);
    const fields = { description: 'a note', timeout_seconds: 7, max_in_flight: 9, events: ['call.failed'] };
    const headers = Array.from({ length: 8 }, (_, i) => ({ headers: { [`X-${i}`]: 'v' } }));
    const changes = [...Object.entries(fields).map(([name, value]) => ({ [name]: value })), ...headers];
    const results = await inParallel(6, changes, (change) => webhooks.change(webhook_id, change));
    for (const answer of results) assertOk(answer);
    const row = assertOk(await webhooks.get(webhook_id));
    for (const [name, value] of Object.entries(fields)) assert.deepEqual(row[name], value);
    assert.equal(Object.keys(row.headers).length, 8);
  });

  test('lists are newest first and in pages', async ({ system }) => {
    const webhooks = webhooksOf(await system.customer());
    const ids = [];
    for (let i = 0; i < 5; i++)
      ids.unshift(assertOk(await webhooks.create({ url: `${PUBLIC}${i}` }), 201).webhook_id);
    assert.deepEqual(await allIds(webhooks.list, 'webhook_id', 2), ids);
    assertError(await webhooks.list({ status: 'enabled' }), 400, 'invalid_request', 'status');
  });
}

function owners(test) {
  test("another workspace's endpoint is not there, whatever is asked of it", async ({ system }) => {
    const [mine, other] = [webhooksOf(await system.customer()), webhooksOf(await system.customer())];
    const { webhook_id } = assertOk(await other.create({ url: PUBLIC }), 201);
    const before = assertOk(await other.get(webhook_id));
    const asked = {
      get: () => mine.get(webhook_id),
      change: () => mine.change(webhook_id, { description: 'mine' }),
      remove: () => mine.remove(webhook_id),
      ...Object.fromEntries(
        ['pause', 'resume', 'enable', 'disable', 'rotate', 'test'].map((verb) => [
          verb,
          () => mine.act(webhook_id, verb),
        ]),
      ),
    };
    for (const [name, ask] of Object.entries(asked))
      await inCase(name, async () => assertError(await ask(), 404, 'not_found'));
    assert.deepEqual((await mine.list()).json.data, []);
    assert.deepEqual(assertOk(await other.get(webhook_id)), before);
    for (const id of ['we_x', `${webhook_id}0`, webhook_id.replace('we_', 'ih_')])
      assertError(await mine.get(id), 404, 'not_found');
  });

  test('a key needs the scope "manage"', async ({ system }) => {
    const customer = await system.customer();
    const { key } = await system.admin('key', 'create', '--workspace', customer.workspace_id, '--scopes', 'calls');
    const webhooks = collection(new Api(system.url, key), '/v1/webhooks');
    assertError(await webhooks.list(), 403, 'forbidden');
    assertError(await webhooks.create({ url: PUBLIC }), 403, 'forbidden');
  });
}

function sending(test) {
  test('a sample event of each type comes signed, to this endpoint alone, with data.test', async (context) => {
    const customer = await customerWith(context, { fields: { events: ['call.failed'] } });
    const other = context.receiver.box();
    assertOk(await customer.webhooks.create({ url: other.url }), 201);
    for (const type of ['call.initiated', 'call.completed', 'call.failed', 'call.disallowed']) {
      const answer = await customer.webhooks.act(customer.webhook_id, 'test', { event_type: type });
      const { event_id, delivery_id } = assertOk(answer, 201);
      assert.ok(answer.headers.location.endsWith(`/v1/deliveries/${delivery_id}`));
      const arrival = await customer.box.arrival({ type });
      assert.equal(arrival.headers['webhook-id'], event_id);
      assert.equal(arrival.json.event_id, event_id);
      assert.equal(arrival.json.data.test, true);
    }
    customer.box.assertSigned();
    await context.system.settled(customer.workspace_id);
    assert.deepEqual([customer.box.arrivals.length, other.arrivals.length], [4, 0]);
    assertOk(await customer.webhooks.act(customer.webhook_id, 'test'), 201);
    await customer.box.count(2, { type: 'call.completed' });
  });

  test('a paused or disabled endpoint is sent no sample', async (context) => {
    const { webhooks, webhook_id, workspace_id } = await customerWith(context);
    for (const verb of ['pause', 'disable']) {
      assertOk(await webhooks.act(webhook_id, verb));
      assertError(await webhooks.act(webhook_id, 'test'), 409, 'conflict');
    }
    assert.equal(
      await context.system.number(`SELECT COUNT(*) FROM events WHERE workspace_id = ${idSql(workspace_id)}`),
      0,
    );
  });

  test('its own headers arrive as they were given, are merged, removed, and hidden from readers', async (context) => {
    const { system } = context;
    const customer = await customerWith(context, {
      fields: { headers: { Authorization: 'Bearer abc', 'X-Tenant': 'a;b="c" ~' } },
    });
    const first = await customer.box.arrival({ call: await system.event(customer) });
    assert.equal(first.headers.authorization, 'Bearer abc');
    assert.equal(first.headers['x-tenant'], 'a;b="c" ~');
    assert.equal(first.headers['content-type'], 'application/json');
    const changed = await customer.webhooks.change(customer.webhook_id, {
      headers: { 'X-More': '1', authorization: null, 'X-TENANT': 'new' },
    });
    assert.deepEqual(assertOk(changed).headers, { 'X-TENANT': '(hidden)', 'X-More': '(hidden)' });
    const second = await until('a delivery with the new headers', async () => {
      const arrival = await customer.box.arrival({ call: await system.event(customer) });
      return arrival.headers['x-more'] && arrival;
    });
    assert.equal(second.headers['x-more'], '1');
    assert.equal(second.headers['x-tenant'], 'new');
    assert.equal(second.headers.authorization, undefined);
    customer.box.assertSigned();
    const stored = await system.one(
      `SELECT HEX(headers) FROM destinations WHERE destination_id = ${idSql(customer.webhook_id)}`,
    );
    assert.ok(stored.length > 0);
    assert.ok(!Buffer.from(stored, 'hex').includes('X-More'), 'headers are sealed');
  });

  test('a rate per second is kept to', async (context) => {
    const customer = await customerWith(context, { fields: { rate_per_second: 10 } });
    assertOk(await customer.webhooks.act(customer.webhook_id, 'pause'));
    await context.system.events(customer, 25);
    assertOk(await customer.webhooks.act(customer.webhook_id, 'resume'));
    await customer.box.count(25, {}, { within: 20_000 });
    const took = customer.box.arrivals.at(-1).at - customer.box.arrivals[0].at;
    assert.ok(took >= 2200, `25 came in ${took} ms at 10 a second`);
  });

  test('three dispatchers share the rate', async (context) => {
    const { system } = context;
    const customer = await customerWith(context, { fields: { rate_per_second: 10 } });
    assertOk(await customer.webhooks.act(customer.webhook_id, 'pause'));
    await system.events(customer, 25);
    const more = [system.dispatcher(), system.dispatcher()];
    assertOk(await customer.webhooks.act(customer.webhook_id, 'resume'));
    await customer.box.count(25, {}, { within: 20_000 });
    const took = customer.box.arrivals.at(-1).at - customer.box.arrivals[0].at;
    assert.ok(took >= 2200, `25 came in ${took} ms at 10 a second`);
    assert.equal(customer.box.arrivals.length, 25);
    for (const dispatcher of more) {
      dispatcher.signal('SIGTERM');
      assert.equal((await dispatcher.ended()).code, 0);
    }
  });

  test('under load a rotation is accepted by who knows the old secret, and by who knows the new', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    const old = customer.box.secret;
    const events = system.events(customer, 30);
    const rotated = assertOk(
      await customer.webhooks.act(customer.webhook_id, 'rotate', { grace_seconds: 600 }),
    );
    assert.match(rotated.previous_secret_until, TIME);
    await events;
    await customer.box.arrival({ call: await system.event(customer) });
    await system.settled(customer.workspace_id);
    assert.ok(customer.box.arrivals.every((arrival) => signed(old, arrival)));
    assert.ok(signed(rotated.secret, customer.box.arrivals.at(-1)));
    assert.equal(
      assertOk(await customer.webhooks.get(customer.webhook_id)).previous_secret_until,
      rotated.previous_secret_until,
    );
  });

  test('of many rotations at once the last and the one before are in force, and no other', async (context) => {
    const { system } = context;
    const customer = await customerWith(context);
    const rotations = await inParallel(20, Array(100).fill({ grace_seconds: 600 }), (fields) =>
      customer.webhooks.act(customer.webhook_id, 'rotate', fields),
    );
    const secrets = rotations.map((answer) => assertOk(answer).secret);
    assert.equal(new Set(secrets).size, 100);
    const arrival = await until('a delivery that a new secret signs', async () => {
      const one = await customer.box.arrival({ call: await system.event(customer) });
      return !signed(customer.box.secret, one) && one;
    });
    assert.equal(secrets.filter((secret) => signed(secret, arrival)).length, 2);
  });

  test('the record of an endpoint is told, and forgotten with a new URL', async (context) => {
    const customer = await customerWith(context, { answer: answers.status(500) });
    await context.system.event(customer);
    const bad = await until('a failure to be told', async () => {
      const row = assertOk(await customer.webhooks.get(customer.webhook_id));
      return row.failures > 0 && row;
    });
    assert.equal(bad.waiting, 1);
    const box = context.receiver.box();
    const changed = assertOk(await customer.webhooks.change(customer.webhook_id, { url: box.url }));
    assert.equal(changed.failures, 0);
  });
}

function switches(test) {
  test('switches are told with the whole endpoint, and may be repeated', async (context) => {
    const { webhooks, webhook_id } = await customerWith(context);
    const steps = [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'enabled'],
      ['resume', 'enabled'],
      ['disable', 'disabled'],
      ['disable', 'disabled'],
      ['enable', 'enabled'],
      ['enable', 'enabled'],
    ];
    for (const [verb, status] of steps)
      assert.equal(assertOk(await webhooks.act(webhook_id, verb)).status, status, verb);
    const off = assertOk(await webhooks.act(webhook_id, 'disable'));
    assert.equal(off.status_reason, 'by its owner');
    assertError(await webhooks.act(webhook_id, 'pause'), 409, 'conflict');
    assertError(await webhooks.act(webhook_id, 'resume'), 409, 'conflict');
    assertError(await webhooks.act(webhook_id, 'enable', { a: 1 }), 400, 'invalid_request', 'a');
  });

  for (const [off, on] of [
    ['pause', 'resume'],
    ['disable', 'enable'],
  ])
    test(`${off}: nothing is sent and it waits; ${on}: it is sent, once`, async (context) => {
      const customer = await customerWith(context);
      assertOk(await customer.webhooks.act(customer.webhook_id, off));
      await context.system.events(customer, 3);
      assert.equal(assertOk(await customer.webhooks.get(customer.webhook_id)).waiting, 3);
      assert.equal(customer.box.arrivals.length, 0);
      assertOk(await customer.webhooks.act(customer.webhook_id, on));
      await context.system.settled(customer.workspace_id);
      assert.equal(customer.box.arrivals.length, 3);
    });

  for (const state of ['pause', 'disable'])
    test(`deleting an endpoint after ${state} drops what waits for it`, async (context) => {
      const { system } = context;
      const customer = await customerWith(context);
      assertOk(await customer.webhooks.act(customer.webhook_id, state));
      await system.events(customer, 3);
      const gone = assertOk(await customer.webhooks.remove(customer.webhook_id));
      assert.deepEqual(gone, { webhook_id: customer.webhook_id, deleted: true });
      await system.settled(customer.workspace_id);
      const rows = await system.sql(`SELECT state, last_error, COUNT(*) AS n FROM deliveries
        WHERE destination_id = ${idSql(customer.webhook_id)} GROUP BY state, last_error`);
      assert.deepEqual(rows, [{ state: 'dropped', last_error: 'endpoint_deleted', n: '3' }]);
      assert.equal(customer.box.arrivals.length, 0);
      for (const ask of [
        customer.webhooks.get(customer.webhook_id),
        customer.webhooks.remove(customer.webhook_id),
        customer.webhooks.act(customer.webhook_id, 'enable'),
        customer.webhooks.change(customer.webhook_id, { description: 'back' }),
      ])
        assertError(await ask, 404, 'not_found');
      assert.deepEqual((await customer.webhooks.list()).json.data, []);
      await system.event(customer);
      assert.equal(
        await system.number(
          `SELECT COUNT(*) FROM deliveries WHERE destination_id = ${idSql(customer.webhook_id)}`,
        ),
        3,
      );
    });
}

export default suite('webhooks', { runs: 'core', width: 4 }, (test) => {
  values(test);
  owners(test);
  sending(test);
  switches(test);
});
