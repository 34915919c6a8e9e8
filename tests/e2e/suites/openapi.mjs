// The API's description and the server, held to each other: the document is valid, it names every
// route and no other, and every status that it describes is provoked and is as described.
import assert from 'node:assert/strict';
import { Description } from '../lib/openapi.mjs';
import { apiRoutes, routeKey } from '../lib/routes.mjs';
import { suite } from '../lib/suite.mjs';

const settings = {
  poll_interval: '100ms',
  simulator_ring: '10ms',
  simulator_talk: '10ms',
  recheck_interval: '0ms',
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
      const given = { CALLBACK: 'JSON', SIGNED_JSON: 'JSON', NO_BODY: undefined };
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

export default suite('openapi', { runs: 'faults', system: { settings }, weight: 12 }, (test) => {
  documentItself(test);
});
