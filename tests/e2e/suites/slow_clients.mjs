// Clients that stop in the middle of what they send: they cost the web server a connection, and
// nobody else a process.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { send } from '../lib/http.mjs';
import { customerOf, good } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

const PROCESSES = 8; // of each pool; quickstart's number

const LENGTH = 40_000;

const HEADS = {
  'with Content-Length': `Content-Length: ${LENGTH}\r\n\r\n`,
  chunked: `Transfer-Encoding: chunked\r\n\r\n${LENGTH.toString(16)}\r\n`,
};

// A connection with a request whose body comes half, and no more of it.
async function halfSent({ url }, path, key, head, defer) {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  defer(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  const request = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
  const body = '{'.padEnd(LENGTH / 2, ' ');
  await new Promise((done) => socket.write(request + head + body, done));
  return socket;
}

export default suite('slow_clients', { runs: 'core', wire: true }, (test) => {
  for (const [form, head] of Object.entries(HEADS)) {
    test(
      `twice as many half-sent bodies as there are processes keep no good request waiting: ${form}`,
      { alone: true },
      async ({ system, defer }) => {
        const customer = await customerOf(system);
        const halves = [];
        for (let i = 0; i < 2 * PROCESSES; i++) {
          halves.push(await halfSent(system, '/v1/calls', customer.key, head, defer));
          halves.push(await halfSent(system, '/v1/voice/callbacks/0', customer.key, head, defer));
        }
        const options = { within: 10_000 };
        for (let i = 0; i < 10; i++) {
          const health = await send(`${system.url}/healthz`, options);
          assert.equal(health.status, 200, health.text);
          const callback = await send(`${system.url}/v1/voice/callbacks/0`, options);
          assert.equal(callback.status, 405, callback.text);
        }
        assert.equal((await customer.api.create(good(customer))).status, 201);
        assert.equal(halves.filter(({ destroyed }) => destroyed).length, 0, 'none was shut out meanwhile');
      },
    );
  }
});
