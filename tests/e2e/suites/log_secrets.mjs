// What no log may hold: the tokens of callbacks and of inbound hooks, which stand in paths.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { idSql } from '../lib/database.mjs';
import { send, sendRaw } from '../lib/http.mjs';
import { found, logged } from '../lib/logs.mjs';
import { suite } from '../lib/suite.mjs';

async function tokensOf(system, calls) {
  const rows = await system.sql(
    `SELECT LOWER(HEX(token)) AS token FROM call_attempts WHERE call_id IN (${calls.map(idSql)})`,
  );
  return rows.map(({ token }) => token);
}

// Requests on one connection, each when the one before was answered.
function oneAfterTheOther(url, requests) {
  const { hostname, port } = new URL(url);
  const left = [...requests];
  return new Promise((done, fail) => {
    const socket = net.connect({ host: hostname, port: Number(port) });
    const next = () => {
      if (left.length) return socket.write(left.shift(), 'latin1');
      socket.destroy();
      done();
    };
    socket.setTimeout(20_000, () => fail(new Error('no answer')));
    socket.on('connect', next);
    socket.on('data', next);
    socket.on('error', done);
    socket.on('close', done);
  });
}

// Everything that may come to a URL with a token in it, well-formed or not.
async function visit(system, url) {
  const { pathname } = new URL(url);
  await send(url);
  await send(url, { method: 'POST', body: '{' });
  await send(url, { method: 'POST', body: '{"event":"ringing"}', headers: { Referer: url } });
  await send(url, { method: 'POST', body: 'x'.repeat(1_200_000) });
  for (const more of ['/', '/x', '?a=b', '%20', '/%2e%2e/x']) await send(url + more, { method: 'POST' });
  for (const [plain, odd] of [
    ['/v1/', '//v1//'],
    [/(voice|hooks)\//, '$1///'],
    [/callbacks|hooks/, (name) => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`],
    ['/v1/', '/x/../v1/'],
  ])
    await send(url.replace(plain, odd), { method: 'POST' });
  const head = (method, rest) => `${method} ${pathname} HTTP/1.1\r\nHost: x\r\n${rest}\r\n\r\n`;
  await sendRaw(system.url, [head('POST', 'Content-Length: 100'), '{'], { end: true });
  await sendRaw(system.url, [head('POST', 'Transfer-Encoding: chunked'), 'zz\r\n'], { end: true });
  await sendRaw(system.url, [head('BREW', 'Connection: close')]);
  // Refused by the web server itself, on a connection that had a request of another kind before.
  const before = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const refused of [
    head('POST', 'Content-Length: zz\r\n'),
    head('POST', 'Host: y\r\n'),
    head('POST', 'Bad Header: y\r\n'),
    head('POST', 'Transfer-Encoding: foo\r\n'),
    `POST ${pathname} HTTP/1.1\r\n\r\n`,
    `POST ${pathname}\x01 HTTP/1.1\r\nHost: x\r\n\r\n`,
  ])
    await oneAfterTheOther(system.url, [before, refused]);
}

export default suite('log_secrets', { runs: 'core', wire: true, width: 2 }, (test) => {
  test('no callback token stands in any log, the http carrier and the simulator', async (context) => {
    const { system, carriers } = context;
    const carrier = carriers.carrier();
    const ours = await system.customer({ carrier });
    const simulated = await system.customer();
    const calls = [
      await system.call(ours),
      await system.call(simulated, { contact_number: '+919000000001' }),
      await system.call(simulated, { contact_number: '+919000000002' }),
    ];
    await system.over(ours, calls[0]);
    for (const call of calls.slice(1)) await system.over(simulated, call);
    const { token, place } = await carrier.asked(calls[0]);
    const tokens = await tokensOf(system, calls);
    assert.ok(tokens.length >= 3 && tokens.includes(token), `${token} of ${tokens}`);
    await visit(system, place.callback_url);
    assert.match(await logged(system), /\/v1\/voice\/callbacks\/\(hidden\)/);
    assert.deepEqual(found(system, tokens), []);
  });

  test("no inbound hook's token stands in any log", async ({ system }) => {
    const secret = randomBytes(12).toString('hex');
    await visit(system, `${system.url}/v1/hooks/tok_${secret}`);
    for (const path of [`hooks/${secret}`, `calls/tok_${secret}`, `../elsewhere/tok_${secret}`])
      await send(`${system.url}/v1/${path}`, { method: 'POST', body: '{}' });
    assert.match(await logged(system), /\/v1\/hooks\/\(hidden\)/);
    assert.deepEqual(found(system, [secret]), []);
  });
});
