// Inbound hooks: what other systems send to a URL whose token is the key, and how its owner makes,
// signs, rotates and ends it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { idSql } from '../lib/database.mjs';
import { assertCreated, assertError, assertKeysInOrder, inCase, TIME } from '../lib/expect.mjs';
import {
  cancelMessage,
  createMessage,
  makeHook,
  manage,
  tell,
  TOKEN,
  tokenOf,
  tokens,
} from '../lib/hooks.mjs';
import { chunked, sendRaw } from '../lib/http.mjs';
import { found, logged } from '../lib/logs.mjs';
import { good } from '../lib/refusals.mjs';
import { sign } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { inParallel, until } from '../lib/wait.mjs';

const KEYS = [
  'hook_id',
  'name',
  'status',
  'signed',
  'hint',
  'previous_until',
  'last_used_at',
  'created_at',
  'updated_at',
];
const NO_HOOK = 'No such inbound hook.';
const base32 = () => randomBytes(64).toString('hex').slice(0, 40);
const now = () => Math.floor(Date.now() / 1000);

const callsOf = (system, customer) =>
  system.number(`SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`);

const gone = (answer) => assertError(answer, 404, 'not_found', NO_HOOK);

const rotate = async (customer, hook, body) => {
  const answer = await manage(customer, 'POST', hook, '/rotate', body);
  if (answer.status === 200) tokenOf(answer.json.data.url);
  return answer;
};

function actions(test) {
  test('call.create answers as POST /v1/calls does, and its call is the same', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const fields = good(customer, {
      contact_name: 'John Doe',
      contact_email: 'john@example.com',
      additional_info: { deal_id: 'D-100' },
    });
    const [byHook, byApi] = [
      await tell(system, hook.url, createMessage(fields)),
      await customer.api.create(fields),
    ];
    const calls = [];
    for (const answer of [byHook, byApi]) {
      const id = assertCreated(answer);
      assert.deepEqual(answer.json, { data: { call_id: id, status: 'scheduled' } });
      assert.equal(answer.headers.location, `${system.url}/v1/calls/${id}`);
      calls.push((await customer.api.get(id)).json.data);
    }
    const differs = ['call_id', 'created_at', 'updated_at'];
    const same = (call) => Object.entries(call).filter(([name]) => !differs.includes(name));
    assert.deepEqual(same(calls[0]), same(calls[1]));
    const [{ origin, test: isTest }] = await system.sql(
      `SELECT origin, test FROM calls WHERE call_id = ${idSql(calls[0].call_id)}`,
    );
    assert.deepEqual([origin, isTest], ['hook', '0']);
  });

  test('a call that a hook made is placed and completes', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const { scheduled_at, ...fields } = good(customer);
    assert.ok(scheduled_at);
    const id = assertCreated(await tell(system, hook.url, createMessage(fields)));
    await system.status(customer, id, 'completed');
  });

  test('a call that policy refuses is answered 201 with its reason', async ({ system }) => {
    const customer = await system.customer({ talks: false });
    const hook = await makeHook(customer);
    const answer = await tell(system, hook.url, createMessage(good(customer)));
    assertCreated(answer);
    assert.deepEqual(
      [answer.json.data.status, answer.json.data.error.code],
      ['disallowed', 'agent_disabled'],
    );
  });

  test('call.cancel answers as the cancel call does, and a second one with the same moment', async ({
    system,
  }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const id = assertCreated(await tell(system, hook.url, createMessage(good(customer))));
    const first = await tell(system, hook.url, cancelMessage(id));
    assert.equal(first.status, 200, first.text);
    assertKeysInOrder(first.json.data, ['call_id', 'status', 'cancelled_at']);
    assert.deepEqual([first.json.data.call_id, first.json.data.status], [id, 'cancelled']);
    assert.match(first.json.data.cancelled_at, TIME);
    assert.deepEqual((await tell(system, hook.url, cancelMessage(id))).json, first.json);
    assert.deepEqual((await customer.api.cancel(id)).json, first.json);
  });

  test('a call that has started gets 409; what is no call, or another workspace’s, gets 404', async ({
    system,
  }) => {
    const [customer, other] = [await system.customer(), await system.customer()];
    const hook = await makeHook(customer);
    const { scheduled_at, ...fields } = good(customer);
    assert.ok(scheduled_at);
    const started = assertCreated(await tell(system, hook.url, createMessage(fields)));
    await system.status(customer, started, 'completed');
    assertError(await tell(system, hook.url, cancelMessage(started)), 409, 'call_not_cancellable');
    const theirs = await system.call(other, { scheduled_at: new Date(Date.now() + 3_600_000).toISOString() });
    for (const id of [theirs, '01890000-0000-7000-8000-000000000000', 'x', ''])
      assertError(await tell(system, hook.url, cancelMessage(id)), 404, 'not_found', 'No such call.');
    assert.equal((await other.api.get(theirs)).json.data.status, 'scheduled');
    const agent = createMessage(good(customer, { agent_id: other.agent_id }));
    assertError(await tell(system, hook.url, agent), 404, 'not_found', 'agent_id');
  });
}

function refusals(test) {
  test('what is wrong with a message is told by name, and nothing is made', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const data = good(customer);
    const cases = [
      ['empty', '', /empty/],
      ['no JSON', '{', /./],
      ['an array', '[]', /object/],
      ['no action', { data }, 'action is required.'],
      ['another action', { action: 'call.delete', data }, 'action must be call.create or call.cancel.'],
      ['an action that is no string', { action: 1, data }, 'action must be call.create or call.cancel.'],
      ['action null', { action: null, data }, 'action must not be null.'],
      ['no data', { action: 'call.create' }, 'data is required.'],
      ['data null', { action: 'call.create', data: null }, 'data must be an object.'],
      ['data a string', { action: 'call.cancel', data: 'x' }, 'data must be an object.'],
      ['a member too many', { ...createMessage(data), extra: 1 }, 'Unknown field "extra".'],
      ['an unknown field', createMessage({ ...data, phone: 1 }), 'Unknown field "phone".'],
      ['no number', createMessage({ agent_id: data.agent_id }), 'contact_number is required'],
      ['a bad number', createMessage({ ...data, contact_number: '+1' }), 'contact_number'],
      ['cancel without an id', { action: 'call.cancel', data: {} }, 'call_id is required.'],
      ['an id that is no string', cancelMessage(1), 'call_id must be a string.'],
      [
        'cancel with more',
        { action: 'call.cancel', data: { call_id: 'x', reason: 'y' } },
        'Unknown field "reason".',
      ],
      ['the same member twice', '{"action":"call.create","action":"call.cancel","data":{}}', 'action'],
    ];
    for (const [name, body, says] of cases)
      await inCase(name, async () =>
        assertError(await tell(system, hook.url, body), 400, 'invalid_request', says),
      );
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1'])
      assertError(
        await tell(system, hook.url, createMessage(data), { 'Content-Type': type }),
        415,
        'unsupported_media_type',
      );
    for (const method of ['GET', 'PUT', 'DELETE'])
      assertError(
        await customer.api.send(method, hook.url.slice(system.url.length)),
        405,
        'method_not_allowed',
      );
    assert.equal(await callsOf(system, customer), 0);
  });

  test('a body over 64 KiB gets 413, also in chunks', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const message = (n) =>
      JSON.stringify(createMessage(good(customer, { additional_info: { text: 'x'.repeat(n) } })));
    assertError(await tell(system, hook.url, message(65_536)), 413, 'payload_too_large');
    const { pathname, host } = new URL(hook.url);
    const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const answer = await sendRaw(hook.url, [head, ...chunked(message(65_536))]);
    assertError(answer, 413, 'payload_too_large');
    assert.equal(await callsOf(system, customer), 0);
    assertCreated(await sendRaw(hook.url, [head, ...chunked(message(60_000), 1000)]));
  });

  test('a token that nobody has gets 404 in the same words, whatever its form and the request', async ({
    system,
  }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const token = tokenOf(hook.url);
    const others = [
      `tok_${base32()}`,
      token.slice(0, -1),
      `${token}0`,
      token.toUpperCase(),
      token.replace('tok_', 'tik_'),
      token.slice(4),
      `tok_${'u'.repeat(40)}`,
      `tok_${'0'.repeat(2000)}`,
      'x',
      'tok_',
      `${token.slice(0, 20)}%20${token.slice(20)}`,
      `${token.slice(0, 40)}%27or1`,
    ];
    for (const other of others) {
      tokens.add(other);
      await inCase(other, async () => {
        gone(await tell(system, `${system.url}/v1/hooks/${other}`, createMessage(good(customer))));
        gone(
          await tell(system, `${system.url}/v1/hooks/${other}`, '{', { 'Content-Type': 'text/plain' }),
        );
      });
    }
    // what a web server may refuse by itself; each on a connection of its own, because lighttpd logs
    // what it refuses as it would the request before
    for (const odd of [`${token}%00`, `${token}%0a`, `${token.slice(0, 43)}%ff`, `${token}%2f`]) {
      const { status } = await tell({ agent: false }, `${system.url}/v1/hooks/${odd}`, createMessage(good(customer)));
      assert.ok([400, 404].includes(status), `${odd}: ${status}`);
    }
    for (const deeper of [`${hook.url}/x`, `${hook.url}/`, `${system.url}/v1/hooks/`])
      assert.equal((await tell(system, deeper, createMessage(good(customer)))).status, 404, deeper);
    assert.equal(await callsOf(system, customer), 0);
  });
}

const WITHOUT = {
  hex: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  standard: ['x-webhook-signature'],
};

function signedHeaders(secret, body, { dialect, at = now(), id = `msg_${base32()}` }) {
  const headers = sign(secret, id, at, body);
  for (const name of WITHOUT[dialect]) delete headers[name];
  return headers;
}

function signatures(test) {
  for (const dialect of ['hex', 'standard']) {
    test(`a hook with a secret takes what is signed (${dialect}), and nothing else`, async ({ system }) => {
      const customer = await system.customer();
      const hook = await makeHook(customer, { signing_secret: true });
      assert.match(hook.signing_secret, /^whsec_/);
      const secret = hook.signing_secret;
      const body = JSON.stringify(createMessage(good(customer)));
      const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
      const headers = (options) => signedHeaders(secret, body, { dialect, ...options });
      const bad = {
        missing: {},
        'another secret': signedHeaders(other, body, { dialect }),
        'another body': signedHeaders(secret, `${body} `, { dialect }),
        late: headers({ at: now() - 305 }),
        early: headers({ at: now() + 305 }),
        tampered: Object.fromEntries(
          Object.entries(headers({})).map(([name, value]) => [
            name,
            name.endsWith('signature') ? value.replace(/(v1.)(.)/, (_, v1, c) => v1 + (/a/i.test(c) ? 'b' : 'a')) : value,
          ]),
        ),
        'a timestamp of now over an old signature': Object.fromEntries(
          Object.entries(headers({ at: now() - 305 })).map(([name, value]) => [
            name,
            name === 'x-webhook-signature'
              ? value.replace(/t=\d+/, `t=${now()}`)
              : name === 'webhook-timestamp'
                ? String(now())
                : value,
          ]),
        ),
      };
      for (const [name, wrong] of Object.entries(bad))
        await inCase(name, async () =>
          assertError(await tell(system, hook.url, body, wrong), 401, 'unauthorized'),
        );
      assertError(await tell(system, hook.url, '{', {}), 401, 'unauthorized');
      assert.equal(await callsOf(system, customer), 0);
      for (const at of [now(), now() - 290, now() + 290])
        assertCreated(await tell(system, hook.url, body, headers({ at })));
    });
  }

  test('a secret is given, changed, taken away; what is no secret is refused', async ({ system }) => {
    const customer = await system.customer();
    const own = `whsec_${randomBytes(24).toString('base64')}`;
    const hook = await makeHook(customer, { signing_secret: own });
    assert.deepEqual([hook.signing_secret, hook.signed], [own, true]);
    const body = JSON.stringify(createMessage(good(customer)));
    const by = (secret) =>
      tell(system, hook.url, body, secret ? signedHeaders(secret, body, { dialect: 'hex' }) : {});
    assertCreated(await by(own));
    const next = (await manage(customer, 'PATCH', hook, '', { signing_secret: true })).json.data;
    assertError(await by(own), 401, 'unauthorized');
    assertCreated(await by(next.signing_secret));
    const shown = (await manage(customer, 'GET', hook)).json.data;
    assert.deepEqual([shown.signed, 'signing_secret' in shown], [true, false]);
    const cleared = (await manage(customer, 'PATCH', hook, '', { signing_secret: null })).json.data;
    assert.deepEqual([cleared.signed, 'signing_secret' in cleared], [false, false]);
    assertCreated(await by(null));
    for (const wrong of ['whsec_', 'x', '', 7, [], `whsec_${Buffer.alloc(23).toString('base64')}`])
      assertError(
        await manage(customer, 'PATCH', hook, '', { signing_secret: wrong }),
        400,
        'invalid_request',
        'signing_secret must be',
      );
  });
}

function idempotency(test) {
  for (const header of ['Idempotency-Key', 'webhook-id']) {
    test(`${header}: the same data gives the first call again, other data 422`, async ({ system }) => {
      const customer = await system.customer();
      const [hook, second] = [await makeHook(customer), await makeHook(customer)];
      const key = { [header]: `msg_${base32()}` };
      const data = good(customer);
      const first = await tell(system, hook.url, createMessage(data), key);
      assertCreated(first);
      const turned = Object.fromEntries(Object.entries(data).reverse());
      for (const [url, body] of [
        [hook.url, createMessage(data)],
        [second.url, `{ "data": ${JSON.stringify(turned)}, "action": "call.create" }`],
      ]) {
        const again = await tell(system, url, body, key);
        assert.deepEqual([again.status, again.json], [201, first.json]);
        assert.equal(again.headers['idempotent-replayed'], 'true');
        assert.equal(again.headers.location, first.headers.location);
      }
      const other = await tell(system, hook.url, createMessage(good(customer)), key);
      assertError(other, 422, 'idempotency_key_reused', header);
      // a key of the Calls API is another one
      const byApi = await customer.api.create(data, { 'Idempotency-Key': key[header] });
      assert.notEqual(assertCreated(byApi), first.json.data.call_id);
      assert.equal(await callsOf(system, customer), 2);
      for (const wrong of ['x'.repeat(256), 'é'])
        assertError(
          await tell(system, hook.url, createMessage(data), { [header]: Buffer.from(wrong).toString('latin1') }),
          400,
          'invalid_request',
          header,
        );
    });
  }

  test('Idempotency-Key goes before webhook-id', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const data = good(customer);
    const one = await tell(system, hook.url, createMessage(data), {
      'Idempotency-Key': 'k1',
      'webhook-id': 'm1',
    });
    const two = await tell(system, hook.url, createMessage(data), {
      'Idempotency-Key': '"k1"',
      'webhook-id': 'm2',
    });
    assert.equal(assertCreated(two), assertCreated(one));
    assert.notEqual(
      assertCreated(await tell(system, hook.url, createMessage(data), { 'webhook-id': 'm1' })),
      one.json.data.call_id,
    );
  });

  test('50 parallel messages with one webhook-id make one call', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const body = JSON.stringify(createMessage(good(customer)));
    const key = { 'webhook-id': `msg_${base32()}` };
    const answers = await inParallel(system.connections, Array(50).fill(body), (one) =>
      tell(system, hook.url, one, key),
    );
    assert.equal(new Set(answers.map(assertCreated)).size, 1);
    assert.equal(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length, 49);
    assert.equal(await callsOf(system, customer), 1);
  });
}

function owning(test) {
  test('a hook is made, shown without its token, listed, renamed', async ({ system }) => {
    const customer = await system.customer();
    const answer = await customer.api.send('POST', '/v1/inbound_hooks', { body: { name: 'CRM' } });
    assert.equal(answer.status, 201, answer.text);
    const hook = answer.json.data;
    const token = tokenOf(hook.url);
    assert.equal(answer.headers.location, `${system.url}/v1/inbound_hooks/${hook.hook_id}`);
    assert.match(hook.hook_id, /^ih_[0-9a-z]{26}$/);
    assert.match(token, TOKEN);
    assert.equal(hook.url, `${system.url}/v1/hooks/${token}`);
    assert.deepEqual(Object.keys(hook), [...KEYS.slice(0, 4), 'url', ...KEYS.slice(4)]);
    assert.deepEqual(
      [hook.name, hook.status, hook.signed, hook.hint, hook.last_used_at],
      ['CRM', 'enabled', false, `${token.slice(0, 8)}…`, null],
    );
    const { url, ...rest } = hook;
    assert.ok(url);
    assert.deepEqual((await manage(customer, 'GET', hook)).json.data, rest);
    const second = await makeHook(customer);
    const list = await customer.api.send('GET', '/v1/inbound_hooks?limit=1');
    assert.deepEqual(
      list.json.data.map(({ hook_id }) => hook_id),
      [second.hook_id],
    );
    const more = await customer.api.send('GET', `/v1/inbound_hooks?cursor=${list.json.next_cursor}`);
    assert.deepEqual([more.json.data, more.json.next_cursor], [[rest], null]);
    const renamed = await manage(customer, 'PATCH', hook, '', { name: 'राज' });
    assert.deepEqual([renamed.status, renamed.json.data.name], [200, 'राज']);
    assertCreated(await tell(system, hook.url, createMessage(good(customer))));
  });

  test('what a hook cannot be is refused by name', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    for (const [body, says] of [
      [{}, 'name is required.'],
      [{ name: '' }, 'name must not be empty.'],
      [{ name: 'x'.repeat(201) }, 'name must have'],
      [{ name: 1 }, 'name must be a string.'],
      [{ name: 'x', token: 'y' }, 'Unknown field "token".'],
      [{ name: 'x', signing_secret: 'short' }, 'signing_secret must be'],
    ])
      assertError(
        await customer.api.send('POST', '/v1/inbound_hooks', { body }),
        400,
        'invalid_request',
        says,
      );
    assertError(await manage(customer, 'PATCH', hook, '', {}), 400, 'invalid_request', 'nothing to change');
    for (const grace of [-1, 172_801, 1.5, '10'])
      assertError(
        await rotate(customer, hook, { grace_seconds: grace }),
        400,
        'invalid_request',
        'grace_seconds must be a whole number from 0 to 172800.',
      );
    assertError(await manage(customer, 'POST', hook, '/disable', { x: 1 }), 400, 'invalid_request', '"x"');
  });

  test('a hook of another workspace, or none, gets 404 from everything', async ({ system }) => {
    const [customer, other] = [await system.customer(), await system.customer()];
    const hook = await makeHook(customer);
    for (const hook_id of [hook.hook_id, 'ih_00000000000000000000000000', 'x', customer.agent_id]) {
      for (const [method, verb, body] of [
        ['GET', ''],
        ['PATCH', '', { name: 'mine' }],
        ['DELETE', ''],
        ['POST', '/rotate'],
        ['POST', '/enable'],
        ['POST', '/disable'],
      ])
        gone(await manage(other, method, { hook_id }, verb, body));
    }
    assert.deepEqual((await other.api.send('GET', '/v1/inbound_hooks')).json, { data: [], next_cursor: null });
    assert.equal((await manage(customer, 'GET', hook)).json.data.name, 'a hook');
    assertCreated(await tell(system, hook.url, createMessage(good(customer))));
  });

  test('a key without the scope "manage" gets 403, and no key 401', async ({ system }) => {
    const customer = await system.customer({ key: ['--scopes', 'calls'] });
    assertError(await customer.api.send('GET', '/v1/inbound_hooks'), 403, 'forbidden');
    assertError(
      await customer.api.send('POST', '/v1/inbound_hooks', { body: { name: 'x' } }),
      403,
      'forbidden',
    );
    assertError(
      await customer.api.send('GET', '/v1/inbound_hooks', { headers: { Authorization: undefined } }),
      401,
      'unauthorized',
    );
  });

  test('a test key makes and changes no hook, whose calls would be live', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const { key } = await system.admin('key', 'create', '--workspace', customer.workspace_id, '--test');
    const headers = { Authorization: `Bearer ${key}` };
    const path = `/v1/inbound_hooks/${hook.hook_id}`;
    for (const [method, where, body] of [
      ['POST', '/v1/inbound_hooks', { name: 'x' }],
      ['PATCH', path, { signing_secret: null }],
      ['DELETE', path],
      ['POST', `${path}/rotate`],
      ['POST', `${path}/enable`],
      ['POST', `${path}/disable`],
    ])
      assertError(await customer.api.send(method, where, { body, headers }), 403, 'forbidden', 'test key');
    assert.equal((await customer.api.send('GET', path, { headers })).status, 200);
    assertCreated(await tell(system, hook.url, createMessage(good(customer))));
  });

  test('a rotation without grace ends the old URL before it is answered', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const use = (url) => tell(system, url, createMessage(good(customer)));
    await inParallel(system.connections, Array(10).fill(hook.url), async (url) =>
      assertCreated(await use(url)),
    );
    const rotated = await rotate(customer, hook);
    assert.equal(rotated.status, 200, rotated.text);
    const { url, hint, previous_until } = rotated.json.data;
    assert.deepEqual([hint, previous_until], [`${tokenOf(url).slice(0, 8)}…`, null]);
    for (const old of await inParallel(system.connections, Array(10).fill(hook.url), use)) gone(old);
    assertCreated(await use(url));
  });

  test('a rotation with a grace keeps the old URL for it, and a later one without ends them all', async ({
    system,
  }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const use = (url) => tell(system, url, createMessage(good(customer)));
    const second = (await rotate(customer, hook, { grace_seconds: 3600 })).json.data;
    assert.match(second.previous_until, TIME);
    const third = (await rotate(customer, hook, { grace_seconds: 172_800 })).json.data;
    for (const { url } of [hook, second, third]) assertCreated(await use(url));
    assert.equal(
      await system.number(
        `SELECT COUNT(*) FROM inbound_hook_tokens WHERE hook_id = ${idSql(hook.hook_id)} AND expires_at < NOW(6) + INTERVAL 3601 SECOND`,
      ),
      1,
      'the first keeps its hour',
    );
    const fourth = (await rotate(customer, hook)).json.data;
    for (const { url } of [hook, second, third]) gone(await use(url));
    const fifth = (await rotate(customer, hook, { grace_seconds: 1 })).json.data;
    await until('the grace to pass', async () => (await use(fourth.url)).status === 404);
    assertCreated(await use(fifth.url));
  });

  test('rotations in parallel leave one token in force, of one of the URLs that were answered', async ({
    system,
  }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const answers = await inParallel(system.connections, Array(100).fill(hook), (one) =>
      rotate(customer, one, { grace_seconds: 60 }),
    );
    for (const { status, text } of answers) assert.equal(status, 200, text);
    const urls = answers.map(({ json }) => json.data.url);
    assert.equal(new Set(urls).size, 100);
    const inForce = await system.sql(
      `SELECT HEX(token_hash) AS hash, SHA2('', 256) AS x FROM inbound_hook_tokens WHERE hook_id = ${idSql(hook.hook_id)} AND expires_at IS NULL`,
    );
    assert.equal(inForce.length, 1);
    const hashes = await system.number(
      `SELECT COUNT(*) FROM inbound_hook_tokens WHERE hook_id = ${idSql(hook.hook_id)} AND HEX(token_hash) IN (${urls.map((url) => `UPPER(SHA2('${tokenOf(url)}', 256))`)})`,
    );
    assert.equal(hashes, 100, 'each URL that was answered was written');
    // each was in force when it was made, and has the grace since
    for (const url of urls.filter((_, i) => i % 20 === 0))
      assertCreated(await tell(system, url, createMessage(good(customer))));
  });

  test('disabled, its URL gets 404; enabled, it works again; deleted, it is gone', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const use = () => tell(system, hook.url, createMessage(good(customer)));
    assertCreated(await use());
    for (let twice = 0; twice < 2; twice++) {
      const answer = await manage(customer, 'POST', hook, '/disable');
      assert.deepEqual([answer.status, answer.json.data.status], [200, 'disabled']);
      gone(await use());
    }
    const answer = await manage(customer, 'POST', hook, '/enable');
    assert.deepEqual([answer.status, answer.json.data.status], [200, 'enabled']);
    assertCreated(await use());
    const deleted = await manage(customer, 'DELETE', hook);
    assert.deepEqual(
      [deleted.status, deleted.json],
      [200, { data: { hook_id: hook.hook_id, deleted: true } }],
    );
    gone(await use());
    for (const [method, verb] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/enable'],
      ['POST', '/rotate'],
    ])
      gone(await manage(customer, method, hook, verb));
  });

  test('a hook knows when it was used last, to the minute', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    const lastUsed = async () => (await manage(customer, 'GET', hook)).json.data.last_used_at;
    assertCreated(await tell(system, hook.url, createMessage(good(customer))));
    const first = await lastUsed();
    assert.match(first, TIME);
    const again = () => tell(system, hook.url, createMessage(good(customer)));
    await inParallel(system.connections, Array(10).fill(0), async () => assertCreated(await again()));
    assert.equal(await lastUsed(), first);
    await system.sql(
      `UPDATE inbound_hooks SET last_used_at = NOW(6) - INTERVAL 61 SECOND WHERE hook_id = ${idSql(hook.hook_id)}`,
    );
    await until('the use to be written', async () => {
      assertCreated(await again());
      return (await lastUsed()) >= first;
    });
  });

  test('a suspended workspace: calls are disallowed, as by the Calls API', async ({ system }) => {
    const customer = await system.customer();
    const hook = await makeHook(customer);
    await system.admin('workspace', 'suspend', customer.workspace_id);
    const answer = await tell(system, hook.url, createMessage(good(customer)));
    assertCreated(answer);
    assert.equal(answer.json.data.error.code, 'account_suspended');
  });

  test('the operator makes, lists, rotates and switches hooks', async ({ system }) => {
    const customer = await system.customer();
    const args = ['--workspace', customer.workspace_id];
    const made = await system.admin('hook', 'create', ...args, '--name', 'CRM', '--signed');
    tokenOf(made.url);
    assert.match(made.signing_secret, /^whsec_/);
    const plain = await system.admin('hook', 'create', ...args);
    tokenOf(plain.url);
    assertCreated(await tell(system, plain.url, createMessage(good(customer))));
    const list = await system.admin('hook', 'list', ...args);
    assert.deepEqual(
      list.map(({ hook_id, name, signed, status }) => [hook_id, name, signed, status]),
      [
        [made.hook_id, 'CRM', true, 'enabled'],
        [plain.hook_id, '', false, 'enabled'],
      ],
    );
    assert.ok(!JSON.stringify(list).includes(tokenOf(made.url)));
    const rotated = await system.admin('hook', 'rotate', plain.hook_id);
    tokenOf(rotated.url);
    gone(await tell(system, plain.url, createMessage(good(customer))));
    assertCreated(await tell(system, rotated.url, createMessage(good(customer))));
    assert.equal((await system.admin('hook', 'disable', plain.hook_id)).status, 'disabled');
    gone(await tell(system, rotated.url, createMessage(good(customer))));
    assert.equal((await system.admin('hook', 'enable', plain.hook_id)).status, 'enabled');
    assertCreated(await tell(system, rotated.url, createMessage(good(customer))));
    const table = await system.adminRaw('hook', 'list', ...args);
    assert.equal(table.stdout.trimEnd().split('\n').length, 3);
    const kept = await system.admin('hook', 'rotate', plain.hook_id, '--grace', '1h');
    tokenOf(kept.url);
    assert.match(kept.previous_until, TIME);
    assertCreated(await tell(system, rotated.url, createMessage(good(customer))));
    for (const bad of [
      ['rotate', plain.hook_id, '--grace', '49h'],
      ['rotate', 'ih_00000000000000000000000000'],
      ['disable', 'x'],
      ['create', ...args, '--secret', 'x'],
    ])
      assert.notEqual((await system.adminRaw('hook', ...bad)).code, 0, bad.join(' '));
  });

  test("the quickstart's own hook works as its URL says", async ({ system }) => {
    tokenOf(system.env.HV_HOOK_URL);
    const message = createMessage(good({ agent_id: system.env.HV_AGENT_ID }));
    assertCreated(await tell(system, system.env.HV_HOOK_URL, message));
  });
}

export default suite('inbound_hooks', { runs: 'core', width: 4 }, (test) => {
  actions(test);
  refusals(test);
  signatures(test);
  idempotency(test);
  owning(test);

  test(
    'no log has a token in it, of those that were good or of those that were tried',
    { alone: true },
    async ({ system }) => {
      const secrets = [...tokens].filter((token) => /^tok_.{20}/.test(token)).map((token) => token.slice(0, 24));
      assert.ok(secrets.length > 20, `${secrets.length}`);
      assert.match(await logged(system), /\/v1\/hooks\/\(hidden\)/);
      assert.deepEqual(found(system, secrets), []);
    },
  );
});
