// Inbound hooks as their owner makes them and as other systems send to them.
import assert from 'node:assert/strict';
import { send } from './http.mjs';

export const TOKEN = /^tok_[0-9a-hjkmnp-tv-z]{40}$/;

// Every token that was made or tried, for the look into the logs.
export const tokens = new Set();

export function tokenOf(url) {
  const token = url.slice(url.lastIndexOf('/') + 1);
  tokens.add(token);
  return token;
}

// The workspace's hook, as its owner makes it: {hook_id, url, signing_secret, ...}.
export async function makeHook(customer, fields = {}) {
  const answer = await customer.api.send('POST', '/v1/inbound_hooks', {
    body: { name: 'a hook', ...fields },
  });
  assert.equal(answer.status, 201, answer.text);
  tokenOf(answer.json.data.url);
  return answer.json.data;
}

export const manage = (customer, method, hook, verb = '', body) =>
  customer.api.send(method, `/v1/inbound_hooks/${hook.hook_id}${verb}`, { body });

// What is sent to the hook's URL; body: an object, or bytes as they are.
export function tell(system, url, body, headers = {}) {
  const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return send(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: raw,
    agent: system.agent,
  });
}

export const createMessage = (data) => ({ action: 'call.create', data });
export const cancelMessage = (callId) => ({ action: 'call.cancel', data: { call_id: callId } });
