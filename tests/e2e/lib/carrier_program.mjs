// An outside program that speaks the `http` carrier protocol: the witness of what was dialled.
// Run as a process of its own: node carrier_program.mjs [PORT [CARRIERS]]. It prints its port and serves
//
//   POST   /c/NAME          place a call            (a carrier per NAME, each with its secret)
//   GET    /c/NAME?token=   what became of a call
//   DELETE /c/NAME?token=   hang up
//   and for the tests: PUT /-/NAME (secret, behaviour), GET /-/NAME (what was recorded),
//   POST /-/NAME (send one callback now, as asked, and return what it was answered)
//
// How it behaves comes with each call, as additional_info.carrier, or from the carrier's default;
// an array there is taken by the number of the attempt, its last entry for all later ones:
//   place  "take" | "hang" | "reset" | "cut" | "refuse" | "redirect" | "big"   how it answers
//   status, error        the status of the answer and, for a refusal, its error
//   rings  false         it takes the request and dials nobody (default: it dials)
//   script [{after, event, ...}]   callbacks, `after` ms each; or "completed" (default), "none"
//   copies 2             each callback is sent so many times
//   find   "truth" | "never" | "hang" | "error", or a list of them, or {callback form}: look-ups
//   found  {callback form}: what the truth is, of a call that it dialled
import http from 'node:http';
import { sign, signatureProblems } from './signature.mjs';

const RETRY_EVERY = 50;
const RETRIES = 400;

const scripts = {
  none: [],
  completed: [
    { after: 5, event: 'ringing' },
    { after: 5, event: 'answered' },
    {
      after: 5,
      event: 'ended',
      reason: 'completed',
      duration_seconds: 42,
      outcome: 'successful',
      summary: 'Said hello.',
    },
  ],
};

const carriers = new Map();

function carrier(name) {
  if (!carriers.has(name)) carriers.set(name, { secret: null, behaviour: {}, dials: new Map() });
  return carriers.get(name);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Everything known about one token: every request, every ring, every look-up.
function dialOf(it, token) {
  if (!it.dials.has(token)) {
    it.dials.set(token, {
      token,
      requests: [],
      rings: 0,
      finds: [],
      hangUps: 0,
      callbacks: [],
      last: null,
      problems: [],
    });
  }
  return it.dials.get(token);
}

function behaviourOf(it, place) {
  const asked = place.additional_info?.carrier ?? it.behaviour;
  if (!Array.isArray(asked)) return asked ?? {};
  return asked[Math.min(place.attempt, asked.length) - 1];
}

function reply(response, status, body, headers = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(text);
}

function place(it, request, response, bytes) {
  let asked;
  try {
    asked = JSON.parse(bytes);
  } catch {
    it.unreadable = (it.unreadable ?? 0) + 1;
    return reply(response, 400, { error: { code: 'carrier_error', message: 'not JSON' } });
  }
  const dial = dialOf(it, asked.token);
  const how = behaviourOf(it, asked);
  dial.how = how;
  dial.place = asked;
  dial.call_id = asked.call_id;
  dial.attempt = asked.attempt;
  dial.ref = `ref-${asked.token.slice(0, 8)}`;
  dial.requests.push({ at: Date.now(), method: request.method, headers: request.headers });
  dial.problems.push(...signatureProblems(it.secret, request.headers, bytes));
  const mode = how.place ?? 'take';
  const ring = how.rings ?? mode !== 'refuse';
  if (ring) {
    dial.rings++;
    void play(it, dial, how);
  }
  const answer = () => {
    if (mode === 'hang') return;
    if (mode === 'reset') return void request.socket.resetAndDestroy();
    if (mode === 'cut')
      return void request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ref"');
    if (mode === 'refuse') {
      return reply(
        response,
        how.status ?? 422,
        'error' in how ? how.error && { error: how.error } : { error: { code: 'rejected', message: 'No.' } },
      );
    }
    if (mode === 'redirect') return reply(response, 307, {}, { Location: `/c/${it.name}` });
    if (mode === 'big') {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(Buffer.alloc(10 * 1024 * 1024, ' '));
      return;
    }
    reply(response, how.status ?? 200, { ref: dial.ref });
  };
  if (how.answer_after) setTimeout(answer, how.answer_after);
  else answer();
}

async function play(it, dial, how) {
  const script = Array.isArray(how.script) ? how.script : scripts[how.script ?? 'completed'];
  for (const { after = 0, ...callback } of script) {
    await pause(after);
    for (let copy = 0; copy < (how.copies ?? 1); copy++) await tell(it, dial, callback, { retry: true });
  }
}

// Sends one callback. With `retry`, as carriers do, again until it is answered.
async function tell(
  it,
  dial,
  callback,
  { retry = false, secret, headers = {}, raw, without = [], url, age = 0 } = {},
) {
  const at = callback.at ?? new Date().toISOString();
  const body = raw ?? JSON.stringify({ ...callback, at, ref: dial.ref });
  if (!raw) dial.last = JSON.parse(body);
  const record = { event: callback.event, statuses: [] };
  dial.callbacks.push(record);
  for (let left = retry ? RETRIES : 1; left > 0; left--) {
    const t = Math.floor(Date.now() / 1000) - age;
    const all = {
      'content-type': 'application/json',
      ...sign(secret ?? it.secret, `cb_${dial.token}`, t, body),
      ...headers,
    };
    for (const name of without) delete all[name];
    const { status, text } = await post(url ?? dial.place.callback_url, all, body);
    record.statuses.push(status);
    if (status >= 200 && status < 500) return { status, text };
    if (left > 1) await pause(RETRY_EVERY);
    else return { status, text };
  }
}

function post(url, headers, body) {
  return new Promise((done) => {
    const request = http.request(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: false,
        timeout: 15_000,
      },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          done({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
        );
        response.on('error', () => done({ status: 0, text: '' }));
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => done({ status: 0, text: '' }));
    request.end(body);
  });
}

function find(it, request, response, token) {
  const dial = dialOf(it, token);
  dial.problems.push(...signatureProblems(it.secret, request.headers, Buffer.alloc(0)));
  const asked = dial.how?.find ?? it.behaviour?.find ?? 'truth';
  const mode = Array.isArray(asked) ? asked[Math.min(dial.finds.length, asked.length - 1)] : asked;
  const record = { at: Date.now(), status: 0 };
  dial.finds.push(record);
  if (mode === 'hang') return;
  if (mode === 'error') return reply(response, (record.status = 500), {});
  if (typeof mode === 'object')
    return reply(response, (record.status = 200), { at: new Date().toISOString(), ref: dial.ref, ...mode });
  if (mode === 'never' || dial.rings === 0) return reply(response, (record.status = 404), {});
  const now = { at: new Date().toISOString(), ref: dial.ref };
  const known = dial.how.found ?? dial.last ?? { event: 'ringing' };
  reply(response, (record.status = 200), { ...now, ...known });
}

async function control(it, request, response, bytes) {
  if (request.method === 'GET')
    return reply(response, 200, { unreadable: it.unreadable ?? 0, dials: [...it.dials.values()] });
  const asked = JSON.parse(bytes);
  if (request.method === 'PUT') {
    Object.assign(it, asked);
    return reply(response, 200, {});
  }
  const dial = it.dials.get(asked.token);
  if (!dial?.place) return reply(response, 404, {});
  reply(response, 200, await tell(it, dial, asked.callback ?? {}, asked.options));
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://carrier');
  const [, kind, name] = url.pathname.split('/');
  const it = carrier(name);
  it.name = name;
  const chunks = [];
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const bytes = Buffer.concat(chunks);
    const token = url.searchParams.get('token');
    if (kind === '-') return void control(it, request, response, bytes);
    if (request.method === 'POST') return place(it, request, response, bytes);
    if (request.method === 'GET') return find(it, request, response, token);
    if (request.method === 'DELETE') {
      dialOf(it, token).hangUps++;
      return reply(response, 200, {});
    }
    reply(response, 405, {});
  });
});
server.keepAliveTimeout = 60_000;
// What carriers are like from the beginning: {NAME: {secret, behaviour}}.
for (const [name, settings] of Object.entries(JSON.parse(process.argv[3] ?? '{}')))
  Object.assign(carrier(name), settings);
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(server.address().port));
// The tests hold its standard input: it ends with them.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
