// The two dialects in which requests are signed, written from their own specifications:
//   X-Webhook-Signature: t=<unix>,v1=<hex>     Stripe's form; the key is the whole secret string
//   webhook-id, -timestamp, -signature         Standard Webhooks 1.0; the key is what the base64
//                                              after "whsec_" stands for
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE = 300;

function stripeMac(secret, t, body) {
  return createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');
}

function standardMac(secret, id, t, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(`${id}.${t}.`).update(body).digest('base64');
}

function same(a, b) {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}

export function sign(secret, id, t, body) {
  return {
    'x-webhook-signature': `t=${t},v1=${stripeMac(secret, t, body)}`,
    'webhook-id': id,
    'webhook-timestamp': String(t),
    'webhook-signature': `v1,${standardMac(secret, id, t, body)}`,
  };
}

// As Stripe's own verifier reads it: every part is k=v, any v1 may match.
export function stripeProblem(secret, header, body, now = Date.now() / 1000) {
  if (header === undefined) return 'no X-Webhook-Signature';
  const parts = header.split(',').map((part) => part.split('='));
  if (parts.some((part) => part.length !== 2)) return `a part that is not k=v in "${header}"`;
  const t = parts.filter(([k]) => k === 't').map(([, v]) => v);
  if (t.length !== 1 || !/^\d+$/.test(t[0])) return `no single t in "${header}"`;
  if (Math.abs(now - Number(t[0])) > TOLERANCE) return `t=${t[0]} is too far from now`;
  const macs = parts.filter(([k]) => k === 'v1').map(([, v]) => v);
  if (macs.length === 0) return 'no v1';
  return macs.some((mac) => same(mac, stripeMac(secret, t[0], body))) ? null : 'no v1 matches';
}

// As the Standard Webhooks libraries read it.
export function standardProblem(secret, headers, body, now = Date.now() / 1000) {
  const id = headers['webhook-id'];
  const t = headers['webhook-timestamp'];
  const list = headers['webhook-signature'];
  if (!id || !t || !list) return 'a webhook-* header is missing';
  if (id.includes('.')) return 'webhook-id has a dot';
  if (!/^\d+$/.test(t)) return `webhook-timestamp "${t}" is no integer`;
  if (Math.abs(now - Number(t)) > TOLERANCE) return `webhook-timestamp ${t} is too far from now`;
  const macs = list
    .split(' ')
    .map((entry) => entry.split(','))
    .filter(([version]) => version === 'v1')
    .map(([, mac]) => mac);
  if (macs.length === 0) return 'no v1 in webhook-signature';
  return macs.some((mac) => same(mac, standardMac(secret, id, t, body)))
    ? null
    : 'no v1 in webhook-signature matches';
}

// Both dialects; an empty list is a good request.
export function signatureProblems(secret, headers, body, now) {
  return [
    stripeProblem(secret, headers['x-webhook-signature'], body, now),
    standardProblem(secret, headers, body, now),
  ].filter((problem) => problem !== null);
}
