// Inbound hooks while the database is away: senders are told to come again, and nothing is half
// written.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertCreated, assertError } from '../lib/expect.mjs';
import { cancelMessage, createMessage, makeHook, manage, tell, tokenOf } from '../lib/hooks.mjs';
import { found, logged } from '../lib/logs.mjs';
import { good } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';
import { inParallel, until } from '../lib/wait.mjs';

const settings = { database_timeout: '1s' };

function assertUnavailable(answer) {
  assertError(answer, 503, 'unavailable');
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/, 'Retry-After');
}

const count = (system, table, customer) =>
  system.number(`SELECT COUNT(*) FROM ${table} WHERE workspace_id = ${idSql(customer.workspace_id)}`);

export default suite(
  'inbound_hooks_faults',
  { runs: 'faults', weight: 8, system: { server: 'lighttpd', settings } },
  (test) => {
    test('the database away: 503 with Retry-After, nothing half written, and a repeat makes one call', async ({
      system,
    }) => {
      const customer = await system.customer();
      const hook = await makeHook(customer);
      const data = good(customer);
      const first = assertCreated(await tell(system, hook.url, createMessage(good(customer))));
      const key = { 'webhook-id': 'while_away' };
      await system.database.kill();
      for (let n = 0; n < 6; n++)
        assertUnavailable(await tell(system, hook.url, createMessage(data), key));
      assertUnavailable(await tell(system, hook.url, cancelMessage(first)));
      assertUnavailable(await tell(system, `${system.url}/v1/hooks/tok_${'0'.repeat(40)}`, createMessage(data)));
      assertUnavailable(await manage(customer, 'POST', hook, '/rotate'));
      assertUnavailable(
        await customer.api.send('POST', '/v1/inbound_hooks', { body: { name: 'while away' } }),
      );
      await system.database.start();
      assert.equal(await count(system, 'calls', customer), 1);
      assert.equal(await count(system, 'inbound_hooks', customer), 1);
      const made = await until('the message to be taken', async () => {
        const answer = await tell(system, hook.url, createMessage(data), key);
        return answer.status === 201 ? answer : null;
      });
      const again = await tell(system, hook.url, createMessage(data), key);
      assert.equal(assertCreated(again), assertCreated(made));
      assert.equal(await count(system, 'calls', customer), 2);
      assert.equal((await customer.api.get(first)).json.data.status, 'scheduled');
      await logged(system);
      assert.deepEqual(found(system, [tokenOf(hook.url)]), []);
    });

    test('killed in the middle of rotations: each hook has one token in force, and every URL that was answered was written', async ({
      system,
    }) => {
      const customer = await system.customer();
      const hooks = await inParallel(8, Array(8).fill({}), (fields) => makeHook(customer, fields));
      const urls = hooks.map(({ url }) => url);
      let stopping = false;
      const lanes = hooks.map(async (hook) => {
        while (!stopping) {
          const answer = await manage(customer, 'POST', hook, '/rotate', { grace_seconds: 3600 });
          if (answer.status === 200) urls.push(answer.json.data.url);
          else assertUnavailable(answer);
        }
      });
      await until('some rotations', () => urls.length >= 40);
      await system.database.kill();
      await system.database.start();
      stopping = true;
      await Promise.all(lanes);
      const rows = await system.sql(
        `SELECT h.hook_id, SUM(t.expires_at IS NULL) AS in_force FROM inbound_hooks h JOIN inbound_hook_tokens t USING (hook_id)
         WHERE h.workspace_id = ${idSql(customer.workspace_id)} GROUP BY h.hook_id`,
      );
      assert.deepEqual(
        rows.map(({ in_force }) => in_force),
        Array(8).fill('1'),
      );
      const written = await system.number(
        `SELECT COUNT(*) FROM inbound_hook_tokens WHERE HEX(token_hash) IN (${urls.map((url) => `UPPER(SHA2('${tokenOf(url)}', 256))`)})`,
      );
      assert.equal(written, urls.length);
    });
  },
);
