// A customer's webhook server: takes deliveries, records each with its bytes and headers, checks
// both signatures, and answers as well or as badly as a test wants.
import assert from 'node:assert/strict';
import http from 'node:http';
import { signatureProblems } from './signature.mjs';
import { deferred, until } from './wait.mjs';

// Ways to answer; each is a function (request, response, arrival).
export const answers = {
  status:
    (code, headers = {}, body = '') =>
    (_, response) => {
      response.writeHead(code, headers);
      response.end(body);
    },
  retryAfter: (value, code = 503) => answers.status(code, { 'Retry-After': String(value) }),
  redirect: (location, code = 302) => answers.status(code, { Location: location }),
  hang: () => () => {},
  reset: () => (request) => request.socket.resetAndDestroy(),
  // A body of so many bytes, as fast as it is taken; arrival.written counts what left.
  big:
    (bytes, code = 200) =>
    (request, response, arrival) => {
      const block = Buffer.alloc(64 * 1024, 'x');
      arrival.written = 0;
      response.writeHead(code, { 'Content-Type': 'text/plain', 'Content-Length': bytes });
      const more = () => {
        while (arrival.written < bytes && !response.destroyed) {
          arrival.written += block.length;
          if (!response.write(block)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      response.on('close', () => (arrival.cut = !response.writableFinished));
      more();
    },
  // One after another; the last for all that follow.
  inTurn: (...list) => {
    let next = 0;
    return (...args) => list[Math.min(next++, list.length - 1)](...args);
  },
  // By what arrived: rule(arrival) gives the answer.
  by: (rule) => (request, response, arrival) => rule(arrival)(request, response, arrival),
  // Nothing is answered until release(); then everything that waits and comes later is.
  hold: (then = answers.status(200)) => {
    const gate = deferred();
    const answer = async (...args) => {
      await gate.promise;
      then(...args);
    };
    answer.release = () => gate.resolve();
    return answer;
  },
};

// One endpoint: a path of its own on the receiver.
export class Box {
  constructor(url) {
    this.url = url;
    this.secret = null;
    this.answer = answers.status(200);
    this.arrivals = [];
    this.inFlight = 0;
    this.inFlightMax = 0;
  }

  // Arrivals of one call, or of one event type, or both.
  of({ call, type } = {}) {
    return this.arrivals.filter(
      ({ json }) =>
        (call === undefined || json?.data?.call_id === call) &&
        (type === undefined || json?.event_type === type),
    );
  }

  types(call) {
    return this.of({ call }).map(({ json }) => json.event_type);
  }

  ids(filter) {
    return this.of(filter).map(({ headers }) => headers['webhook-id']);
  }

  arrival(filter, options) {
    return until(`a delivery ${JSON.stringify(filter)} at ${this.url}`, () => this.of(filter)[0], {
      seen: () => this.arrivals.map(({ text }) => text),
      ...options,
    });
  }

  count(n, filter, options) {
    return until(
      `${n} deliveries ${JSON.stringify(filter ?? {})} at ${this.url}`,
      () => this.of(filter).length >= n,
      {
        seen: () =>
          `${this.of(filter).length}: ${JSON.stringify(this.arrivals.map(({ json }) => json?.event_type))}`,
        ...options,
      },
    );
  }

  // Every arrival so far is signed in both dialects under the endpoint's secret.
  assertSigned(secret = this.secret) {
    assert.ok(this.arrivals.length > 0, 'nothing arrived, so nothing was verified');
    for (const { headers, body } of this.arrivals) {
      assert.deepEqual(signatureProblems(secret, headers, body), []);
    }
  }
}

export class Receiver {
  static async start() {
    const receiver = new Receiver();
    receiver.boxes = new Map();
    receiver.server = http.createServer((request, response) => receiver.#take(request, response));
    receiver.server.keepAliveTimeout = 60_000;
    await new Promise((done) => receiver.server.listen(0, '127.0.0.1', done));
    receiver.port = receiver.server.address().port;
    return receiver;
  }

  // An endpoint of its own; `host` for names that a hosts file knows.
  box({ answer, host = '127.0.0.1' } = {}) {
    const path = `/box${this.boxes.size + 1}`;
    const box = new Box(`http://${host}:${this.port}${path}`);
    if (answer) box.answer = answer;
    this.boxes.set(path, box);
    return box;
  }

  #take(request, response) {
    const box = this.boxes.get(new URL(request.url, 'http://receiver').pathname);
    if (!box) {
      response.writeHead(404);
      response.end();
      return;
    }
    const arrival = {
      at: performance.now(),
      wall: Date.now(),
      method: request.method,
      url: request.url,
      headers: request.headers,
    };
    const chunks = [];
    box.inFlight++;
    box.inFlightMax = Math.max(box.inFlightMax, box.inFlight);
    response.on('close', () => {
      box.inFlight--;
      arrival.endedAt = performance.now();
    });
    response.on('error', () => {});
    request.on('error', () => {});
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      arrival.body = Buffer.concat(chunks);
      arrival.text = arrival.body.toString('utf8');
      try {
        arrival.json = JSON.parse(arrival.text);
      } catch {
        arrival.json = null;
      }
      box.arrivals.push(arrival);
      box.answer(request, response, arrival);
    });
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
