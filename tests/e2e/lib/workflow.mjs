// Functions of workflows as suites use them: made, called in the middle of a call, looked at.
import assert from 'node:assert/strict';
import { idSql } from './database.mjs';
import { assertOk } from './manage.mjs';
import { answers } from './receiver.mjs';

export const json = (value, code = 200, headers = {}) =>
  answers.status(code, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value));

let made = 0;

// A function of the customer's agent for during a call, unless fields say otherwise.
export async function addFunction(customer, box, fields = {}) {
  const body = {
    agent_id: customer.agent_id,
    phase: 'during_call',
    name: `function_${++made}`,
    url: box.url,
    ...fields,
  };
  return assertOk(await customer.api.send('POST', '/v1/functions', { body }), 201);
}

// A customer with a carrier, and a call of theirs that is being held.
export async function conversation({ system, carriers, receiver }, info = {}) {
  const customer = await system.customer({ carrier: carriers.carrier() });
  const box = receiver.box({ answer: json({}) });
  const carrier = { script: [{ event: 'ringing' }, { event: 'answered' }] };
  const callId = await system.call(customer, { contact_name: 'Asha', additional_info: { carrier, ...info } });
  await system.status(customer, callId, 'in_progress');
  const call = (name, body, headers) =>
    customer.api.send('POST', `/v1/calls/${callId}/functions/${name}`, { body, headers });
  const runs = async () => assertOk(await customer.api.send('GET', `/v1/calls/${callId}/runs`));
  return { system, customer, box, callId, call, runs };
}

// What a try-out shows.
export async function tryOut(customer, { function_id }, body) {
  return customer.api.send('POST', `/v1/functions/${function_id}/try`, { body });
}

// A run that failed is told so in the answer, and in the list.
export function assertFailed(answer, code, says) {
  const { error, result, saved } = assertOk(answer);
  assert.equal(error?.code, code, answer.text);
  if (says) assert.match(error.message, says);
  assert.equal(result, null);
  assert.deepEqual(saved, {});
}

export async function variablesOf(system, callId) {
  return JSON.parse((await system.one(`SELECT variables FROM calls WHERE call_id = ${idSql(callId)}`)) ?? '{}');
}
