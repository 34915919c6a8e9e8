// Requests that must be refused, and the good ones that they are made from.
import assert from 'node:assert/strict';
import { idSql } from './database.mjs';
import { assertError, inCase } from './expect.mjs';
import { freshNumber } from './system.mjs';

export const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

// One customer per system for all cases, and the number of its calls before each test.
const customers = new WeakMap();

export async function customerOf(system) {
  if (!customers.has(system)) customers.set(system, system.customer());
  return customers.get(system);
}

export function good(customer, fields = {}) {
  return { agent_id: customer.agent_id, contact_number: freshNumber(), scheduled_at: inAnHour(), ...fields };
}

// Runs the body and checks that it left no call behind.
export function withoutACall(body) {
  return async (context) => {
    const { system } = context;
    const customer = await system.customer();
    await body({ ...context, customer });
    const made = await system.number(
      `SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`,
    );
    assert.equal(made, 0, 'a refused request made a call');
  };
}

// Each case: [name, body as it is sent, what the message says].
export async function refuseEach(customer, cases) {
  for (const [name, body, says] of cases) {
    const answer = await customer.api.send('POST', '/v1/calls', {
      body: typeof body === 'function' ? body(customer) : body,
    });
    await inCase(name, () => assertError(answer, 400, 'invalid_request', says));
  }
}

export function text(customer, change) {
  return change(JSON.stringify(good(customer)));
}

export const info = (value) => (customer) =>
  text(customer, (json) => json.replace(/}$/, `,"additional_info":${value}}`));

// Where no request of a customer's may lead, and what is no plain http(s) URL.
export const INSIDE_URLS = [
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://0.0.0.0/',
  'https://255.255.255.255/',
  'https://224.0.0.1/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://168.63.129.16/',
  'https://[::1]/',
  'https://[::]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[64:ff9b::a00:1]/',
  'https://[2002:a00:1::]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://0x0a.0.0.1/',
  'https://0xa000001/',
  'https://167772161/',
  'https://012.0.0.1/',
  'https://10.1/',
  'https://[fe80::1%25eth0]/',
  'https://[example.com]/',
  'http://8.8.8.8/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'example.com/hook',
  'https://',
  '',
  'javascript:alert(1)',
  'https://user:secret@example.com/',
  'https://example.com/#part',
  `https://example.com/${'x'.repeat(2100)}`,
  'https://exa mple.com/',
  'https://example.com/\r\nX: y',
  'https://example.com:99999/',
];
