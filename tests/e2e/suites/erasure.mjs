// A contact erased while a delivery of one of its calls is under way: what the receiver says of it
// afterwards is not kept, and the delivery is not made again.
import assert from 'node:assert/strict';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = { retry_schedule: '0s, 100ms, 100ms', retry_jitter_percent: '0', poll_interval: '50ms' };

async function eraseInFlight({ system, receiver }, status) {
  const number = freshNumber();
  const gate = answers.hold(answers.status(status, {}, `thanks for ${number}`));
  const box = receiver.box({ answer: gate });
  const customer = await system.customer({ box, talks: false });
  const call = await system.call(customer, { contact_number: number, contact_name: 'Raj Patel' });
  const other = freshNumber();
  await box.arrival({ call });
  assert.ok(box.arrivals[0].text.includes(number));
  const erased = assertOk(await customer.api.send('DELETE', `/v1/contacts/${encodeURIComponent(number)}`));
  assert.deepEqual(erased, { calls: 1, events: 1 });
  gate.release();
  box.answer = answers.status(200);
  const log = await until('the attempt to be logged', async () => {
    const rows = await system.log(call);
    return rows.length > 0 && rows;
  });
  assert.deepEqual([log[0].status, log[0].response], [String(status), null]);
  // What comes after goes its way.
  const next = await system.call(customer, { contact_number: other });
  await box.arrival({ call: next });
  assert.equal((await system.delivery(call)).state, 'dropped');
  assert.equal(box.of({ call }).length, 1);
  const found = await system.number(
    `SELECT COUNT(*) AS n FROM delivery_attempts WHERE INSTR(response, '${number}') > 0`,
  );
  assert.equal(found, 0);
}

export default suite('erasure', { runs: 'faults', system: { settings } }, (test) => {
  test('a delivery in flight that succeeds', (context) => eraseInFlight(context, 200));
  test('a delivery in flight that fails is not retried', (context) => eraseInFlight(context, 500));
});
