// The cheapest hosting: plain CGI under Apache, and cron. No process of ours is resident.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { idSql } from '../lib/database.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  simulator_ring: '50ms',
  simulator_talk: '50ms',
  retry_schedule: '0s, 100ms, 100ms',
  poll_interval: '100ms',
};

// Running programs of this system's folder of programs.
function ours(system) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes('huskyvoice-') && line.includes(system.dir));
}

export default suite(
  'cron_life',
  { runs: 'faults', weight: 8, system: { server: 'apache-cgi', settings, dispatcher: false } },
  (test) => {
    test('a call is made, placed and told with plain CGI and --once runs alone', async ({
      system,
      receiver,
    }) => {
      const customer = await system.customer({ box: receiver.box() });
      const callId = await system.call(customer);
      assert.deepEqual(ours(system), [], 'nothing of ours is resident');
      let runs = 0;
      await until(
        'cron runs to bring the call to its end',
        async () => {
          const { code, stderr } = await system.once();
          assert.equal(code, 0, stderr);
          runs++;
          return customer.box.of({ call: callId, type: 'call.completed' }).length > 0;
        },
        { every: 50 },
      );
      assert.ok(runs >= 1);
      assert.equal((await customer.api.get(callId)).json.data.status, 'completed');
      assert.deepEqual(customer.box.types(callId).sort(), ['call.completed', 'call.initiated']);
      customer.box.assertSigned();
      assert.deepEqual(ours(system), [], 'nothing of ours stayed');
    });

    test('a run goes on until all agents of a workspace are judged anew, and a lock that it waited for is free', async ({ system }) => {
      const customer = await system.customer();
      const workspace = idSql(customer.workspace_id);
      await system.sql(`INSERT INTO rechecks (agent_id, workspace_id, wanted_at)
        SELECT UNHEX(LPAD(HEX(seq), 32, '0')), ${workspace}, NOW(6) FROM seq_1_to_600`);
      assert.equal((await system.once()).code, 0);
      assert.equal(await system.number('SELECT COUNT(*) FROM rechecks'), 0);

      // Calls that need the lock: the simulator's, of an agent that limits them.
      await system.sql(`UPDATE agents SET concurrent_calls = 5 WHERE workspace_id = ${workspace}`);
      const calls = [await system.call(customer), await system.call(customer)];
      const held = system.sql(`START TRANSACTION; SELECT name FROM workspaces WHERE workspace_id = ${workspace} FOR UPDATE;
        DO SLEEP(2.5); COMMIT`);
      await until('the lock to be held', async () =>
        (await system.number("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%'")) > 0);
      const { code, stderr } = await system.once({ settings: { database_timeout: '1s' } });
      await held;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /due calls could not be seen to/, 'it waited for the lock in vain');
      for (const callId of calls)
        assert.notEqual((await customer.api.get(callId)).json.data.status, 'scheduled');
    });

    test("all of the simulator's numbers end, by --once runs alone", async ({ system, receiver }) => {
      const customer = await system.customer({
        box: receiver.box(),
        agent: ['--ring-timeout', '1', '--max-duration', '1'],
      });
      const made = [];
      for (let n = 1; n <= 9; n++)
        made.push(
          await system.call(customer, { contact_number: `+9190000000${String(n).padStart(2, '0')}` }),
        );
      const ends = async () =>
        (await Promise.all(made.map((callId) => customer.api.get(callId)))).map(
          ({ json }) => json.data.error?.code ?? json.data.status,
        );
      const config = { reaper_grace: '100ms' };
      await until(
        'every call to be over',
        async () => {
          assert.equal((await system.once({ settings: config })).code, 0);
          return (await ends()).every(
            (end) => !['scheduled', 'initiated', 'ringing', 'in_progress'].includes(end),
          );
        },
        { every: 100, within: 20_000, seen: ends },
      );
      assert.deepEqual(await ends(), [
        'completed',
        'busy',
        'no_answer',
        'rejected',
        'carrier_error',
        'completed',
        'carrier_timeout',
        'completed',
        'completed',
      ]);
      await until(
        'every event to be delivered',
        async () => {
          await system.once({ settings: config });
          return new Set(customer.box.ids()).size === 18;
        },
        { every: 100, seen: () => customer.box.arrivals.length },
      );
      assert.equal(customer.box.arrivals.length, 18);
    });
  },
);
