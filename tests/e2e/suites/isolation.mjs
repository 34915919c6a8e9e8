// What one workspace has, no other can see or touch: made from the table of routes, so that a new
// route is in it by itself, or fails until somebody has said how to make what its path names.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError } from '../lib/expect.mjs';
import { Description } from '../lib/openapi.mjs';
import { Person } from '../lib/person.mjs';
import { apiRoutes, routeKey } from '../lib/routes.mjs';
import { suite } from '../lib/suite.mjs';
import { givenBody, kinds, Workshop } from '../lib/workshop.mjs';

const settings = {
  poll_interval: '100ms',
  recheck_interval: '0ms',
  password_cost: '10',
  sendmail_path: '/bin/true',
  sign_in_failures_address: '100000',
};

// Routes whose paths name something that is no workspace's id, or nothing.
const elsewhere = {
  token: 'it is the key itself (inbound_hooks, callbacks)',
  number: "a contact's number, looked for in the own workspace alone",
};

const parameters = (path) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
const byId = ({ path }) => parameters(path).some((name) => name in kinds);
const byKey = ({ scope }) => ['CALLS', 'MANAGE'].includes(scope);

async function operationsByName({ system }) {
  const document = await (await fetch(`${system.url}/v1/openapi.json`)).json();
  const description = await Description.of(document);
  return new Map(description.operations().map((operation) => [operation.name, operation]));
}

// Every row that belongs to a workspace, of every table that says whose its rows are.
async function rowsOf(system, workspaceId) {
  const columns = await system.sql(`SELECT table_name AS t, GROUP_CONCAT(column_name ORDER BY column_name) AS c
    FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name <> 'last_used_at'
    GROUP BY table_name HAVING FIND_IN_SET('workspace_id', c)`);
  const whole = columns.map(({ t, c }) => {
    const texts = c.split(',').map((name) => `IFNULL(HEX(CONVERT(\`${name}\` USING binary)), '-')`);
    return `SELECT '${t}' AS t, CONCAT_WS(',', ${texts.join(', ')}) AS line FROM \`${t}\`
      WHERE workspace_id = ${idSql(workspaceId)}`;
  });
  whole.push(`SELECT 'tokens', CONCAT_WS(',', HEX(token_hash), t.expires_at) FROM inbound_hook_tokens t
    JOIN inbound_hooks h USING (hook_id) WHERE h.workspace_id = ${idSql(workspaceId)}`);
  const rows = Object.fromEntries(columns.map(({ t }) => [t, []]));
  for (const { t, line } of await system.sql(`${whole.join(' UNION ALL ')} ORDER BY t, line`))
    (rows[t] ??= []).push(line);
  return rows;
}

// One of each kind in the victim's workspace, and nothing on its way.
async function victimWith(context) {
  const victim = await Workshop.open(context);
  const ids = {};
  for (const [name, make] of Object.entries(kinds)) ids[name] = await make(victim);
  await victim.system.sql(
    `UPDATE deliveries SET state = 'succeeded' WHERE workspace_id = ${idSql(victim.workspace_id)}`,
  );
  return { victim, ids };
}

export default suite('isolation', { runs: 'faults', system: { settings, dispatcher: true } }, (test) => {
  test('every route is known to this suite by what its path names', () => {
    for (const route of apiRoutes())
      for (const name of parameters(route.path))
        assert.ok(
          name in kinds || name in elsewhere,
          `${routeKey(route)}: say in lib/workshop.mjs how to make a ${name}`,
        );
  });

  test('an id of another workspace is not found, and nothing of it changes', { within: 120_000 }, async (context) => {
    const { system } = context;
    const operations = await operationsByName(context);
    const { victim, ids } = await victimWith(context);
    const stranger = await Workshop.open(context);
    const before = await rowsOf(system, victim.workspace_id);
    assert.ok(before.calls.length > 0 && before.destinations.length > 0 && before.tokens.length > 0);
    for (const route of apiRoutes().filter(byId)) {
      const operation = operations.get(routeKey(route));
      const path = route.path.replace(/\{(\w+)\}/g, (_, name) => ids[name]);
      const body = await givenBody(operation, stranger);
      if (byKey(route)) {
        const { method } = route;
        assertError(await stranger.api.send(method, path, { body }), 404, 'not_found');
        assertError(await victim.api.send(method, `${path}x`, { body }), 404, 'not_found');
      }
      if (route.role !== 'NONE') assertError(await stranger.owner.send(route.method, path, body), 404, 'not_found');
      const after = await rowsOf(system, victim.workspace_id);
      assert.deepEqual(after, before, `${routeKey(route)} changed what is another workspace's`);
    }
  });

  test('lists and figures hold nothing of another workspace', async (context) => {
    const { victim, ids } = await victimWith(context);
    const stranger = await context.system.customer({ key: ['--scopes', 'calls,manage'] });
    const secrets = [...Object.values(ids), victim.workspace_id, victim.customer.agent_id, victim.owner.email];
    const lists = apiRoutes().filter(({ method, path }) => method === 'GET' && parameters(path).length === 0);
    for (const route of lists.filter(byKey)) {
      const { status, text } = await stranger.api.send('GET', route.path);
      assert.equal(status, 200, text);
      for (const secret of secrets) assert.ok(!text.includes(secret), `${route.path} shows ${secret}`);
    }
  });

  test('an id of another workspace in a body or a filter is not found there either', async (context) => {
    const { ids } = await victimWith(context);
    const stranger = await Workshop.open(context);
    const { agent_id, call_id, webhook_id, event_id } = ids;
    const call = { agent_id, contact_number: '+919876543210' };
    assertError(await stranger.api.create(call), 404, 'not_found');
    const { url } = await stranger.hook();
    for (const message of [
      { action: 'call.create', data: call },
      { action: 'call.cancel', data: { call_id } },
    ])
      assertError(
        await stranger.api.send('POST', new URL(url).pathname, { body: message, headers: { Authorization: undefined } }),
        404,
        'not_found',
      );
    for (const query of [
      `calls?agent_id=${agent_id}`,
      `deliveries?webhook_id=${webhook_id}`,
      `deliveries?event_id=${event_id}`,
      `deliveries?call_id=${call_id}`,
      `events?call_id=${call_id}`,
    ])
      assert.deepEqual((await stranger.api.send('GET', `/v1/${query}`)).json.data, [], query);
  });

  test('a key with too small a scope gets 403, no key 401, and nothing happens', async (context) => {
    const { system } = context;
    const operations = await operationsByName(context);
    const { victim, ids } = await victimWith(context);
    const small = { CALLS: await victim.key('manage'), MANAGE: await victim.key('calls') };
    const viewer = await Person.member(system, victim.workspace_id, 'viewer');
    const before = await rowsOf(system, victim.workspace_id);
    for (const route of apiRoutes()) {
      if (!byKey(route) && route.role === 'NONE') continue;
      const path = route.path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? '+919876543210');
      const body = operations.get(routeKey(route)).body?.examples[0];
      const ask = (by, headers) => by.send(route.method, path, { body, headers });
      assertError(await ask(small[route.scope] ?? victim.api), 403, 'forbidden');
      assertError(await ask(victim.api, { Authorization: undefined }), 401, 'unauthorized');
      assertError(await ask(victim.api, { Authorization: 'Bearer sk_live_nobodys' }), 401, 'unauthorized');
      if (route.role === 'NONE') continue;
      if (['ADMIN', 'OWNER'].includes(route.role))
        assertError(await viewer.send(route.method, path, body), 403, 'forbidden');
    }
    const after = await rowsOf(system, victim.workspace_id);
    for (const [table, rows] of Object.entries(before))
      if (table !== 'sessions') assert.deepEqual(after[table], rows, table);
  });
});
