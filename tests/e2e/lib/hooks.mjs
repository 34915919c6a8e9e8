// Inbound hooks as their owner makes them and as other systems send to them.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
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

// The log files of a system that have one of these texts in them: "file has tok_ab12...".
export function logsWith(system, texts) {
  const found = [];
  const folders = [system.dir, ...['log', 'logs', 'run', 'live/web'].map((name) => path.join(system.dir, name))];
  let read = 0;
  for (const folder of folders.filter(existsSync)) {
    for (const file of readdirSync(folder).filter((name) => /\.(log|err)$/.test(name))) {
      const text = readFileSync(path.join(folder, file), 'utf8');
      read++;
      for (const one of texts) if (text.includes(one)) found.push(`${file} has ${one.slice(0, 8)}...`);
    }
  }
  assert.ok(read >= 2, `only ${read} logs were found`);
  return found;
}
