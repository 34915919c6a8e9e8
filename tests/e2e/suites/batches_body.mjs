// A batch of several megabytes goes through every web server.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { inAnHour } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

const MEBIBYTE = 1_048_576;

// contacts with so much additional information that the whole has about so many bytes.
function batchOf(customer, bytes, contacts = 200) {
  const filler = 'x'.repeat(Math.floor(bytes / contacts) - 100);
  return {
    agent_id: customer.agent_id,
    scheduled_at: inAnHour(),
    contacts: Array.from({ length: contacts }, (_, i) => ({
      contact_number: `+9171${String(10_000_000 + i)}`,
      additional_info: { filler },
    })),
  };
}

export default suite('batches_body', { runs: 'core', wire: true }, (test) => {
  test('5 MiB make a batch, 9 MiB are too much', { within: 120_000, alone: true }, async ({ system }) => {
    if (system.server === 'apache-htaccess-fcgid') return; // its host's mod_fcgid lets 128 KiB through
    const customer = await system.customer();
    const big = JSON.stringify(batchOf(customer, 5 * MEBIBYTE));
    assert.ok(big.length > 4.9 * MEBIBYTE);
    const made = await customer.api.send('POST', '/v1/batches', { body: big });
    assert.equal(made.status, 201, made.text || made.broke);
    assert.equal(made.json.data.total, 200);
    const calls = await customer.api.list({ batch_id: made.json.data.batch_id, limit: 1 });
    assert.ok(calls.json.data[0].additional_info.filler.length > 20_000);
    const cancelled = await customer.api.send('POST', `/v1/batches/${made.json.data.batch_id}/cancel`);
    assert.equal(cancelled.json.data.calls.cancelled, 200);
    const much = await customer.api.send('POST', '/v1/batches', { body: JSON.stringify(batchOf(customer, 9 * MEBIBYTE)) });
    assertError(much, 413, 'payload_too_large', '8388608');
  });
});
