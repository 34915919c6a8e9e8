// Deliveries to endpoints that behave well and badly: retries, what counts as success, what is
// read of an answer, pausing, rotation.
import assert from 'node:assert/strict';
import { answers } from '../lib/receiver.mjs';
import { signatureProblems } from '../lib/signature.mjs';
import { suite } from '../lib/suite.mjs';
import { freePort } from '../lib/system.mjs';
import { patient, until } from '../lib/wait.mjs';

const settings = {
  retry_schedule: '0s, 200ms, 400ms, 800ms',
  retry_jitter_percent: '0',
  retry_after_max: '2s',
  hold_after_failures: '1000',
  poll_interval: '100ms',
  lease_grace: '500ms',
  response_bytes_max: '65536',
  response_bytes_kept: '4096',
};

// A customer with one endpoint that answers so; each event() of his is one delivery.
function customerWith({ system, receiver }, answer, webhook = ['--timeout', '10']) {
  return system.customer({ box: receiver.box({ answer }), webhook, talks: false });
}

// One event to an endpoint that answers so, until its delivery is settled.
async function deliver(context, answer, webhook) {
  const customer = await customerWith(context, answer, webhook);
  const callId = await context.system.event(customer);
  await context.system.settled(customer.workspace_id);
  return {
    customer,
    callId,
    box: customer.box,
    delivery: await context.system.delivery(callId),
    log: await context.system.log(callId),
  };
}

// The shortest time-out there is, for endpoints that never answer.
const SHORT = ['--timeout', '1'];

const gaps = (arrivals) => arrivals.slice(1).map((arrival, i) => arrival.at - arrivals[i].at);

function schedule(test) {
  test('a delivery that always fails is tried as often and as far apart as the schedule says, then is failed', async (context) => {
    const { box, delivery, log } = await deliver(context, answers.status(500));
    assert.equal(box.arrivals.length, 4);
    gaps(box.arrivals).forEach((gap, i) => {
      const wait = [200, 400, 800][i];
      assert.ok(gap >= wait - 10 && gap < wait + patient(1500), `gap ${i + 1} was ${gap} ms, not ${wait}`);
    });
    assert.deepEqual(
      [delivery.state, delivery.position, delivery.attempts, delivery.last_status],
      ['failed', '4', '4', '500'],
    );
    assert.deepEqual(
      log.map(({ status }) => status),
      ['500', '500', '500', '500'],
    );
    assert.equal(new Set(box.arrivals.map(({ text }) => text)).size, 1, 'the same bytes each time');
    assert.equal(new Set(box.ids()).size, 1, 'under the same id');
    box.assertSigned();
  });

  test('a delivery that succeeds at its last try is succeeded', async (context) => {
    const { box, delivery } = await deliver(
      context,
      answers.inTurn(answers.status(500), answers.status(404), answers.status(503), answers.status(200)),
    );
    assert.deepEqual([box.arrivals.length, delivery.state, delivery.last_status], [4, 'succeeded', '200']);
  });

  test('of three endpoints, one failing: the others get the event once, the failing one again', async (context) => {
    const { system, receiver } = context;
    const customer = await customerWith(context, answers.inTurn(answers.status(500), answers.status(200)));
    const others = [receiver.box(), receiver.box()];
    for (const box of others) await system.endpoint(customer.workspace_id, box);
    const callId = await system.event(customer);
    await system.settled(customer.workspace_id);
    assert.deepEqual(
      [customer.box, ...others].map((box) => box.of({ call: callId }).length),
      [2, 1, 1],
    );
  });

  for (const code of [200, 201, 202, 204, 299]) {
    test(`${code} is success`, async (context) => {
      const { box, delivery } = await deliver(context, answers.status(code));
      assert.deepEqual(
        [box.arrivals.length, delivery.state, delivery.last_status],
        [1, 'succeeded', String(code)],
      );
    });
  }

  for (const code of [300, 304, 400, 401, 404, 409, 429, 500, 502, 599]) {
    test(`${code} is no success: tried again`, async (context) => {
      const { box, delivery, log } = await deliver(
        context,
        answers.inTurn(answers.status(code), answers.status(200)),
      );
      assert.deepEqual([box.arrivals.length, delivery.state], [2, 'succeeded']);
      assert.equal(log[0].status, String(code));
    });
  }
}

function badEndpoints(test) {
  test('an endpoint that hangs is given up after its timeout and tried again', async (context) => {
    const { box, delivery, log } = await deliver(
      context,
      answers.inTurn(answers.hang(), answers.status(200)),
      SHORT,
    );
    assert.deepEqual([delivery.state, log[0].error, log.at(-1).status], ['succeeded', 'timeout', '200']);
    assert.ok(box.arrivals.length >= 2);
    const ms = Number(log[0].duration_ms);
    assert.ok(ms >= 990 && ms < 1000 + patient(1500), `given up after ${ms} ms, the timeout is 1000`);
  });

  test('an endpoint that says 200 and never ends its body is given up after its timeout', async (context) => {
    const dribble = (_, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('x');
    };
    const { delivery, log } = await deliver(context, answers.inTurn(dribble, answers.status(200)), SHORT);
    assert.deepEqual([delivery.state, log[0].error, log.at(-1).status], ['succeeded', 'timeout', '200']);
  });

  test('an endpoint that resets the connection is tried as often as the schedule says', async (context) => {
    const { box, delivery, log } = await deliver(context, answers.reset());
    assert.equal(delivery.state, 'failed');
    assert.deepEqual(
      log.map(({ status, error }) => [status, error]),
      Array(4).fill([null, 'connection_reset']),
    );
    assert.ok(box.arrivals.length >= 4);
  });

  test('an endpoint that resets the connection now and then gets the event', async (context) => {
    const { delivery } = await deliver(
      context,
      answers.inTurn(answers.reset(), answers.reset(), answers.status(200)),
    );
    assert.equal(delivery.state, 'succeeded');
  });

  test('an endpoint that speaks no HTTP is tried again', async (context) => {
    const rubbish = (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    const { delivery, log } = await deliver(context, answers.inTurn(rubbish, answers.status(200)));
    assert.deepEqual([delivery.state, log.length, log[0].status], ['succeeded', 2, null]);
  });

  test('an endpoint where nobody listens is tried as often as the schedule says', async ({ system }) => {
    const customer = await system.customer({
      box: { url: `http://127.0.0.1:${await freePort()}/` },
      talks: false,
    });
    const callId = await system.event(customer);
    await system.settled(customer.workspace_id);
    assert.deepEqual(
      (await system.log(callId)).map(({ error }) => error),
      Array(4).fill('connection_failed'),
    );
    assert.equal((await system.delivery(callId)).state, 'failed');
  });

  test('10 MB of answer: 64 KiB are read, 4 KiB kept, and a 200 is a success', async (context) => {
    const { box, delivery, log } = await deliver(context, answers.big(10 << 20));
    assert.deepEqual(
      [delivery.state, box.arrivals.length, log[0].status, log[0].response],
      ['succeeded', 1, '200', '4096'],
    );
    await until('the connection to be cut', () => box.arrivals[0].cut === true, {
      seen: () => box.arrivals[0].written,
    });
    assert.ok(box.arrivals[0].written < 8 << 20, `${box.arrivals[0].written} bytes were taken`);
  });

  test('10 MB of answer to a 500 is a failure like any', async (context) => {
    const { box, delivery } = await deliver(
      context,
      answers.inTurn(answers.big(10 << 20, 500), answers.status(200)),
    );
    assert.deepEqual([delivery.state, box.arrivals.length], ['succeeded', 2]);
  });

  for (const code of [301, 302, 303, 307, 308]) {
    test(`a ${code} is not followed`, async (context) => {
      const elsewhere = context.receiver.box();
      const { box, delivery, log } = await deliver(
        context,
        answers.inTurn(answers.redirect(elsewhere.url, code), answers.status(200)),
      );
      assert.deepEqual([delivery.state, box.arrivals.length, log[0].status], ['succeeded', 2, String(code)]);
      assert.equal(elsewhere.arrivals.length, 0);
    });
  }

  test('an endpoint that hangs with a backlog does not hold up another', async (context) => {
    const { system, receiver } = context;
    const slow = await customerWith(context, answers.hang(), ['--timeout', '10']);
    await system.events(slow, 30);
    await until('the slow endpoint to have its window full', () => slow.box.inFlight >= 5);
    const quick = await system.customer({ box: receiver.box(), talks: false });
    for (let i = 0; i < 5; i++) {
      const callId = await system.event(quick);
      await quick.box.arrival({ call: callId }, { within: 2000 });
    }
    assert.equal(
      slow.box.of().length,
      slow.box.inFlight,
      'the slow endpoint still had its first requests under way',
    );
    await system.admin('webhook', 'disable', slow.webhook_id);
  });
}

function retryAfter(test) {
  const cases = [
    ['in seconds', () => '1', 1000],
    ['with a fraction', () => '0.5', 500],
    ['as a date', () => new Date(Date.now() + 2100).toUTCString(), 1000],
    ['over the cap, cut to it', () => '86400', 2000],
    ['on a 429', () => '1', 1000, 429],
  ];
  for (const [claim, value, wait, code] of cases) {
    test(`Retry-After ${claim} is a floor for the next try`, async (context) => {
      const first = (request, response) => answers.retryAfter(value(), code)(request, response);
      const { box, delivery } = await deliver(context, answers.inTurn(first, answers.status(200)));
      const [gap] = gaps(box.arrivals);
      assert.equal(delivery.state, 'succeeded');
      assert.ok(gap >= wait * 0.98, `tried again after ${gap} ms, not ${wait}`);
      assert.ok(gap < 2000 + patient(2000), `tried again after ${gap} ms`);
    });
  }

  test('a Retry-After shorter than the schedule, or rubbish, changes nothing', async (context) => {
    const { box } = await deliver(
      context,
      answers.inTurn(
        answers.status(500),
        answers.retryAfter('0'),
        answers.retryAfter('soon'),
        answers.status(200),
      ),
    );
    const [, second, third] = gaps(box.arrivals);
    assert.ok(second >= 390 && third >= 790 && third < 800 + patient(1500), `${second} and ${third} ms`);
  });
}

function switches(test) {
  test('410 disables the endpoint; what comes meanwhile waits, and enabling sends it', async (context) => {
    const { system } = context;
    const customer = await customerWith(context, answers.status(410));
    const first = await system.event(customer);
    await until(
      'the endpoint to be disabled',
      async () => (await system.endpointRow(customer.webhook_id)).status === 'disabled',
    );
    assert.match((await system.endpointRow(customer.webhook_id)).status_reason, /410/);
    assert.equal(customer.box.arrivals.length, 1);
    const more = await system.events(customer, 3);
    customer.box.answer = answers.status(200);
    // another customer's delivery shows that the dispatcher has gone by
    await deliver(context, answers.status(200));
    assert.equal(customer.box.arrivals.length, 1);
    for (const callId of [first, ...more]) assert.equal((await system.delivery(callId)).state, 'waiting');
    await system.admin('webhook', 'enable', customer.webhook_id);
    await system.settled(customer.workspace_id);
    for (const callId of [first, ...more]) assert.equal((await system.delivery(callId)).state, 'succeeded');
    assert.deepEqual(
      [customer.box.of({ call: first }).length, ...more.map((call) => customer.box.of({ call }).length)],
      [2, 1, 1, 1],
    );
  });

  for (const [off, on] of [
    ['pause', 'resume'],
    ['disable', 'enable'],
  ]) {
    test(`${off}: deliveries are made and wait; ${on}: they are sent, each once`, async (context) => {
      const { system } = context;
      const customer = await customerWith(context, answers.status(200));
      await system.admin('webhook', off, customer.webhook_id);
      const made = await system.events(customer, 5);
      await deliver(context, answers.status(200));
      assert.equal(customer.box.arrivals.length, 0);
      for (const callId of made)
        assert.deepEqual(
          [(await system.delivery(callId)).state, (await system.delivery(callId)).position],
          ['waiting', '0'],
        );
      await system.admin('webhook', on, customer.webhook_id);
      await system.settled(customer.workspace_id);
      assert.deepEqual(
        made.map((call) => customer.box.of({ call }).length),
        [1, 1, 1, 1, 1],
      );
      customer.box.assertSigned();
    });
  }

  test('an endpoint that is made later does not hear of earlier events', async (context) => {
    const { system, receiver } = context;
    const customer = await system.customer({ talks: false });
    await system.event(customer);
    const box = receiver.box();
    await system.endpoint(customer.workspace_id, box);
    const second = await system.event(customer);
    await system.settled(customer.workspace_id);
    assert.deepEqual(
      box.arrivals.map(({ json }) => json.data.call_id),
      [second],
    );
  });
}

function secrets(test) {
  const good = (secret, { headers, body }) => signatureProblems(secret, headers, body).length === 0;

  // Events until one arrives of which this holds.
  async function eventWhere(system, customer, what, holds) {
    return until(
      what,
      async () => {
        const arrival = await customer.box.arrival({ call: await system.event(customer) });
        return holds(arrival) ? arrival : null;
      },
      { every: 50 },
    );
  }

  test('after a rotation both secrets sign for the grace, then the new one alone', async (context) => {
    const { system } = context;
    const customer = await customerWith(context, answers.status(200));
    const old = customer.box.secret;
    const { secret } = await system.admin('webhook', 'rotate-secret', customer.webhook_id, '--grace', '4s');
    assert.notEqual(secret, old);
    const during = await eventWhere(system, customer, 'a delivery signed by the new secret', (arrival) =>
      good(secret, arrival),
    );
    assert.ok(good(old, during), 'the old secret signs too');
    assert.equal(
      during.headers['x-webhook-signature'].split(',').filter((part) => part.startsWith('v1=')).length,
      2,
    );
    assert.equal(during.headers['webhook-signature'].split(' ').length, 2);
    const after = await eventWhere(
      system,
      customer,
      'a delivery that the old secret does not sign',
      (arrival) => !good(old, arrival),
    );
    assert.ok(good(secret, after));
    assert.equal(after.headers['webhook-signature'].split(' ').length, 1);
  });

  test('a rotation without grace ends the old secret', async (context) => {
    const { system } = context;
    const customer = await customerWith(context, answers.status(200));
    const old = customer.box.secret;
    const { secret } = await system.admin('webhook', 'rotate-secret', customer.webhook_id, '--grace', '0s');
    const arrival = await eventWhere(system, customer, 'a delivery signed by the new secret', (one) =>
      good(secret, one),
    );
    assert.ok(!good(old, arrival));
  });

  test('no signing secret can be read in the database', async (context) => {
    const { system } = context;
    const carrier = context.carriers.carrier();
    const customer = await system.customer({ box: context.receiver.box(), carrier });
    const raw = Buffer.from(customer.box.secret.slice('whsec_'.length), 'base64')
      .toString('hex')
      .toUpperCase();
    const stored = await system.sql(
      'SELECT HEX(secret) AS hex FROM destinations UNION ALL SELECT HEX(secret) FROM carriers',
    );
    assert.ok(stored.length >= 2);
    for (const { hex } of stored) {
      assert.ok(!Buffer.from(hex, 'hex').includes('whsec_'), 'a secret stands in the clear');
      assert.ok(!hex.includes(raw), 'a key stands in the clear');
    }
  });

  test('no API key can be read in the database', async ({ system }) => {
    const { key } = await system.customer();
    const rows = await system.sql('SELECT HEX(secret_hash) AS hash, prefix FROM api_keys');
    for (const { hash, prefix } of rows) {
      assert.ok(!Buffer.from(hash, 'hex').includes(key.slice(8)));
      assert.ok(key.length - prefix.length >= 22, 'the prefix that is kept says too much');
    }
  });
}

export default suite(
  'deliveries',
  { runs: 'faults', weight: 20, width: 12, system: { settings } },
  (test) => {
    schedule(test);
    badEndpoints(test);
    retryAfter(test);
    switches(test);
    secrets(test);
  },
);
