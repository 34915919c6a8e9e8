// The API's description and the server, held to each other: the document is valid, it names every
// route and no other, and every status that it describes is provoked and is as described.
import assert from 'node:assert/strict';
import { Driver } from '../lib/driver.mjs';
import { assertError } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { Description } from '../lib/openapi.mjs';
import { apiRoutes, routeKey } from '../lib/routes.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { Workshop } from '../lib/workshop.mjs';

const settings = {
  poll_interval: '100ms',
  simulator_ring: '10ms',
  simulator_talk: '10ms',
  recheck_interval: '0ms',
  sign_up: 'open',
  sendmail_path: '/bin/true',
  sign_in_failures: '1000',
  sign_in_failures_address: '100000',
  password_cost: '10',
};

const fetchDocument = async ({ url }) => {
  const response = await fetch(`${url}/v1/openapi.json`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  return response.json();
};

function documentItself(test) {
  test('it is served to everybody, with the address of this server', async ({ system }) => {
    const document = await fetchDocument(system);
    assert.deepEqual(
      document.servers.map(({ url }) => url),
      [system.url],
    );
  });

  test('it is a valid document of OpenAPI 3.1', async ({ system }) => {
    const { Validator } = await import('@seriousme/openapi-schema-validator');
    const validator = new Validator();
    const result = await validator.validate(await fetchDocument(system));
    assert.ok(result.valid, JSON.stringify(result.errors, null, 2)?.slice(0, 4000));
    assert.equal(validator.version, '3.1');
  });

  test('every route is in it, and nothing else', async ({ system }) => {
    const description = await Description.of(await fetchDocument(system));
    const described = description.operations().map((operation) => operation.name);
    assert.deepEqual(described.sort(), apiRoutes().map(routeKey).sort());
  });

  test('keys, roles and bodies are those of the table of routes', async ({ system }) => {
    const description = await Description.of(await fetchDocument(system));
    const routes = new Map(apiRoutes().map((route) => [routeKey(route), route]));
    for (const operation of description.operations()) {
      const { method, scope, role, body } = routes.get(operation.name);
      const wanted = [];
      if (['CALLS', 'MANAGE'].includes(scope)) wanted.push({ api_key: [scope.toLowerCase()] });
      if (role !== 'NONE')
        wanted.push({ session: [role.toLowerCase()], ...(method === 'GET' ? {} : { csrf: [] }) });
      const signed = ['HOOK', 'NONE'].includes(scope) && operation.needs('signature');
      if (!signed) assert.deepEqual(operation.value.security, wanted, operation.name);
      const takes = operation.body && (operation.body.required ? 'JSON' : 'OPTIONAL_JSON');
      const given = { BATCH: 'JSON', CALLBACK: 'JSON', SIGNED_JSON: 'JSON', NO_BODY: undefined };
      assert.equal(takes, body in given ? given[body] : body, `${operation.name}: its body`);
    }
  });

  test('its examples are as its schemas say', async ({ system }) => {
    const description = await Description.of(await fetchDocument(system));
    const { components, webhooks } = description.document;
    for (const [name, response] of Object.entries(components.responses)) {
      const example = response.content?.['application/json'].example;
      const at = `#/components/responses/${name}/content/application~1json/schema`;
      if (example) assert.equal(description.problem(at, example), null, name);
    }
    for (const [type, { post }] of Object.entries(webhooks)) {
      const { schema, example } = post.requestBody.content['application/json'];
      assert.equal(description.problem(schema.$ref, example), null, type);
    }
  });

  test('every object in it is closed, or is made part of one that is', async ({ system }) => {
    const { components } = await fetchDocument(system);
    const open = new Set(['Error', 'CarrierReport']);
    for (const [name, schema] of Object.entries(components.schemas)) {
      const parts = JSON.stringify(components.schemas).split(`{"$ref":"#/components/schemas/${name}","`);
      if (!schema.properties || parts.length > 1 || open.has(name)) continue;
      assert.ok(
        schema.additionalProperties === false || schema.unevaluatedProperties === false,
        `${name} is open: a member that it does not know would pass`,
      );
    }
  });
}

async function ofCancelledBatch(driver, operation) {
  const path = await driver.path(operation);
  await driver.shop.made('POST', path.replace(/[a-z]+$/, 'cancel'));
  await driver.expect(operation, { path, who: driver.shop.api }, 409);
}

// What provokes the statuses that belong to an operation alone.
const special = {
  async createCall(driver, operation) {
    const { shop } = driver;
    const good = await driver.good(operation);
    await driver.expect(operation, { ...good, body: { ...good.body, agent_id: 'agent_123' } }, 404);
    const headers = { 'Idempotency-Key': 'one' };
    await driver.expect(operation, { ...good, headers }, 201);
    const again = await driver.expect(operation, { ...good, headers }, 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    const body = { ...good.body, contact_number: freshNumber() };
    await driver.expect(operation, { ...good, headers, body }, 422);
    const { agent_id } = await shop.made('POST', '/v1/agents', { name: 'off', enabled: false });
    await driver.expect(operation, { ...good, body: { ...good.body, agent_id } }, 201);
  },
  async getCall(driver, operation) {
    const { shop, system } = driver;
    const { agent_id } = shop.customer;
    for (const [contact_number, status] of [
      ['+919000000001', 'completed'],
      ['+919000000002', 'failed'],
    ]) {
      const { call_id } = await shop.made('POST', '/v1/calls', { agent_id, contact_number });
      await system.status(shop.customer, call_id, status);
      await driver.expect(operation, { path: `/v1/calls/${call_id}`, who: shop.api }, 200);
    }
  },
  async cancelCall(driver, operation) {
    const { shop, system } = driver;
    const call_id = await system.call(shop.customer);
    await system.status(shop.customer, call_id, 'completed');
    await driver.expect(operation, { path: `/v1/calls/${call_id}/cancel`, who: shop.api }, 409);
  },
  async suppressNumber(driver, operation) {
    const good = { ...(await driver.good(operation)), body: { contact_number: freshNumber() } };
    await driver.expect(operation, good, 201);
    await driver.expect(operation, good, 200);
  },
  async createAgent(driver, operation) {
    const body = { name: 'x', carrier_id: `car_${'0'.repeat(26)}` };
    await driver.expect(operation, { path: '/v1/agents', who: driver.shop.api, body }, 404);
  },
  async createBatch(driver, operation) {
    const good = await driver.good(operation);
    await driver.expect(operation, { ...good, body: { ...good.body, agent_id: 'agent_123' } }, 404);
    const headers = { 'Idempotency-Key': 'a batch' };
    await driver.expect(operation, { ...good, headers }, 201);
    const again = await driver.expect(operation, { ...good, headers }, 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    await driver.expect(operation, { ...good, headers, body: { ...good.body, name: 'another' } }, 422);
    const csv = (query, ...statuses) =>
      driver.expect(
        operation,
        {
          ...good,
          path: `${good.path}?${query}`,
          body: undefined,
          raw: `contact_number\n${freshNumber()}\n`,
          headers: { 'Content-Type': 'text/csv' },
        },
        ...statuses,
      );
    const { agent_id } = driver.shop.customer;
    await csv(`agent_id=${agent_id}&name=&scheduled_at=&expires_at=`, 201);
    for (const wrong of ['scheduled_at=x', 'expires_at=x', 'no_such_parameter=1']) await csv(`agent_id=${agent_id}&${wrong}`, 400);
    await csv('agent_id=x', 404);
    await driver.expect(operation, { ...good, path: `${good.path}?name=x` }, 400);
  },
  pauseBatch: ofCancelledBatch,
  resumeBatch: ofCancelledBatch,
  async createFunction(driver, operation) {
    const good = await driver.good(operation);
    await driver.expect(operation, good, 201);
    await driver.expect(operation, good, 409);
    await driver.expect(operation, { ...good, body: { ...good.body, agent_id: `agent_${'0'.repeat(26)}` } }, 404);
  },
  async changeFunction(driver, operation) {
    const { shop } = driver;
    const { name, agent_id } = await shop.workflow();
    const { function_id } = await shop.workflow({ agent_id });
    await driver.expect(operation, { path: `/v1/functions/${function_id}`, who: shop.api, body: { name } }, 409);
  },
  async callFunction(driver, operation) {
    const { shop, system } = driver;
    const { name, agent_id } = await shop.workflow({ phase: 'during_call' });
    const scheduled_at = new Date(Date.now() + 3600_000).toISOString();
    const call_id = await system.call(shop.customer, { agent_id, scheduled_at });
    const path = `/v1/calls/${call_id}/functions/${name}`;
    await driver.expect(operation, { path, who: shop.api, body: {} }, 409);
  },
  async deleteCarrier(driver, operation) {
    const { shop } = driver;
    const { carrier_id } = await shop.carrier();
    await shop.made('POST', '/v1/agents', { name: 'uses it', carrier_id });
    await driver.expect(operation, { path: `/v1/carriers/${carrier_id}`, who: shop.api }, 409);
  },
  async rotateCarrierSecret(driver, operation) {
    const { shop } = driver;
    const { carrier_id } = await shop.made('POST', '/v1/carriers', { kind: 'simulator' });
    await driver.expect(operation, { path: `/v1/carriers/${carrier_id}/rotate`, who: shop.api, body: {} }, 409);
  },
  pauseWebhook: whileIt('disable'),
  resumeWebhook: whileIt('disable'),
  testWebhook: whileIt('pause'),
  async replayDelivery(driver, operation) {
    const { shop } = driver;
    const { webhook_id, delivery_id } = await shop.sample({ over: true });
    await shop.made('POST', `/v1/webhooks/${webhook_id}/pause`);
    const path = `/v1/deliveries/${delivery_id}/replay`;
    await driver.expect(operation, { path, who: shop.api }, 200);
    await driver.expect(operation, { path, who: shop.api }, 409);
  },
  async sendToHook(driver, operation) {
    const { shop, system } = driver;
    const good = await driver.good(operation);
    const headers = { 'Idempotency-Key': 'by a hook' };
    const made = await driver.expect(operation, { ...good, headers }, 201);
    const other = { ...good.body, data: { ...good.body.data, contact_number: freshNumber() } };
    await driver.expect(operation, { ...good, headers, body: other }, 422);
    const cancel = (call_id) => ({ ...good, body: { action: 'call.cancel', data: { call_id } } });
    const later = await system.call(shop.customer, { scheduled_at: new Date(Date.now() + 3600_000).toISOString() });
    await driver.expect(operation, cancel(later), 200);
    await system.over(shop.customer, made.json.data.call_id);
    await driver.expect(operation, cancel(made.json.data.call_id), 409);
    const signed = await shop.hook({ signing_secret: true });
    await driver.expect(operation, { ...good, path: new URL(signed.url).pathname }, 401);
    const spent = await (await shop.elsewhere()).hook();
    await system.admin('workspace', 'limit', shop.other.workspace_id, '--key-rate', '1');
    for (let i = 0; i < 4 && !driver.reached.get(operation.name).has('429'); i++)
      await driver.send(operation, { ...good, path: new URL(spent.url).pathname });
    await system.admin('workspace', 'limit', shop.other.workspace_id, '--key-rate', 'none');
  },
  async reportOnCall(driver, operation) {
    const { path, body } = await driver.good(operation);
    await driver.expect(operation, { path, body, headers: { unsigned: true } }, 401);
  },
  async eraseContact(driver, operation) {
    await driver.expect(operation, { path: '/v1/contacts/+4930123456', who: driver.shop.api }, 400);
  },
  async signIn(driver, operation) {
    const body = { email: driver.shop.owner.email, password: 'not the password' };
    await driver.expect(operation, { path: '/v1/session', body }, 401);
  },
  async changeSession(driver, operation) {
    const { workspace_id } = await driver.shop.elsewhere();
    await driver.expect(operation, { path: '/v1/session', who: driver.shop.owner, body: { workspace_id } }, 404);
  },
  async signUp(driver, operation) {
    const { shop, system } = driver;
    const path = '/v1/session/sign_up';
    const { token } = await shop.invitation();
    const fields = { name: 'Raj', password: 'correct horse battery' };
    await driver.expect(operation, { path, body: { ...fields, token } }, 201);
    await driver.expect(operation, { path, body: { ...fields, token } }, 404);
    const known = await shop.invitation(await (await shop.elsewhere()).person('viewer'));
    await driver.expect(operation, { path, body: { ...fields, token: known.token } }, 409);
    const body = (await driver.good(operation)).body;
    const closed = await driver.cgi(operation, { path, body, config: system.config({ sign_up: 'closed' }) });
    assertError(closed, 403, 'forbidden');
  },
  async acceptInvitation(driver, operation) {
    const path = '/v1/session/accept';
    const { shop } = driver;
    const person = await (await shop.elsewhere()).person('viewer');
    await driver.expect(operation, { path, who: person, body: { token: 'none' } }, 404);
    const { token } = await shop.invitation(person);
    await driver.system.sql(
      `INSERT INTO members SELECT workspace_id, (SELECT user_id FROM users WHERE email = '${person.email}'), 'viewer',
        NOW(6), NOW(6) FROM invitations WHERE email = '${person.email}'`,
    );
    await driver.expect(operation, { path, who: person, body: { token } }, 409);
  },
  confirmAccount: unknownToken('/v1/session/confirm', {}),
  resetPassword: unknownToken('/v1/session/reset', { password: 'battery staple correct' }),
  async inviteMember(driver, operation) {
    const body = { email: driver.shop.viewer.email, role: 'viewer' };
    await driver.expect(operation, { path: '/v1/members', who: driver.shop.owner, body }, 409);
  },
  async changeMember(driver, operation) {
    await lastOwner(driver, operation, { role: 'viewer' });
  },
  async removeMember(driver, operation) {
    await lastOwner(driver, operation);
  },
};

function whileIt(verb) {
  return async (driver, operation) => {
    const { shop } = driver;
    const { webhook_id } = await shop.webhook();
    await shop.made('POST', `/v1/webhooks/${webhook_id}/${verb}`);
    const path = operation.path.replace('{webhook_id}', webhook_id);
    await driver.expect(operation, { path, who: shop.api, body: operation.body.examples[0] }, 409);
  };
}

function unknownToken(path, fields) {
  return (driver, operation) => driver.expect(operation, { path, body: { ...fields, token: 'none' } }, 404);
}

async function lastOwner(driver, operation, body) {
  const { owner } = await driver.shop.elsewhere();
  await driver.expect(operation, { path: `/v1/members/${owner.user_id}`, who: owner, body }, 409);
}

// Attempts that fail, from one address, until there were too many.
async function tooManyAttempts(driver) {
  const config = driver.system.config({ sign_in_failures_address: '1' });
  const slowed = driver.description
    .operations()
    .filter(({ value, statuses }) => value.security.length === 0 && statuses.includes('429'));
  assert.ok(slowed.length > 3);
  for (const [i, operation] of slowed.entries()) {
    const remote = `203.0.113.${i + 1}`;
    const [example] = operation.body.examples;
    const body = { ...example, ...(example.token ? { token: 'none' } : {}) };
    for (let n = 0; n < 10 && !driver.reached.get(operation.name)?.has('429'); n++)
      await driver.cgi(operation, { path: operation.path, body, config, remote });
  }
}

async function openDriver(context) {
  const description = await Description.of(await fetchDocument(context.system));
  const shop = await Workshop.open(context);
  Object.assign(shop, {
    calls: await shop.key('calls'),
    manage: await shop.key('manage'),
    spent: await shop.key('calls,manage'),
    viewer: await shop.person('viewer'),
  });
  await context.system.admin('key', 'limit', shop.spent.key_id, '--rate', '1');
  return new Driver(shop, description);
}

function everyAnswer(test) {
  test('every status that it describes is answered, as it describes it', { within: 300_000 }, async (context) => {
    const driver = await openDriver(context);
    const operations = driver.description.operations();
    const failures = [];
    const attempt = async (work, operation) => {
      try {
        await work();
      } catch (error) {
        failures.push(`${operation?.name ?? ''}: ${error.message}`);
      }
    };
    const unknown = Object.keys(special).filter((id) => !operations.some((operation) => operation.id === id));
    assert.deepEqual(unknown, []);
    for (const operation of operations) {
      await attempt(() => driver.drive(operation), operation);
      if (special[operation.id]) await attempt(() => special[operation.id](driver, operation), operation);
    }
    await attempt(() => tooManyAttempts(driver));
    await context.system.database.kill();
    try {
      for (const operation of operations) await attempt(() => driver.unavailable(operation), operation);
    } finally {
      await context.system.database.start();
    }
    assert.deepEqual([...failures, ...driver.missing().map((what) => `not reached: ${what}`)], []);
  });

  test('a method that a path does not have gets 405 as it describes it', async (context) => {
    const driver = await openDriver(context);
    for (const [path, item] of Object.entries(driver.description.document.paths)) {
      const url = context.system.url + path.replace(/\{\w+\}/g, 'x');
      const { status, headers, text, json } = await send(url, { method: 'PUT' });
      assert.equal(status, 405, path);
      const allowed = headers.allow.split(', ').filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      assert.deepEqual(allowed.map((method) => method.toLowerCase()).sort(), Object.keys(item).sort(), path);
      const at = '#/components/responses/MethodNotAllowed';
      driver.description.checkAnswer(at, { status, headers, text, json }, path);
    }
  });

  test('every event that is delivered is as its webhook says', async ({ system, receiver }) => {
    const description = await Description.of(await fetchDocument(system));
    const { webhooks } = description.document;
    const customer = await system.customer({ box: receiver.box() });
    const call = (contact_number) => system.call(customer, { contact_number });
    await call('+919000000001');
    await call('+919000000002');
    await system.settled(customer.workspace_id);
    await system.admin('agent', 'disable', customer.agent_id);
    await call('+919000000001');
    await system.settled(customer.workspace_id);
    for (const type of Object.keys(webhooks)) {
      const arrival = customer.box.arrivals.find(({ text }) => JSON.parse(text).event_type === type);
      assert.ok(arrival, `no ${type} came`);
      const at = `#/webhooks/${type}/post/requestBody/content/application~1json/schema`;
      assert.equal(description.problem(at, JSON.parse(arrival.text)), null, arrival.text);
      for (const [i] of webhooks[type].post.parameters.entries()) {
        const { value, at: place } = description.find(`#/webhooks/${type}/post/parameters/${i}`);
        const sent = arrival.headers[value.name.toLowerCase()];
        assert.equal(description.problem(`${place}/schema`, sent), null, `${value.name}: ${sent}`);
      }
    }
  });
}

export default suite('openapi', { runs: 'faults', system: { settings }, weight: 12 }, (test) => {
  documentItself(test);
  everyAnswer(test);
});
