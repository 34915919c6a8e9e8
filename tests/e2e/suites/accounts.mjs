// People: signing up and in, sessions, members, invitations, and the mails of all that.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runCgi } from '../lib/cgi.mjs';
import { assertError } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { assertOk } from '../lib/manage.mjs';
import { Person } from '../lib/person.mjs';
import { suite } from '../lib/suite.mjs';

const workspace = async (system) =>
  (await system.admin('workspace', 'create', '--name', 'Läden & Co')).workspace_id;

const owner = async (system) => {
  const id = await workspace(system);
  return Object.assign(await Person.member(system, id, 'owner'), { workspace_id: id });
};

const secrets = []; // that no log may show

const setCookie = (answer) => answer.headers['set-cookie']?.[0] ?? '';

export default suite('accounts', { runs: 'core', width: 4 }, (test) => {
  test('the whole life of an account', async ({ system, mailbox }) => {
    const boss = await owner(system);
    const invited = new Person(system);
    const invitation = assertOk(
      await boss.send('POST', '/v1/members', { email: invited.email.toUpperCase(), role: 'admin' }),
      201,
    );
    assert.deepEqual(Object.keys(invitation), [
      'invitation_id',
      'email',
      'role',
      'created_at',
      'expires_at',
    ]);
    assert.equal(invitation.email, invited.email);
    const mail = await mailbox.wait(invited.email);
    assert.match(mail.args, new RegExp(`^-i -f huskyvoice@127\\.0\\.0\\.1 -- ${invited.email}$`));
    assert.match(mail.body, /Läden & Co/);
    assert.ok(mail.body.includes(boss.email));
    const token = await mailbox.token(invited.email, 'invitation');
    secrets.push(token, invited.password, boss.password);
    const made = await invited.send('POST', '/v1/session/sign_up', {
      token,
      name: 'Raj Patel',
      password: invited.password,
    });
    const session = assertOk(made, 201);
    assert.deepEqual(Object.keys(session), [
      'user',
      'workspace',
      'workspaces',
      'role',
      'csrf_token',
      'expires_at',
    ]);
    assert.equal(session.user.email, invited.email);
    assert.equal(session.workspace.workspace_id, boss.workspace_id);
    assert.equal(session.role, 'admin');
    assert.deepEqual(assertOk(await invited.send('GET', '/v1/session')).csrf_token, session.csrf_token);
    const again = new Person(system);
    assertError(
      await again.send('POST', '/v1/session/sign_up', { token, name: 'x', password: again.password }),
      404,
      'not_found',
    );
    assertOk(
      await invited.send('POST', '/v1/session/password', {
        current_password: invited.password,
        new_password: 'another horse entirely',
      }),
    );
    assertOk(await invited.send('GET', '/v1/session'));
    const old = invited.cookie;
    assertOk(await invited.send('DELETE', '/v1/session'));
    assert.equal(invited.cookie, undefined);
    invited.cookie = old;
    assertError(await invited.send('GET', '/v1/session'), 401, 'unauthorized');
    await invited.signIn('another horse entirely');
    secrets.push(invited.cookie.split('=')[1]);
    assertOk(await boss.send('DELETE', `/v1/members/${invited.user_id}`));
    const left = assertOk(await invited.send('GET', '/v1/session'));
    assert.deepEqual([left.workspace, left.role, left.workspaces], [null, null, []]);
    assertError(await invited.send('GET', '/v1/members'), 403, 'forbidden');
    await system.admin('user', 'disable', invited.user_id);
    assertError(await invited.send('GET', '/v1/session'), 401, 'unauthorized');
  });

  test("the quickstart's owner can sign in", async ({ system }) => {
    const { HV_EMAIL: email, HV_PASSWORD: password, HV_WORKSPACE_ID: id } = system.env;
    const person = new Person(system, { email, password });
    assert.equal((await person.signIn()).json.data.workspace.workspace_id, id);
  });

  test('the cookie is for this server alone, and for no script', async ({ system }) => {
    const person = await owner(system);
    const answer = await person.signIn();
    assert.match(setCookie(answer), /^hv_session=[0-9a-z]{40}; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(answer.headers.location, `${system.url}/v1/session`);
    const rows = await system.sql('SELECT HEX(token_hash) AS h FROM sessions');
    assert.ok(rows.length > 0);
    assert.match(
      setCookie(await person.send('DELETE', '/v1/session')),
      /^hv_session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict$/,
    );
  });

  test('a request that changes something needs the CSRF token of its session', async ({ system }) => {
    const [one, two] = [await owner(system), await owner(system)];
    const change = (options) =>
      one.send('PATCH', '/v1/session', { workspace_id: one.workspace_id }, options);
    assertError(await change({ csrf: null }), 403, 'forbidden', 'X-CSRF-Token');
    assertError(await change({ csrf: two.csrf }), 403, 'forbidden', 'X-CSRF-Token');
    assertError(await change({ csrf: `${one.csrf}0` }), 403, 'forbidden', 'X-CSRF-Token');
    assertError(await one.send('DELETE', '/v1/session', undefined, { csrf: null }), 403, 'forbidden');
    assertError(await one.send('POST', '/v1/agents', { name: 'x' }, { csrf: null }), 403, 'forbidden');
    assertOk(await change());
    assertOk(await one.send('GET', '/v1/session', undefined, { csrf: null }));
  });

  test('a role may what it may, and no more', async ({ system }) => {
    const boss = await owner(system);
    const [viewer, admin] = [
      await Person.member(system, boss.workspace_id, 'viewer'),
      await Person.member(system, boss.workspace_id, 'admin'),
    ];
    for (const who of [viewer, admin, boss]) {
      assert.equal(assertOk(await who.send('GET', '/v1/members')).length, 3);
      assertOk(await who.send('GET', '/v1/invitations'));
      assertOk(await who.send('GET', '/v1/calls'));
    }
    assertError(await viewer.send('POST', '/v1/agents', { name: 'An agent' }), 403, 'forbidden', 'admin');
    const wide = { name: 'A key', scopes: ['calls', 'manage'] }; // may what takes an owner
    assertError(await admin.send('POST', '/v1/api_keys', wide), 403, 'forbidden', 'owner');
    assertOk(await admin.send('POST', '/v1/api_keys', { name: 'A key', scopes: ['calls'] }), 201);
    assertOk(await boss.send('POST', '/v1/api_keys', wide), 201);
    assertOk(await admin.send('POST', '/v1/agents', { name: 'An agent' }), 201);
    for (const who of [viewer, admin]) {
      const fields = { email: new Person(system).email, role: 'owner' };
      assertError(await who.send('POST', '/v1/members', fields), 403, 'forbidden', 'owner');
      const at = `/v1/members/${who.user_id}`;
      assertError(await who.send('PATCH', at, { role: 'owner' }), 403, 'forbidden', 'owner');
      assertError(await who.send('DELETE', `/v1/members/${boss.user_id}`), 403, 'forbidden', 'owner');
    }
    const changed = assertOk(await boss.send('PATCH', `/v1/members/${viewer.user_id}`, { role: 'admin' }));
    assert.equal(changed.role, 'admin');
    assertOk(await viewer.send('POST', '/v1/agents', { name: 'Mine' }), 201);
    assertOk(await admin.send('DELETE', `/v1/members/${admin.user_id}`));
    assertError(await boss.send('PATCH', `/v1/members/${admin.user_id}`, { role: 'owner' }), 404, 'not_found');
  });

  test('a key lists members and changes none; it wins over a session', async ({ system }) => {
    const boss = await owner(system);
    const customer = await system.customer();
    const key = { Authorization: `Bearer ${customer.key}` };
    assert.deepEqual(assertOk(await customer.api.send('GET', '/v1/members')), []);
    assertError(
      await customer.api.send('POST', '/v1/members', { body: { email: 'a@b.c', role: 'owner' } }),
      403,
      'forbidden',
      'session',
    );
    assertError(await customer.api.send('GET', '/v1/session'), 403, 'forbidden', 'session');
    assert.deepEqual(assertOk(await boss.send('GET', '/v1/members', undefined, { headers: key })), []);
    const bad = { Authorization: 'Bearer sk_live_nobody' };
    assertError(await boss.send('GET', '/v1/members', undefined, { headers: bad }), 401, 'unauthorized');
    assertError(await send(`${system.url}/v1/session`), 401, 'unauthorized', 'Sign in');
  });

  test('the last owner can neither leave nor be made less', async ({ system }) => {
    const boss = await owner(system);
    const at = `/v1/members/${boss.user_id}`;
    assertError(await boss.send('DELETE', at), 409, 'conflict', 'last owner');
    assertError(await boss.send('PATCH', at, { role: 'viewer' }), 409, 'conflict', 'last owner');
    assertOk(await boss.send('PATCH', at, { role: 'owner' }));
    const second = await Person.member(system, boss.workspace_id, 'owner');
    const both = await Promise.all([boss.send('DELETE', at), second.send('DELETE', `/v1/members/${second.user_id}`)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  });

  test("another workspace's members and invitations are not found", async ({ system }) => {
    const [one, two] = [await owner(system), await owner(system)];
    const made = assertOk(
      await one.send('POST', '/v1/members', { email: new Person(system).email, role: 'viewer' }),
      201,
    );
    const at = `/v1/invitations/${made.invitation_id}`;
    assertError(await two.send('GET', at), 404, 'not_found');
    assertError(await two.send('DELETE', at), 404, 'not_found');
    assertError(await two.send('DELETE', `/v1/members/${one.user_id}`), 404, 'not_found');
    assertError(await two.send('PATCH', '/v1/session', { workspace_id: one.workspace_id }), 404, 'not_found');
    assert.equal(assertOk(await one.send('GET', at)).email, made.email);
    assertOk(await one.send('DELETE', at));
    assertError(await one.send('GET', at), 404, 'not_found');
  });

  test('who has an account accepts an invitation and works in either workspace', async ({ system, mailbox }) => {
    const [one, two] = [await owner(system), await owner(system)];
    assertOk(await one.send('POST', '/v1/members', { email: two.email, role: 'viewer' }), 201);
    const token = await mailbox.token(two.email, 'invitation');
    assertError(
      await new Person(system).send('POST', '/v1/session/sign_up', { token, name: 'x', password: 'long enough x' }),
      409,
      'conflict',
      'sign in',
    );
    const other = await owner(system);
    assertError(await other.send('POST', '/v1/session/accept', { token }), 403, 'forbidden');
    const session = assertOk(await two.send('POST', '/v1/session/accept', { token }));
    assert.equal(session.workspace.workspace_id, one.workspace_id);
    assert.equal(session.role, 'viewer');
    assert.deepEqual(
      session.workspaces.map(({ workspace_id, role }) => [workspace_id, role]),
      [
        [two.workspace_id, 'owner'],
        [one.workspace_id, 'viewer'],
      ],
    );
    const back = assertOk(await two.send('PATCH', '/v1/session', { workspace_id: two.workspace_id }));
    assert.equal(back.role, 'owner');
    assertError(await two.send('POST', '/v1/session/accept', { token }), 404, 'not_found');
    const twice = { email: two.email, role: 'viewer' };
    assertError(await one.send('POST', '/v1/members', twice), 409, 'conflict');
  });

  test('nobody learns whether an address has an account', async ({ system }) => {
    const known = await owner(system);
    const times = { known: [], unknown: [] };
    const bodies = new Set();
    for (let i = 0; i < 4; i++) {
      for (const [kind, email] of [
        ['known', known.email],
        ['unknown', new Person(system).email],
      ]) {
        const person = new Person(system);
        const refused = await person.send('POST', '/v1/session', { email, password: 'wrong wrong wrong' });
        assertError(refused, 401, 'unauthorized');
        const sent = await person.send('POST', '/v1/session/forgot', { email });
        assert.deepEqual(assertOk(sent, 202), { status: 'sent' });
        assert.ok(sent.ms >= 240, `${kind} took ${sent.ms} ms`);
        bodies.add(refused.text).add(sent.text);
        times[kind].push(refused.ms + sent.ms);
      }
    }
    assert.equal(bodies.size, 2);
    const least = (list) => Math.min(...list);
    assert.ok(Math.abs(least(times.known) - least(times.unknown)) < 150, JSON.stringify(times));
    assertError(
      await new Person(system).send('POST', '/v1/session/sign_up', { email: known.email }),
      403,
      'forbidden',
      'invitation',
    );
  });

  test('after five failures each further attempt waits, and the right password too', { alone: true }, async ({ system }) => {
    const person = await owner(system);
    const attempt = (password) => person.send('POST', '/v1/session', { email: person.email, password });
    for (let i = 0; i < 5; i++) assertError(await attempt('wrong wrong wrong'), 401, 'unauthorized');
    const slow = await attempt(person.password);
    assertError(slow, 429, 'rate_limited', 'Try again');
    assert.ok(Number(slow.headers['retry-after']) >= 1);
    await system.sql('UPDATE slowdowns SET allowed_at = NOW(6)');
    assert.equal((await attempt(person.password)).status, 201);
    for (let i = 0; i < 4; i++) assertError(await attempt('wrong wrong wrong'), 401, 'unauthorized');
    await person.signIn();
  });

  test('a link for a new password is good once, and ends all sessions', { alone: true }, async ({ system, mailbox }) => {
    const person = await owner(system);
    const elsewhere = Object.assign(new Person(system), { email: person.email });
    await elsewhere.signIn();
    assertOk(await elsewhere.send('POST', '/v1/session/forgot', { email: person.email }), 202);
    const first = await mailbox.token(person.email, 'reset');
    const reset = (token, password = 'a new horse for all') =>
      new Person(system).send('POST', '/v1/session/reset', { token, password });
    assertError(await reset(first, 'short'), 400, 'invalid_request', 'password');
    assertOk(await reset(first));
    secrets.push(first, 'a new horse for all');
    assertError(await reset(first), 404, 'not_found');
    for (const who of [person, elsewhere])
      assertError(await who.send('GET', '/v1/session'), 401, 'unauthorized');
    assertError(await person.send('POST', '/v1/session', { email: person.email, password: person.password }), 401, 'unauthorized');
    await person.signIn('a new horse for all');
    const { link } = await system.admin('user', 'reset', person.user_id);
    await system.sql("UPDATE user_tokens SET expires_at = NOW(6) - INTERVAL 1 SECOND");
    assertError(await reset(link.split('=')[1]), 404, 'not_found');
  });

  test('a password changed ends all other sessions', async ({ system }) => {
    const person = await owner(system);
    const elsewhere = Object.assign(new Person(system), { email: person.email });
    await elsewhere.signIn();
    const change = (current_password, new_password) =>
      person.send('POST', '/v1/session/password', { current_password, new_password });
    assertError(await change('wrong wrong wrong', 'another horse entirely'), 403, 'forbidden');
    assertError(await change(person.password, 'too short'), 400, 'invalid_request', 'new_password');
    assertOk(await change(person.password, 'another horse entirely'));
    assertOk(await person.send('GET', '/v1/session'));
    assertError(await elsewhere.send('GET', '/v1/session'), 401, 'unauthorized');
  });

  test('the operator invites, and the person makes a workspace of their own', async ({ system, mailbox }) => {
    const person = new Person(system);
    const { link } = await system.admin('user', 'invite', '--email', person.email);
    const token = await mailbox.token(person.email, 'invitation');
    assert.equal(link, `${system.url}/#invitation=${token}`);
    const fields = { token, name: 'Raj', password: person.password };
    assertError(await person.send('POST', '/v1/session/sign_up', fields), 400, 'invalid_request', 'workspace_name');
    const session = assertOk(
      await person.send('POST', '/v1/session/sign_up', { ...fields, workspace_name: 'Raj and Sons' }),
      201,
    );
    assert.equal(session.workspace.name, 'Raj and Sons');
    assert.equal(session.role, 'owner');
    const made = new Person(system);
    const other = await system.admin('user', 'create', '--email', made.email, '--invite', '--workspace', session.workspace.workspace_id, '--role', 'viewer');
    assertOk(await made.send('POST', '/v1/session/reset', { token: other.link.split('=')[1], password: made.password }));
    assert.equal((await made.signIn()).json.data.role, 'viewer');
  });

  test('where signing up is open, a mail confirms it, and says when there is an account', async ({ system, mailbox }) => {
    const config = system.config({ sign_up: 'open', public_url: 'https://calls.example.org' });
    const post = (at, body) => runCgi(system, 'huskyvoice-api', { path: `/v1/session${at}`, method: 'POST', body, config });
    const { email, password } = new Person(system);
    const fields = { email, name: 'Raj', password, workspace_name: 'Raj and Sons' };
    const first = await post('/sign_up', fields);
    assert.equal(first.status, 202, first.text);
    const token = await mailbox.token(email, 'confirm');
    assert.equal((await post('', { email, password })).status, 401);
    assert.equal((await post('/confirm', { token })).status, 200);
    assert.equal((await post('/confirm', { token })).status, 404);
    const session = await post('', { email, password });
    assert.equal(session.status, 201, session.text);
    assert.match(session.head, /^Set-Cookie: hv_session=[0-9a-z]{40}; Path=\/; HttpOnly; SameSite=Strict; Secure$/m);
    assert.equal(JSON.parse(session.text).data.workspace.name, 'Raj and Sons');
    const again = await post('/sign_up', { ...fields, password: 'not the same one' });
    assert.deepEqual([again.status, again.text], [first.status, first.text]);
    assert.match(await mailbox.wait(email, 2).then(() => mailbox.to(email).map(({ headers }) => headers.subject).join()), /already have/);
    const closed = system.config({ sign_up: 'closed' });
    const refused = await runCgi(system, 'huskyvoice-api', { path: '/v1/session/sign_up', method: 'POST', body: fields, config: closed });
    assert.equal(refused.status, 403);
  });

  test('no log shows a password, a token or a cookie', { alone: true }, async ({ system }) => {
    const folder = path.join(system.dir, 'log');
    for (const name of readdirSync(folder)) {
      const text = readFileSync(path.join(folder, name), 'utf8');
      for (const secret of secrets) assert.ok(!text.includes(secret), `${name} shows a secret`);
    }
    assert.ok(secrets.length > 3);
    const bodies = await system.sql('SELECT CONVERT(body USING latin1) AS body FROM mails');
    assert.ok(!JSON.stringify(bodies).includes('/#'));
  });
});
