// A workspace with its people and keys, and a table of how to make one of each kind of thing that
// has an id: what tests that go through all routes need for good requests.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { idSql } from './database.mjs';
import { Api } from './http.mjs';
import { Person } from './person.mjs';
import { sign } from './signature.mjs';
import { freshNumber } from './system.mjs';
import { until } from './wait.mjs';

const inAnHour = () => new Date(Date.now() + 3600_000).toISOString();
let tokens = 0;
let functions = 0;

export class Workshop {
  static async open(context) {
    const shop = Object.assign(new Workshop(), context, { context });
    shop.customer = await shop.system.customer({ key: ['--scopes', 'calls,manage'] });
    shop.api = shop.customer.api;
    shop.workspace_id = shop.customer.workspace_id;
    shop.owner = await shop.person('owner');
    return shop;
  }

  person(role) {
    return Person.member(this.system, this.workspace_id, role);
  }

  // A key of this workspace that may so much: an Api.
  async key(scopes) {
    const made = await this.system.admin('key', 'create', '--workspace', this.workspace_id, '--scopes', scopes);
    return Object.assign(new Api(this.system.url, made.key, { agent: this.system.agent }), made);
  }

  async made(method, path, body, by = this.api) {
    const answer = await (by === this.api ? by.send(method, path, { body }) : by.send(method, path, body));
    assert.ok([200, 201, 202].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json.data;
  }

  webhook(fields = {}) {
    return this.made('POST', '/v1/webhooks', { url: this.receiver.box().url, ...fields });
  }

  carrier(fields = {}) {
    const { url } = this.receiver.box();
    return this.made('POST', '/v1/carriers', { kind: 'http', name: 'a carrier', url, ...fields });
  }

  hook(fields = {}) {
    return this.made('POST', '/v1/inbound_hooks', { name: 'a hook', ...fields });
  }

  async agent() {
    return (await this.made('POST', '/v1/agents', { name: 'an agent' })).agent_id;
  }

  // A function of an agent of its own.
  async workflow(fields = {}) {
    const name = `function_${process.pid}_${++functions}`;
    const { url } = this.receiver.box();
    return this.made('POST', '/v1/functions', {
      agent_id: await this.agent(),
      phase: 'pre_call',
      name,
      url,
      ...fields,
    });
  }

  // A call of it that is in progress, by the row alone, and a function for it.
  async conversation() {
    const { name, agent_id } = await this.workflow({ phase: 'during_call' });
    const call_id = await this.system.call(this.customer, { agent_id, scheduled_at: inAnHour() });
    await this.system.sql(`UPDATE calls SET status = 'in_progress' WHERE call_id = ${idSql(call_id)}`);
    return { call_id, function_name: name };
  }

  // A sample event and its delivery, which has come to its end when `over` is asked for.
  async sample({ over = false } = {}) {
    const { webhook_id } = await this.webhook();
    const made = await this.made('POST', `/v1/webhooks/${webhook_id}/test`);
    if (over)
      await until('the sample to be delivered', async () => {
        const { state } = await this.made('GET', `/v1/deliveries/${made.delivery_id}`);
        return state === 'succeeded';
      });
    return made;
  }

  // What a carrier knows of a call that it took.
  async attempt() {
    const carrier = this.carriers.carrier();
    const customer = await this.system.customer({ carrier });
    const callId = await this.system.call(customer, { additional_info: { carrier: { script: 'none' } } });
    const { token } = await carrier.asked(callId);
    await this.system.status(customer, callId, 'initiated');
    return { token, callId, secret: customer.carrier_secret };
  }

  // A token that stands in the newest row of a table, instead of the one that a mail would bring.
  async token(table, where) {
    const token = `token-${process.pid}-${++tokens}`;
    const hash = createHash('sha256').update(token).digest('hex');
    await this.system.sql(
      `UPDATE ${table} SET token_hash = X'${hash}' WHERE ${where} ORDER BY created_at DESC LIMIT 1`,
    );
    return token;
  }

  async invitation(person = new Person(this.system), role = 'viewer') {
    const made = await this.made('POST', '/v1/members', { email: person.email, role }, this.owner);
    const token = await this.token('invitations', `invitation_id = ${idSql(made.invitation_id)}`);
    return { ...made, token, person };
  }
}

// How to make a thing that a parameter of a path names.
export const kinds = {
  call_id: (shop) => shop.system.call(shop.customer, { scheduled_at: inAnHour() }),
  agent_id: (shop) => shop.agent(),
  carrier_id: async (shop) => (await shop.carrier()).carrier_id,
  key_id: async (shop) =>
    (await shop.made('POST', '/v1/api_keys', { name: 'a key', scopes: ['calls'] })).key_id,
  webhook_id: async (shop) => (await shop.webhook()).webhook_id,
  hook_id: async (shop) => (await shop.hook()).hook_id,
  event_id: async (shop) => (await shop.sample()).event_id,
  delivery_id: async (shop) => (await shop.sample({ over: true })).delivery_id,
  replay_id: async (shop) => {
    const { webhook_id } = await shop.webhook();
    return (await shop.made('POST', `/v1/webhooks/${webhook_id}/replay`, { since: '2024-01-27T00:00:00Z' }))
      .replay_id;
  },
  user_id: async (shop) => {
    const person = new Person(shop.system);
    return (await person.create(shop.workspace_id, 'viewer')).user_id;
  },
  function_id: async (shop) => (await shop.workflow()).function_id,
  function_name: async (shop) => (await shop.workflow({ phase: 'during_call' })).name,
  invitation_id: async (shop) => (await shop.invitation()).invitation_id,
  batch_id: async (shop) => (await shop.made('POST', '/v1/batches', given.createBatch(shop, {}))).batch_id,
  suppressed_number: async (shop) =>
    (await shop.made('POST', '/v1/suppressed_numbers', { contact_number: freshNumber() })).contact_number,
};

// Parameters that are no workspace's.
export const free = { number: () => freshNumber() };

export function signedReport(secret, body) {
  const now = Math.floor(Date.now() / 1000);
  return sign(secret, 'msg_1', now, typeof body === 'string' ? body : JSON.stringify(body));
}

// A body as the example says, with what must exist in its place.
const given = {
  createCall: (shop, body) => ({
    ...body,
    agent_id: shop.customer.agent_id,
    contact_number: freshNumber(),
    scheduled_at: inAnHour(),
  }),
  createBatch: (shop, body) => ({
    ...body,
    agent_id: shop.customer.agent_id,
    scheduled_at: inAnHour(),
    expires_at: null,
    contacts: [{ contact_number: freshNumber() }, { contact_number: '98765' }],
  }),
  createFunction: async (shop, body) => ({
    ...body,
    agent_id: await shop.agent(),
    name: `${body.name}_${++functions}`,
    url: shop.receiver.box().url,
  }),
  createCarrier: (shop, body) => ({ ...body, url: shop.receiver.box().url }),
  createWebhook: (shop, body) => ({ ...body, url: shop.receiver.box().url }),
  sendToHook: (shop, body) => ({ ...body, data: { ...body.data, agent_id: shop.customer.agent_id } }),
  inviteMember: (shop, body) => ({ ...body, email: new Person(shop.system).email }),
  signIn: (shop) => ({ email: shop.owner.email, password: shop.owner.password }),
  changeSession: (shop) => ({ workspace_id: shop.workspace_id }),
  signUp: (shop, body) => ({ ...body, email: new Person(shop.system).email }),
  confirmAccount: async (shop) => {
    const { email } = new Person(shop.system);
    const fields = { email, name: 'Raj', password: 'correct horse battery', workspace_name: 'Acme' };
    await shop.owner.send('POST', '/v1/session/sign_up', fields);
    return { token: await shop.token('sign_ups', `email = '${email}'`) };
  },
  acceptInvitation: async (shop, _, who) => {
    const other = await shop.elsewhere();
    const { token } = await other.invitation(who);
    return { token };
  },
  resetPassword: async (shop, body) => {
    const person = await shop.person('viewer');
    await person.send('POST', '/v1/session/forgot', { email: person.email });
    return { ...body, token: await shop.token('user_tokens', `user_id = ${idSql(person.user_id)}`) };
  },
};

export const givenBody = async (operation, shop, who) => {
  const [example] = operation.body?.examples ?? [];
  const fill = given[operation.id];
  return fill && example ? fill(shop, example, who) : example;
};

Workshop.prototype.elsewhere = async function elsewhere() {
  return (this.other ??= await Workshop.open(this.context));
};
