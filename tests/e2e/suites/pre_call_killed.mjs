// A dispatcher that dies between a pre-call function and the dial: the function runs again under
// the same key, the call is dialled once, and nothing stays behind.
import assert from 'node:assert/strict';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  lease_grace: '200ms',
  place_timeout: '300ms',
  lookup_first: '50ms',
  lookup_gap: '50ms',
  lookup_deadline: '3s',
  place_retry_schedule: '50ms, 50ms, 50ms, 50ms, 50ms',
  retry_schedule: '0s, 50ms, 50ms, 50ms',
  retry_jitter_percent: '0',
  pre_call_budget: '300ms',
};

const POINTS = [
  'prepare_claimed',
  'pre_call_sent',
  'pre_call_answered',
  'pre_call_runs_written',
  'prepared',
  'call_fenced',
  'call_asked',
  'call_answered',
];

async function agentWithFunction({ system, carriers, receiver, defer }) {
  const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box() });
  const crm = receiver.box({
    answer: answers.status(200, { 'Content-Type': 'application/json' }, '{"plan":"gold"}'),
  });
  const made = await customer.api.send('POST', '/v1/functions', {
    body: {
      agent_id: customer.agent_id,
      phase: 'pre_call',
      name: 'crm',
      url: crm.url,
      save: { plan: '$.plan' },
      on_error: 'disallow',
    },
  });
  assertOk(made, 201);
  defer(() => system.admin('agent', 'disable', customer.agent_id));
  return { customer, crm };
}

export default suite('pre_call_killed', { runs: 'faults', system: { settings, dispatcher: false } }, (test) => {
  for (const point of POINTS)
    test(`killed at ${point}: the next run finishes it, and nobody is rung twice`, async (context) => {
      const { system } = context;
      const { customer, crm } = await agentWithFunction(context);
      const callId = await system.call(customer);
      const killed = await system.once({ fault: point });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      let call;
      await until(
        'runs from cron to bring the call to its end',
        async () => {
          const run = await system.once();
          assert.equal(run.code, 0, run.stderr);
          call = (await customer.api.get(callId)).json.data;
          return call.status === 'completed' || call.status === 'failed';
        },
        { within: 20_000, every: 60, seen: () => call },
      );
      const dials = await customer.carrier.dials(callId);
      assert.ok(dials.reduce((sum, { rings }) => sum + rings, 0) <= 1, 'rung once at the most');
      assert.equal(call.status, 'completed', JSON.stringify(call));
      assert.deepEqual(call.variables, { plan: 'gold' });
      const keys = new Set(crm.arrivals.map(({ headers }) => headers['idempotency-key']));
      for (const key of keys) assert.match(key, new RegExp(`^${callId}:crm:\\d+$`));
      assert.ok(crm.arrivals.length <= keys.size + 1, 'a kill repeats a function once');
    });

  test('a function that died half way with its dispatcher keeps nobody from cancelling', async (context) => {
    const { system } = context;
    const { customer } = await agentWithFunction(context);
    const callId = await system.call(customer);
    const killed = await system.once({ fault: 'pre_call_sent' });
    assert.equal(killed.signal, 'SIGKILL');
    assert.equal((await customer.api.cancel(callId)).status, 200);
    const run = await system.once();
    assert.equal(run.code, 0);
    assert.deepEqual(await customer.carrier.dials(callId), []);
  });
});
