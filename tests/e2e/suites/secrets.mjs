// Stored secrets that no key of the key file opens: what depends on one fails and says why, and
// nothing else does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { idSql } from '../lib/database.mjs';
import { assertError } from '../lib/expect.mjs';
import { assertOk } from '../lib/manage.mjs';
import { send } from '../lib/http.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = { retry_schedule: '0s, 100ms', retry_jitter_percent: '0', poll_interval: '50ms', hold_after_failures: '1000' };

const LOST = (column) => `${column} = CONCAT(CHAR(200), SUBSTR(${column}, 2))`;
const lose = (system, table, id, column, of) =>
  system.sql(`UPDATE ${table} SET ${LOST(column)} WHERE ${id} = ${idSql(of)}`);
const log = (system, name) => readFileSync(path.join(system.dir, 'log', `${name}.log`), 'utf8');

// A program's log says this, or will in a moment: an answer is sent before it is logged.
const said = (system, name, pattern) =>
  until(`the log of ${name} to say ${pattern}`, () => pattern.test(log(system, name)), {
    seen: () => log(system, name).slice(-500),
  });

export default suite('secrets', { runs: 'faults', system: { settings } }, (test) => {
  test('a delivery fails with secret_unreadable, the log says which key is missing, others go on', async ({ system, receiver }) => {
    for (const column of ['secret', 'headers']) {
      const lost = receiver.box();
      const fine = receiver.box();
      const customer = await system.customer({ box: fine, talks: false });
      const made = assertOk(
        await customer.api.send('POST', '/v1/webhooks', { body: { url: lost.url, headers: { 'X-Mine': 'v' } } }),
        201,
      );
      await lose(system, 'destinations', 'destination_id', column, made.webhook_id);
      const call = await system.event(customer);
      await system.settled(customer.workspace_id);
      await fine.arrival({ call });
      assert.equal(lost.arrivals.length, 0);
      const rows = await system.sql(`SELECT d.state, d.last_error FROM deliveries d
        WHERE d.destination_id = ${idSql(made.webhook_id)}`);
      assert.deepEqual(rows, [{ state: 'failed', last_error: 'secret_unreadable' }]);
      await said(
        system,
        'dispatcher',
        new RegExp(`a stored secret cannot be opened.*endpoint=${made.webhook_id} what=${column} .*lacks key 200`),
      );
      const shown = assertOk(await customer.api.send('GET', `/v1/deliveries?webhook_id=${made.webhook_id}`));
      assert.equal(shown[0].last_error ?? shown[0].error, 'secret_unreadable');
    }
  });

  test('the API answers 500 where it must show one, and a new one mends it', async ({ system, receiver }) => {
    const customer = await system.customer({ talks: false });
    const box = receiver.box();
    const made = assertOk(
      await customer.api.send('POST', '/v1/webhooks', { body: { url: box.url, headers: { 'X-Mine': 'v' } } }),
      201,
    );
    const at = `/v1/webhooks/${made.webhook_id}`;
    await lose(system, 'destinations', 'destination_id', 'headers', made.webhook_id);
    const answer = await customer.api.send('GET', at);
    assertError(answer, 500, 'internal_error');
    assert.ok(!answer.text.includes('key 200'), 'what is inside is not the caller’s business');
    await said(system, 'api', /request failed.*a stored secret: the key file lacks key 200/);
    assertOk(await customer.api.send('PATCH', at, { body: { headers: null } }));
    assertOk(await customer.api.send('GET', at));
    await lose(system, 'destinations', 'destination_id', 'secret', made.webhook_id);
    const rotated = assertOk(await customer.api.send('POST', `${at}/rotate`, { body: { grace_seconds: 0 } }));
    box.secret = rotated.secret;
    await system.event(customer);
    await until('the delivery', () => box.arrivals.length > 0);
    box.assertSigned();
  });

  test('an inbound hook whose signing secret is lost refuses, and says so in the log', async ({ system }) => {
    const customer = await system.customer({ talks: false });
    const hook = assertOk(
      await customer.api.send('POST', '/v1/inbound_hooks', { body: { name: 'h', signing_secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}` } }),
      201,
    );
    await lose(system, 'inbound_hooks', 'hook_id', 'signing_secret', hook.hook_id);
    const answer = await send(hook.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Webhook-Signature': 't=1,v1=00' },
      body: JSON.stringify({ action: 'call.cancel', data: {} }),
    });
    assert.equal(answer.status, 500, answer.text);
    await said(system, 'hooks', /request failed.*a stored secret: the key file lacks key 200/);
  });
});
