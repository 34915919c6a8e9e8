// The instruments themselves: a verifier that takes everything would prove nothing.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { send, sendRaw, chunked } from '../lib/http.mjs';
import { answers } from '../lib/receiver.mjs';
import { sign, signatureProblems, standardProblem, stripeProblem } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { TookTooLong, until } from '../lib/wait.mjs';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export default suite('tools', { runs: 'faults', system: null }, (test) => {
  test('the verifier takes the published vector of Standard Webhooks', () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    assert.equal(standardProblem(SECRET, headers, '{"test": 2432232314}', 1614265330), null);
    assert.notEqual(standardProblem(SECRET, headers, '{"test": 2432232315}', 1614265330), null);
    assert.notEqual(standardProblem(SECRET, headers, '{"test": 2432232314}', 1614265330 + 301), null);
  });

  test("the verifier takes a known vector of Stripe's form", () => {
    const header = 't=1636936200,v1=1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98';
    assert.equal(stripeProblem('secret', header, 'hello !', 1636936200), null);
    assert.notEqual(stripeProblem('secret', header, 'hello ?', 1636936200), null);
    assert.notEqual(stripeProblem('Secret', header, 'hello !', 1636936200), null);
  });

  test('a request signed with another secret, or not at all, has two problems', () => {
    const t = Math.floor(Date.now() / 1000);
    const good = sign(SECRET, 'evt_1', t, 'body');
    assert.deepEqual(signatureProblems(SECRET, good, 'body'), []);
    assert.equal(signatureProblems(`${SECRET.slice(0, -4)}AAAA`, good, 'body').length, 2);
    assert.equal(signatureProblems(SECRET, {}, 'body').length, 2);
  });

  test('the receiver records bytes and headers, and answers as it is told', async ({ receiver }) => {
    const box = receiver.box({
      answer: answers.inTurn(
        answers.status(500),
        answers.retryAfter(7),
        answers.reset(),
        answers.status(200),
      ),
    });
    const post = () =>
      send(box.url, { method: 'POST', body: '{"event_type":"x"}', headers: { 'webhook-id': 'a' } });
    assert.equal((await post()).status, 500);
    assert.equal((await post()).headers['retry-after'], '7');
    assert.equal((await post()).broke, 'ECONNRESET');
    assert.equal((await post()).status, 200);
    assert.deepEqual(box.ids({ type: 'x' }), ['a', 'a', 'a', 'a']);
  });

  test('the carrier program counts requests, rings and look-ups by token', async ({ carriers }) => {
    const carrier = carriers.carrier();
    await carrier.behave({ secret: SECRET });
    const place = (behaviour, token) => {
      const body = JSON.stringify({
        token,
        call_id: 'c',
        attempt: 1,
        callback_url: 'http://127.0.0.1:9/',
        additional_info: { carrier: behaviour },
      });
      return send(carrier.url, {
        method: 'POST',
        body,
        headers: sign(SECRET, 'x', Math.floor(Date.now() / 1000), body),
      });
    };
    assert.equal((await place({ place: 'take', script: 'none' }, 'one')).status, 200);
    assert.equal((await place({ place: 'take', script: 'none' }, 'one')).status, 200);
    assert.equal((await place({ place: 'refuse', status: 409 }, 'two')).status, 409);
    assert.equal((await place({ place: 'reset', script: 'none' }, 'three')).broke, 'ECONNRESET');
    assert.equal((await send(`${carrier.url}?token=one`)).status, 200);
    assert.equal((await send(`${carrier.url}?token=two`)).status, 404);
    const seen = Object.fromEntries(
      (await carrier.dials()).map((dial) => [
        dial.token,
        [dial.requests.length, dial.rings, dial.finds.length],
      ]),
    );
    assert.deepEqual(seen, { one: [2, 2, 1], two: [1, 0, 1], three: [1, 1, 0] });
  });

  test('a raw chunked request arrives whole', async ({ receiver }) => {
    const box = receiver.box();
    const head = `POST ${new URL(box.url).pathname} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await sendRaw(box.url, [head, ...chunked('{"a": 1}', 3)]);
    assert.equal(answer.status, 200);
    assert.equal(box.arrivals[0].text, '{"a": 1}');
  });

  test('waiting ends with a message that says what there was instead', async () => {
    const waiting = until('the moon to be green', () => false, { within: 30, seen: () => 'yellow' });
    await assert.rejects(
      waiting,
      (error) => error instanceof TookTooLong && /moon.*yellow/.test(error.message),
    );
  });

  test('an id as shown is turned into the bytes that are stored', () => {
    assert.equal(idSql('550e8400-e29b-41d4-a716-446655440000'), "X'550e8400e29b41d4a716446655440000'");
    assert.equal(idSql('ws_00000000000000000000000004'), `X'${'0'.repeat(31)}1'`);
    assert.equal(idSql('ws_zzzzzzzzzzzzzzzzzzzzzzzzzw'), `X'${'f'.repeat(32)}'`);
  });
});
