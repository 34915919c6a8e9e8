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
