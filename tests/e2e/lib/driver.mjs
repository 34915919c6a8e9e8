// Goes through the API's description: for each operation a good request, and then whatever provokes
// the other statuses that are described. Each answer is checked; what was reached is kept.
import assert from 'node:assert/strict';
import { runCgi } from './cgi.mjs';
import { send } from './http.mjs';
import { free, givenBody, kinds, signedReport } from './workshop.mjs';

const WRONG = [17, 1.5, -1, 'text', '', {}, [], [17], true, null];
const TOO_LARGE = { padding: 'x'.repeat(70_000) };
const PLACEHOLDER = {
  function_name: 'none',
  call_id: '01890000-0000-7000-8000-000000000000',
  number: '+919800000000',
  suppressed_number: '+919800000000',
  token: 'tok_0000000000000000000000000000000000000000',
};
const PREFIX = {
  agent_id: 'agent_',
  batch_id: 'batch_',
  key_id: 'key_',
  webhook_id: 'we_',
  hook_id: 'ih_',
  event_id: 'evt_',
  delivery_id: 'dlv_',
  replay_id: 'rpl_',
  function_id: 'fn_',
  user_id: 'user_',
  invitation_id: 'inv_',
};

const placeholder = (name) => PLACEHOLDER[name] ?? `${PREFIX[name]}${'0'.repeat(26)}`;
const fill = (path, value) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(value(name)));
const names = (path) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

export class Driver {
  constructor(shop, description) {
    Object.assign(this, { shop, description, system: shop.system, reached: new Map() });
  }

  // One request; `who` is an Api (a key), a Person (a session), or null (nobody).
  async send(operation, { path, who = null, body, headers = {}, raw, session = {} }) {
    const all = { ...headers };
    if (who?.key) all.Authorization = `Bearer ${who.key}`;
    if (who?.cookie) {
      all.Cookie = who.cookie;
      if (operation.method !== 'GET') all['X-CSRF-Token'] = who.csrf;
      Object.assign(all, session);
    }
    const bytes = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    if (bytes !== undefined && !('Content-Type' in all)) all['Content-Type'] = 'application/json';
    if (operation.id === 'reportOnCall' && this.attempt && bytes !== undefined && !headers.unsigned)
      Object.assign(all, signedReport(this.attempt.secret, bytes));
    delete all.unsigned;
    const answer = await send(this.system.url + path, {
      method: operation.method,
      headers: all,
      body: bytes,
      agent: this.system.agent,
    });
    return this.check(operation, answer);
  }

  check(operation, answer) {
    operation.check(answer);
    if (!this.reached.has(operation.name)) this.reached.set(operation.name, new Set());
    this.reached.get(operation.name).add(String(answer.status));
    return answer;
  }

  async expect(operation, request, ...statuses) {
    const answer = await this.send(operation, request);
    const sent = JSON.stringify(request.body ?? request.raw ?? null)?.slice(0, 300);
    assert.ok(
      statuses.includes(answer.status),
      `${operation.name}: ${statuses} was expected of ${request.path} ${sent}, not ${answer.status} ${answer.text.slice(0, 300)}`,
    );
    return answer;
  }

  missing() {
    return this.description
      .operations()
      .flatMap(({ name, statuses }) =>
        statuses.filter((status) => !this.reached.get(name)?.has(status)).map((status) => `${name} ${status}`),
      );
  }

  // Who may ask: a key, a session where no key will do, or nobody.
  async who(operation) {
    if (operation.needs('api_key')) return this.shop.api;
    return operation.needs('session') ? this.shop.person('owner') : null;
  }

  async path(operation, shop = this.shop) {
    const values = operation.id === 'callFunction' ? await shop.conversation() : {};
    for (const name of names(operation.path)) {
      if (name in values) continue;
      if (name === 'token') values[name] = await this.token(operation);
      else values[name] = await (kinds[name] ?? free[name])(shop);
    }
    return fill(operation.path, (name) => values[name]);
  }

  async token(operation) {
    if (operation.id === 'sendToHook') return (await this.shop.hook()).url.split('/').at(-1);
    this.attempt ??= await this.shop.attempt();
    return this.attempt.token;
  }

  async good(operation) {
    const who = await this.who(operation);
    const path = await this.path(operation);
    return { path, who, body: await givenBody(operation, this.shop, who) };
  }

  // ---- what every operation of a kind has ----

  async drive(operation) {
    const good = await this.good(operation);
    await this.refuse(operation, good);
    await this.expect(operation, good, 200, 201, 202);
    if (operation.needs('api_key') && operation.needs('session'))
      await this.expect(operation, { ...(await this.good(operation)), who: this.shop.owner }, 200, 201, 202);
    if (operation.needs('session')) await this.refuseSession(operation);
  }

  async refuse(operation, good) {
    if (operation.body) await this.refuseBody(operation, good);
    await this.refuseQuery(operation, good);
    await this.refuseNobody(operation, good);
    if (operation.statuses.includes('404')) await this.refuseUnknown(operation, good);
  }

  async refuseBody(operation, good) {
    const { at, required } = operation.body;
    const refused = (body, ...statuses) => this.expect(operation, { ...good, body }, ...statuses);
    await this.expect(operation, { ...good, raw: '{"', body: undefined }, 400);
    if (operation.id !== 'reportOnCall') {
      await refused(operation.id === 'createBatch' ? { padding: 'x'.repeat(8_400_000) } : TOO_LARGE, 413);
      await refused({ ...good.body, no_such_field: 1 }, 400);
      await this.expect(operation, { ...good, headers: { 'Content-Type': 'text/plain' } }, 415);
    } else await refused({ padding: 'x'.repeat(1_100_000) }, 413);
    if (required) await refused({}, 400);
    for (const field of this.fields(operation))
      for (const value of WRONG) {
        const body = { ...good.body, [field]: value };
        if (this.description.problem(at, body)) await refused(body, 400, ...(typeof value === 'string' ? [404] : []));
      }
  }

  fields(operation) {
    const found = new Set(Object.keys(operation.body.examples[0]));
    const look = ({ value }) => {
      for (const name of Object.keys(value.properties ?? {})) found.add(name);
      if (value.$ref) look(this.description.find(value.$ref));
    };
    look(this.description.find(operation.body.at));
    return found;
  }

  async refuseQuery(operation, good) {
    const query = operation.parameters.filter(({ value }) => value.in === 'query');
    if (query.length === 0 || operation.id === 'createBatch') return; // there they go with CSV
    const ask = (text, ...statuses) => this.expect(operation, { ...good, path: `${good.path}?${text}` }, ...statuses);
    for (const { value } of query) {
      await ask(`${value.name}=x`, 400);
      await ask(`${value.name}=`, 200);
    }
    await ask('no_such_parameter=1', 400);
  }

  async refuseNobody(operation, good) {
    if (!operation.needs('api_key') && !operation.needs('session')) return;
    await this.expect(operation, { ...good, who: null }, 401);
    await this.expect(operation, { ...good, who: { key: 'sk_live_nobodys' } }, 401);
    const [scope] = operation.needs('api_key')?.api_key ?? [];
    const small = scope === 'manage' ? this.shop.calls : this.shop.manage;
    await this.expect(operation, { ...good, who: scope ? small : this.shop.api }, 403);
    for (let i = 0; i < 3 && !this.reached.get(operation.name).has('429'); i++)
      await this.send(operation, { ...good, path: fill(operation.path, placeholder), who: this.shop.spent });
  }

  async refuseSession(operation) {
    const [role] = operation.needs('session').session;
    const path = fill(operation.path, placeholder);
    const body = operation.body?.examples[0];
    if (operation.method !== 'GET')
      await this.expect(
        operation,
        { path, body, who: this.shop.owner, session: { 'X-CSRF-Token': 'another' } },
        403,
      );
    if (!['viewer', 'person'].includes(role))
      await this.expect(operation, { path, body, who: this.shop.viewer }, 403);
  }

  async refuseUnknown(operation, good) {
    const all = names(operation.path);
    const ask = (path) => this.expect(operation, { ...good, path }, 404);
    if (all.length > 0) await ask(fill(operation.path, placeholder));
    if (all.length > 0) await ask(fill(operation.path, () => 'x'));
    if (all.some((name) => name in kinds)) await ask(await this.path(operation, await this.shop.elsewhere()));
  }

  // From an address of its own, through plain CGI.
  async cgi(operation, { path, body, config, remote, program = 'huskyvoice-api' }) {
    const { method } = operation;
    const { status, head, text } = await runCgi(this.system, program, { path, method, body, config, remote });
    const headers = Object.fromEntries(
      head.split('\r\n').map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
      }),
    );
    return this.check(operation, { status, headers, text, json: JSON.parse(text) });
  }

  // With the database away: 503, but of what needs none.
  async unavailable(operation) {
    const path =
      operation.id === 'reportOnCall'
        ? fill(operation.path, () => this.attempt.token)
        : fill(operation.path, placeholder);
    const who = operation.needs('api_key') ? this.shop.api : operation.needs('session') ? this.shop.owner : null;
    const body = operation.body?.examples[0];
    const wanted = operation.statuses.includes('503') ? 503 : 200;
    await this.expect(operation, { path, who, body }, wanted);
  }
}
