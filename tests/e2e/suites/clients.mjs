// Programs that customers verify with, as they are published: what we send must pass all of them,
// also during a rotation, and what was tampered with, or is late or early, must not.
import assert from 'node:assert/strict';
import { suite } from '../lib/suite.mjs';

const settings = { poll_interval: '100ms', simulator_ring: '10ms', simulator_talk: '10ms' };
const HOUR = 3600_000;

// Runs with the clock that libraries read moved by so many milliseconds.
function atAnotherTime(shift, work) {
  const now = Date.now;
  Date.now = () => now() + shift;
  try {
    return work();
  } finally {
    Date.now = now;
  }
}

// Each gives (body, headers, secret) => event, which throws when the delivery is not good. Loaded by
// the tests that use them: "npm ci" in tests/e2e brings them.
const verifiers = {
  async stripe() {
    const { default: Stripe } = await import('stripe');
    const { webhooks } = new Stripe('sk_test_unused');
    return (body, headers, secret) => webhooks.constructEvent(body, headers['x-webhook-signature'], secret);
  },
  async standardwebhooks() {
    const { Webhook } = await import('standardwebhooks');
    return (body, headers, secret) => new Webhook(secret).verify(body, headers);
  },
  async svix() {
    const { Webhook } = await import('svix');
    return (body, headers, secret) => {
      new Webhook(secret).verify(body, headers); // gives nothing back
      return JSON.parse(body);
    };
  },
};

// Stripe's verifier lets signatures from the future pass: that is its own rule.
const refusesEarly = (name) => name !== 'stripe';

async function oneDelivery({ system, receiver }) {
  const customer = await system.customer({ box: receiver.box(), talks: false });
  await system.event(customer);
  await customer.box.count(1);
  const [{ text, headers }] = customer.box.arrivals;
  return { customer, text, headers, secret: customer.box.secret };
}

export default suite('clients', { runs: 'faults', system: { settings }, weight: 6 }, (test) => {
  for (const [name, load] of Object.entries(verifiers)) {
    test(`${name} accepts a delivery and gives its event`, async (context) => {
      const verify = await load();
      const { text, headers, secret } = await oneDelivery(context);
      const event = verify(text, headers, secret);
      assert.equal(event.event_type, 'call.disallowed');
      assert.equal(event.event_id, headers['webhook-id']);
    });

    test(`${name} refuses a delivery that was tampered with, or signed with another secret`, async (context) => {
      const verify = await load();
      const { text, headers, secret } = await oneDelivery(context);
      const tampered = text.replace('"+9198', '"+9197');
      assert.notEqual(tampered, text);
      assert.throws(() => verify(tampered, headers, secret));
      assert.throws(() => verify(text, headers, `whsec_${Buffer.alloc(32, 7).toString('base64')}`));
      const unsigned = { ...headers, 'x-webhook-signature': '', 'webhook-signature': '' };
      assert.throws(() => verify(text, unsigned, secret));
    });

    test(`${name} refuses a delivery that is late${refusesEarly(name) ? ' or early' : ''}`, async (context) => {
      const verify = await load();
      const { text, headers, secret } = await oneDelivery(context);
      assert.throws(() => atAnotherTime(HOUR, () => verify(text, headers, secret)));
      if (refusesEarly(name)) {
        assert.throws(() => atAnotherTime(-HOUR, () => verify(text, headers, secret)));
      }
      verify(text, headers, secret);
    });

    test(`${name} accepts deliveries under the old and the new secret during a rotation`, async (context) => {
      const verify = await load();
      const { system } = context;
      const { customer, secret: old } = await oneDelivery(context);
      const { secret: fresh } = await system.admin('webhook', 'rotate-secret', customer.webhook_id);
      await system.event(customer);
      await customer.box.count(2);
      const { text, headers } = customer.box.arrivals[1];
      for (const secret of [old, fresh]) {
        assert.equal(verify(text, headers, secret).event_id, headers['webhook-id']);
      }
      await system.admin('webhook', 'rotate-secret', customer.webhook_id, '--grace', '0s');
      await system.event(customer);
      await customer.box.count(3);
      const last = customer.box.arrivals[2];
      assert.throws(() => verify(last.text, last.headers, old));
      assert.throws(() => verify(last.text, last.headers, fresh));
    });
  }
});
