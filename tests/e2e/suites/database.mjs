// The database killed, restarted and frozen under load: callers are told to come again, nothing
// that was acknowledged is lost, nobody is rung twice, and no program of ours has to be restarted.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertError } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { patient, until } from '../lib/wait.mjs';

const settings = {
  database_timeout: '1s',
  poll_interval: '100ms',
  lease_grace: '500ms',
  place_timeout: '2s',
  lookup_first: '100ms',
  lookup_gap: '100ms',
  lookup_deadline: '60s',
  retry_schedule: '0s, 100ms, 200ms, 400ms, 800ms, 1s, 1s, 1s',
  retry_jitter_percent: '0',
};

// Customers who create calls one after another, each with a key, and note what they were told.
class Load {
  constructor(customer, width = 4) {
    this.customer = customer;
    this.entries = [];
    this.stopping = false;
    this.lanes = Array.from({ length: width }, () => this.#lane());
  }

  async #lane() {
    while (!this.stopping) {
      const fields = { agent_id: this.customer.agent_id, contact_number: freshNumber() };
      const entry = { key: `load-${this.entries.length}`, fields, tries: [] };
      this.entries.push(entry);
      await this.#post(entry);
    }
  }

  // As a customer's program does it: the same request again, with the same key, until it is taken.
  async #post(entry) {
    await until(
      `${entry.key} to be taken`,
      async () => {
        const answer = await this.customer.api.create(entry.fields, { 'Idempotency-Key': entry.key });
        entry.tries.push(answer);
        entry.callId = answer.json?.data?.call_id;
        return entry.callId;
      },
      { within: 60_000, every: 50, seen: () => entry.tries.at(-1) },
    );
  }

  acknowledged() {
    return this.entries.filter(({ callId }) => callId);
  }

  refused() {
    return this.entries.flatMap(({ tries }) => tries).filter(({ status }) => status !== 201);
  }

  async stop() {
    this.stopping = true;
    await Promise.all(this.lanes);
  }
}

async function assertNothingLost(system, customer, load) {
  const callIds = load.entries.map(({ callId }) => callId);
  assert.equal(new Set(callIds).size, load.entries.length, 'each key has its own call');
  assert.equal(
    await system.number(`SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`),
    load.entries.length,
    'no call beside those',
  );
  await system.settled(customer.workspace_id, { within: 60_000 });
  const rung = new Map();
  for (const { call_id, requests, rings } of await customer.carrier.dials()) {
    assert.ok(requests.length === 1, `${call_id}: two dials in one attempt`);
    rung.set(call_id, (rung.get(call_id) ?? 0) + rings);
  }
  for (const callId of callIds) {
    assert.equal((await customer.api.get(callId)).json.data.status, 'completed', callId);
    assert.equal(rung.get(callId), 1, `${callId} was rung ${rung.get(callId) ?? 0} times`);
    assert.deepEqual(
      [...new Set(customer.box.types(callId))].sort(),
      ['call.completed', 'call.initiated'],
      callId,
    );
  }
  assert.equal(new Set(customer.box.ids()).size, 2 * callIds.length, 'one event of each type per call');
}

function assertUnavailable(answer) {
  assertError(answer, 503, 'unavailable');
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/, 'Retry-After');
}

async function outage({ system, receiver, carriers }, signal) {
  const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box() });
  const ours = system.programsRunning();
  assert.ok(ours.length >= 3, `only ${ours.length} programs of ours run`);
  const load = new Load(customer);
  await until('thirty calls to be acknowledged', () => load.acknowledged().length >= 30);
  await system.database.kill(signal);
  const before = load.refused().length;
  await until('callers to be told', () => load.refused().length >= before + 20, {
    within: 20_000,
    seen: () => load.refused().length,
  });
  const dead = await send(`${system.url}/healthz`);
  assert.deepEqual([dead.status, dead.json?.database], [503, 'unavailable'], dead.text);
  const reads = [
    await customer.api.get(load.acknowledged()[0].callId),
    await customer.api.list(),
    await customer.api.cancel(load.acknowledged()[0].callId),
  ];
  reads.forEach(assertUnavailable);
  await system.database.start();
  const then = load.acknowledged().length;
  await until('calls to be acknowledged again', () => load.acknowledged().length >= then + 30, {
    within: 20_000,
  });
  await load.stop();
  load.refused().forEach(assertUnavailable);
  assert.equal((await send(`${system.url}/healthz`)).status, 200);
  await assertNothingLost(system, customer, load);
  assert.deepEqual(system.programsRunning(), ours, 'the same processes as before');
}

export default suite(
  'database',
  { runs: 'faults', weight: 42, system: { server: 'apache', settings } },
  (test) => {
    test(
      'killed -9 and restarted under load: 503 with Retry-After, no acknowledged call lost, the same processes go on',
      { within: 120_000 },
      (context) => outage(context, 'SIGKILL'),
    );

    test('restarted in good order under load: the same', { within: 120_000 }, (context) =>
      outage(context, 'SIGTERM'),
    );

    test('a run from cron while the database is down exits 75, and the next after it works', async ({
      system,
      receiver,
    }) => {
      const customer = await system.customer({ box: receiver.box() });
      await system.stopDispatcher();
      const callId = await system.call(customer);
      await system.database.kill();
      const run = await system.once();
      assert.equal(run.code, 75, `${run.signal ?? ''} ${run.stderr}`);
      assert.equal((await system.adminRaw('workspace', 'list')).code === 0, false);
      await system.database.start();
      await until('the call to complete', async () => {
        assert.equal((await system.once()).code, 0);
        return (await customer.api.get(callId)).json.data?.status === 'completed';
      });
    });

    test('a frozen database: callers are told within its time-out, and a repeat with the key makes no second call', async ({
      system,
    }) => {
      const customer = await system.customer({ talks: false });
      const fields = { agent_id: customer.agent_id, contact_number: freshNumber() };
      const key = { 'Idempotency-Key': 'frozen' };
      await system.call(customer);
      const { database } = system;
      database.freeze();
      try {
        const answers = await Promise.all(Array.from({ length: 3 }, () => customer.api.create(fields, key)));
        for (const answer of answers) {
          assertUnavailable(answer);
          assert.ok(
            answer.ms < patient(6000),
            `told after ${Math.round(answer.ms)} ms, the time-out is 1000`,
          );
        }
        assert.equal((await send(`${system.url}/healthz`)).status, 503);
      } finally {
        database.thaw();
      }
      const again = await until('the request to be taken', async () => {
        const answer = await customer.api.create(fields, key);
        return answer.status === 201 ? answer : null;
      });
      const once = await customer.api.create(fields, key);
      assert.equal(once.json.data.call_id, again.json.data.call_id);
      assert.equal(
        await system.number(
          `SELECT COUNT(*) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)} AND idempotency_key = 'frozen'`,
        ),
        1,
      );
    });
  },
);
