// Bodies that are no JSON, or not the JSON that is taken, or too large: each is refused with its
// code and the place of the fault, and none of it makes a call.
import assert from 'node:assert/strict';
import { assertCreated, assertError } from '../lib/expect.mjs';
import { chunked, sendRaw } from '../lib/http.mjs';
import { customerOf, good, info, refuseEach, text, withoutACall } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

const CAP = 64 * 1024;

function notJson(test) {
  test(
    'what is not JSON gets 400',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['a brace', '{'],
        ['a word', 'hello'],
        ['nothing', '', 'empty'],
        ['blanks', '   '],
        ['single quotes', (c) => text(c, (json) => json.replaceAll('"', "'"))],
        ['a trailing comma', (c) => text(c, (json) => json.replace('}', ',}'))],
        ['two values', (c) => text(c, (json) => json + json)],
        ['rubbish after the value', (c) => text(c, (json) => `${json}x`)],
        ['a comment', (c) => text(c, (json) => json.replace('{', '{/* */'))],
        ['a bare name', (c) => text(c, (json) => json.replace('"agent_id"', 'agent_id'))],
        ['a form', 'agent_id=a&contact_number=b'],
        ['a byte-order mark', (c) => text(c, (json) => `\ufeff${json}`)],
        [
          'a raw line feed in a string',
          (c) => text(c, (json) => json.replace('"agent_id":"', '"agent_id":"\n')),
        ],
      ]),
    ),
  );

  test(
    'what would take too much memory gets 400, though it is short',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['empty objects', info(`{"a":[${Array(20000).fill('{}').join()}]}`), 'has too many values'],
        ['objects in objects', info(`{"a":[${Array(4000).fill('{"a":{"a":{}}}').join()}]}`), 'has too many values'],
      ]),
    ),
  );

  test(
    'JSON that is no object gets 400',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['an array', '[]', 'object'],
        ['a string', '"x"', 'object'],
        ['null', 'null', 'object'],
        ['a number', '1', 'object'],
        ['true', 'true', 'object'],
      ]),
    ),
  );

  test(
    'a key given twice gets 400 that names it, at any depth',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        [
          'at the top',
          (c) => text(c, (json) => json.replace(/}$/, `,"agent_id":"${c.agent_id}"}`)),
          'agent_id',
        ],
        ['below', info('{"a":{"b":1,"b":2}}'), 'additional_info.a'],
        ['in an array', info('{"a":[{"b":1},{"b":1,"b":1}]}'), 'additional_info.a'],
        ['spelt with an escape', info('{"a":1,"\\u0061":2}'), 'additional_info'],
      ]),
    ),
  );

  test(
    'numbers that JSON or a double does not have get 400',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['30 digits', info('{"n":123456789012345678901234567890}'), 'additional_info.n'],
        ['one over int64', info('{"n":9223372036854775808}'), 'additional_info.n'],
        ['one under int64', info('{"n":-9223372036854775809}'), 'additional_info.n'],
        ['1e999', info('{"n":1e999}'), 'additional_info.n'],
        ["a million digits' exponent", info('{"n":1e1000000}'), 'additional_info.n'],
        ['NaN', info('{"n":NaN}')],
        ['Infinity', info('{"n":Infinity}')],
        ['hexadecimal', info('{"n":0x10}')],
        ['a leading zero', info('{"n":01}')],
        ['a leading plus', info('{"n":+1}')],
        ['a point without digits', info('{"n":1.}')],
      ]),
    ),
  );
}

function bytes(test) {
  const withBytes =
    (...bad) =>
    (customer) => {
      const json = Buffer.from(JSON.stringify(good(customer, { contact_name: 'AB' })));
      const at = json.indexOf('AB') + 1;
      return Buffer.concat([json.subarray(0, at), Buffer.from(bad), json.subarray(at)]);
    };

  test(
    'bytes that are not UTF-8 get 400',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['a lone continuation byte', withBytes(0x80), 'contact_name'],
        ['a cut sequence', withBytes(0xe0, 0xa4), 'contact_name'],
        ['an overlong slash', withBytes(0xc0, 0xaf), 'contact_name'],
        ['a surrogate in UTF-8', withBytes(0xed, 0xa0, 0x80), 'contact_name'],
        ['over U+10FFFF', withBytes(0xf4, 0x90, 0x80, 0x80), 'contact_name'],
        ['0xff', withBytes(0xff), 'contact_name'],
        ['Latin-1', withBytes(0xe9), 'contact_name'],
        ['a lone surrogate, escaped', info('{"s":"\\ud800"}'), 'additional_info.s'],
        ['surrogates in the wrong order', info('{"s":"\\udc00\\ud800"}'), 'additional_info.s'],
        ['a broken escape', info('{"s":"\\u12g4"}'), 'additional_info.s'],
      ]),
    ),
  );

  test(
    'a NUL gets 400, raw or escaped',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['raw in a string', withBytes(0)],
        ['escaped in a string', info('{"s":"a\\u0000b"}'), 'additional_info.s'],
        ['escaped in a name', info('{"a\\u0000b":1}'), 'additional_info'],
        ['raw after the body', (c) => text(c, (json) => `${json}\0`)],
        ['in the number', (c) => text(c, (json) => json.replace('+91', '+91\\u0000')), 'contact_number'],
      ]),
    ),
  );

  test('16 levels of JSON are taken, the 17th gets 400 that names its place', async ({ system }) => {
    const customer = await customerOf(system);
    // the body is the first level, additional_info the second
    const nested = (levels, open, close) =>
      info(`{"a":${open.repeat(levels - 2)}1${close.repeat(levels - 2)}}`)(customer);
    const post = (body) => customer.api.send('POST', '/v1/calls', { body });
    assertCreated(await post(nested(16, '[', ']')));
    assertError(await post(nested(17, '[', ']')), 400, 'invalid_request', 'additional_info.a');
    assertError(await post(nested(17, '{"b":', '}')), 400, 'invalid_request', 'additional_info.a');
    assertError(await post(nested(30_000, '[', ']')), 400, 'invalid_request', 'additional_info.a');
    assertError(await post('['.repeat(60_000)), 400, 'invalid_request');
  });
}

function sizes(test) {
  // A good body of exactly n bytes, blanks at its end.
  const sized = (customer, n) => Buffer.from(JSON.stringify(good(customer)).padEnd(n));
  const head = (system, customer, lines) =>
    [
      'POST /v1/calls HTTP/1.1',
      `Host: 127.0.0.1:${system.port}`,
      `Authorization: Bearer ${customer.key}`,
      'Content-Type: application/json',
      'Connection: close',
      ...lines,
      '',
      '',
    ].join('\r\n');

  test('a body of 64 KiB is taken, with Content-Length and chunked', async ({ system }) => {
    const customer = await customerOf(system);
    const body = sized(customer, CAP);
    assertCreated(await customer.api.send('POST', '/v1/calls', { body }));
    assertCreated(
      await sendRaw(system.url, [head(system, customer, ['Transfer-Encoding: chunked']), ...chunked(body)]),
    );
  });

  test(
    'a body of 64 KiB + 1 with Content-Length gets 413',
    withoutACall(async ({ customer }) => {
      assertError(
        await customer.api.send('POST', '/v1/calls', { body: sized(customer, CAP + 1) }),
        413,
        'payload_too_large',
      );
    }),
  );

  test(
    'a body of 65 KiB + 1 with Content-Length gets 413',
    withoutACall(async ({ customer }) => {
      assertError(
        await customer.api.send('POST', '/v1/calls', { body: sized(customer, 65 * 1024 + 1) }),
        413,
        'payload_too_large',
      );
    }),
  );

  test(
    'a 65 KiB + 1 chunked body, without Content-Length, gets 413',
    withoutACall(async ({ system, customer }) => {
      for (const size of [CAP + 1, 65 * 1024 + 1]) {
        const answer = await sendRaw(system.url, [
          head(system, customer, ['Transfer-Encoding: chunked']),
          ...chunked(sized(customer, size)),
        ]);
        assertError(answer, 413, 'payload_too_large');
      }
    }),
  );

  test(
    'a body of 1 MiB gets 413, with Content-Length and chunked',
    withoutACall(async ({ system, customer }) => {
      const body = sized(customer, 1 << 20);
      assertError(await customer.api.send('POST', '/v1/calls', { body }), 413, 'payload_too_large');
      assertError(
        await sendRaw(system.url, [head(system, customer, ['Transfer-Encoding: chunked']), ...chunked(body)]),
        413,
        'payload_too_large',
      );
    }),
  );

  test('a body in one-byte chunks is read to its end', async ({ system }) => {
    const customer = await customerOf(system);
    const body = JSON.stringify(good(customer));
    assertCreated(
      await sendRaw(system.url, [
        head(system, customer, ['Transfer-Encoding: chunked']),
        ...chunked(body, 1),
      ]),
    );
  });

  test(
    'a request with neither Content-Length nor chunks is refused',
    withoutACall(async ({ system, customer }) => {
      const answer = await sendRaw(system.url, [head(system, customer, []), JSON.stringify(good(customer))]);
      assert.ok([400, 411].includes(answer.status), `status ${answer.status}: ${answer.text}`);
    }),
  );

  // Who gave up hears nothing; what matters is what was made of the half of a request.
  const gaveUp = (answer) =>
    assert.ok(answer.status < 200 || answer.status >= 400, `status ${answer.status}`);

  test(
    'a body that breaks off before its Content-Length makes no call',
    withoutACall(async ({ system, customer }) => {
      const body = JSON.stringify(good(customer));
      const lines = [`Content-Length: ${body.length + 10}`];
      gaveUp(await sendRaw(system.url, [head(system, customer, lines), body], { end: true }));
    }),
  );

  test(
    'a chunked body that breaks off makes no call',
    withoutACall(async ({ system, customer }) => {
      const start = head(system, customer, ['Transfer-Encoding: chunked']);
      const pieces = chunked(JSON.stringify(good(customer)), 50);
      gaveUp(await sendRaw(system.url, [start, ...pieces.slice(0, 6)], { end: true }));
      // all of the JSON, but not the end of the body: CGI has no way to say so
      if (system.server === 'apache-cgi') return;
      gaveUp(await sendRaw(system.url, [start, ...pieces.slice(0, -1)], { end: true }));
    }),
  );

  test(
    'a Content-Length that is no number makes no call',
    withoutACall(async ({ system, customer }) => {
      for (const length of ['-1', '1e3', '99999999999999999999', 'x', '0x10']) {
        const answer = await sendRaw(
          system.url,
          [head(system, customer, [`Content-Length: ${length}`]), JSON.stringify(good(customer))],
          { end: true },
        );
        gaveUp(answer);
      }
    }),
  );

  test(
    'a body of one long field over the cap gets 413 before anything is said of the field',
    withoutACall(async ({ customer }) => {
      const answer = await customer.api.create(
        good(customer, { additional_info: { note: 'x'.repeat(70_000) } }),
      );
      assertError(answer, 413, 'payload_too_large');
    }),
  );
}

export default suite('bad_json', { runs: 'core', wire: true, width: 4 }, (test) => {
  notJson(test);
  bytes(test);
  sizes(test);
});
