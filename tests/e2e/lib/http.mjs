// Requests: ordinary ones through node:http, odd ones through a bare socket.
import http from 'node:http';
import net from 'node:net';
import { patient } from './wait.mjs';

// One request, one answer. `agent` false: a connection of its own. Header names come back in lower
// case. A connection that breaks gives {status: 0, broke: code}, because some tests expect it.
export async function send(url, options = {}) {
  const answer = await exchange(url, options);
  // A kept connection that the server closed just as it was used again: nothing was sent there.
  if (answer.broke === 'ECONNRESET' && answer.reused) return exchange(url, { ...options, agent: false });
  return answer;
}

function exchange(url, { method = 'GET', headers = {}, body, agent = false, within = 30_000 }) {
  return new Promise((done, fail) => {
    const started = performance.now();
    const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
    const all = { ...headers };
    if (payload !== undefined) all['Content-Length'] = payload.length;
    const request = http.request(url, { method, headers: all, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', (error) => broke(error));
      response.on('end', () => {
        clearTimeout(timer);
        done(answer(response.statusCode, response.headers, Buffer.concat(chunks), started));
      });
    });
    const broke = (error) => {
      clearTimeout(timer);
      if (error.tooLate) fail(error);
      else {
        const ms = performance.now() - started;
        done({
          status: 0,
          broke: error.code ?? String(error),
          reused: request.reusedSocket,
          headers: {},
          text: '',
          ms,
        });
      }
    };
    const timer = setTimeout(() => {
      const error = new Error(`${method} ${url}: no answer in ${within} ms`);
      error.tooLate = true;
      request.destroy(error);
    }, patient(within));
    request.on('error', broke);
    request.end(payload);
  });
}

function answer(status, headers, body, started) {
  const text = body.toString('utf8');
  const result = { status, headers, text, ms: performance.now() - started };
  try {
    result.json = JSON.parse(text);
  } catch {
    result.json = undefined;
  }
  return result;
}

// Writes the pieces to a bare connection and reads until the peer closes or, with a complete
// answer, until its end. `end`: half-close after the last piece, as a client that gave up does.
export function sendRaw(url, pieces, { end = false, within = 20_000 } = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const started = performance.now();
    const received = [];
    let finished = false;
    const socket = net.connect({ host: hostname, port: Number(port) });
    const finish = (how) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      socket.destroy();
      done({ ...parse(Buffer.concat(received), started), closed: how });
    };
    const timer = setTimeout(() => {
      finished = true;
      socket.destroy();
      fail(
        new Error(
          `no answer to a raw request in ${within} ms; got "${Buffer.concat(received).toString('latin1').slice(0, 300)}"`,
        ),
      );
    }, patient(within));
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (complete(Buffer.concat(received))) finish('answered');
    });
    socket.on('end', () => finish('closed'));
    socket.on('close', () => finish('closed'));
    socket.on('error', (error) => finish(error.code));
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece);
      if (end) socket.end();
    });
  });
}

function splitHead(bytes) {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return null;
  const [statusLine, ...lines] = bytes.subarray(0, at).toString('latin1').split('\r\n');
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: bytes.subarray(at + 4) };
}

// The interim "100 Continue" is stepped over.
function finalHead(bytes) {
  let head = splitHead(bytes);
  while (head && head.status === 100) head = splitHead(head.body);
  return head;
}

function complete(bytes) {
  const head = finalHead(bytes);
  if (!head) return false;
  if (head.headers['content-length'] !== undefined) {
    return head.body.length >= Number(head.headers['content-length']);
  }
  return (
    head.headers['transfer-encoding'] === 'chunked' && head.body.toString('latin1').endsWith('0\r\n\r\n')
  );
}

function parse(bytes, started) {
  const head = finalHead(bytes);
  if (!head) return { status: 0, headers: {}, text: '', ms: performance.now() - started };
  const body = head.headers['transfer-encoding'] === 'chunked' ? unchunk(head.body) : head.body;
  return answer(head.status, head.headers, body, started);
}

function unchunk(bytes) {
  const parts = [];
  let at = 0;
  for (;;) {
    const eol = bytes.indexOf('\r\n', at);
    if (eol < 0) break;
    const size = parseInt(bytes.subarray(at, eol).toString('latin1'), 16);
    if (!size) break;
    parts.push(bytes.subarray(eol + 2, eol + 2 + size));
    at = eol + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

// A body cut into HTTP chunks of `size` bytes.
export function chunked(body, size = 8192) {
  const bytes = Buffer.from(body);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    pieces.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from('0\r\n\r\n'));
  return pieces;
}

// The Calls API as a customer's program sees it.
export class Api {
  constructor(url, key, { agent = false } = {}) {
    this.url = url;
    this.key = key;
    this.agent = agent;
  }

  send(method, path, { body, headers = {} } = {}) {
    const all = { Authorization: `Bearer ${this.key}`, ...headers };
    if (body !== undefined && !('Content-Type' in all)) all['Content-Type'] = 'application/json';
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    const bytes =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return send(this.url + path, { method, headers: all, body: bytes, agent: this.agent });
  }

  create(fields, headers) {
    return this.send('POST', '/v1/calls', { body: fields, headers });
  }

  get(callId) {
    return this.send('GET', `/v1/calls/${callId}`);
  }

  cancel(callId) {
    return this.send('POST', `/v1/calls/${callId}/cancel`);
  }

  list(query = {}) {
    const text = new URLSearchParams(query).toString();
    return this.send('GET', `/v1/calls${text ? `?${text}` : ''}`);
  }
}
