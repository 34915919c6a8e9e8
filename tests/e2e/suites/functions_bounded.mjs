// Functions that are run while somebody waits take so many of a host's voice processes and no more:
// carriers are heard while customers' servers hang.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { assertOk } from '../lib/manage.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';
import { addFunction, conversation, json, tryOut } from '../lib/workflow.mjs';

const settings = {
  functions_at_once_max: '3',
  functions_workspace_max: '2',
  poll_interval: '100ms',
};

export default suite('functions_bounded', { runs: 'faults', system: { settings } }, (test) => {
  test('a workspace gets its share, all together no more than there are; the rest is told to come again', async (context) => {
    const hold = answers.hold();
    const talks = [await conversation(context), await conversation(context), await conversation(context)];
    for (const talk of talks) {
      talk.box.answer = hold;
      talk.one = await addFunction(talk.customer, talk.box, { timeout_ms: 8000 });
    }
    const [first, second, third] = talks;
    const strict = await addFunction(first.customer, first.box, {
      parameters: { type: 'object', required: ['day'] },
    });
    const under = [first.call(first.one.name, {}), first.call(first.one.name, {})];
    await until('the share to be taken', () => first.box.inFlight === 2);
    const refused = await first.call(first.one.name, {});
    assertError(refused, 429, 'rate_limited', 'Too many functions');
    assert.ok(Number(refused.headers['retry-after']) >= 1);

    // before the arguments, which may be long to check, are looked at
    assertError(await first.call(strict.name, {}), 429, 'rate_limited', 'Too many functions');
    assertError(await tryOut(first.customer, strict), 429, 'rate_limited', 'Too many functions');

    under.push(second.call(second.one.name, {}));
    await until("another workspace's to be taken", () => second.box.inFlight === 1);
    assertError(await third.call(third.one.name, {}), 429, 'rate_limited', 'Too many functions');

    const callId = await context.system.call(third.customer);
    assert.equal((await context.system.over(third.customer, callId)).status, 'completed', 'carriers are heard');

    hold.release();
    for (const answer of await Promise.all(under)) assert.equal(assertOk(answer).error, null);
    assert.equal(assertOk(await third.call(third.one.name, {})).error, null, 'what was given back is there again');

    for (let i = 0; i < 4; i++) {
      assertError(await first.call(strict.name, {}), 400, 'invalid_request', 'arguments.day: is required');
      assertError(await tryOut(first.customer, strict), 400, 'invalid_request', 'arguments.day: is required');
    }
    const again = [first.call(first.one.name, {}), first.call(first.one.name, {})];
    for (const answer of await Promise.all(again)) assert.equal(assertOk(answer).error, null, 'refusals hold nothing');
  });

  test('a run is recorded before it is sent, and gets its end when it has one', async (context) => {
    const talk = await conversation(context);
    const hold = (talk.box.answer = answers.hold(json({ slot: 4 })));
    const { name } = await addFunction(talk.customer, talk.box, { save: { slot: '$.slot' } });
    const under = talk.call(name, {});
    await until('it to be asked', () => talk.box.inFlight === 1);
    const [running] = await talk.runs();
    assert.deepEqual([running.error.code, running.status, running.saved], ['interrupted', null, null]);
    hold.release();
    assert.deepEqual(assertOk(await under).saved, { slot: 4 });
    const ended = await talk.runs();
    assert.deepEqual(
      ended.map((run) => [run.run_id, run.error, run.status, run.saved]),
      [[running.run_id, null, 200, { slot: 4 }]],
    );
  });

  test('what a function answered is told, though the database went away meanwhile', async (context) => {
    const talk = await conversation(context);
    const hold = (talk.box.answer = answers.hold(json({ slot: 4 })));
    const { name } = await addFunction(talk.customer, talk.box, { save: { slot: '$.slot' } });
    const under = talk.call(name, {});
    await until('it to be asked', () => talk.box.inFlight === 1);
    await context.system.database.kill();
    hold.release();
    const done = await under;
    await context.system.database.start();
    const { result, saved, error } = assertOk(done);
    assert.deepEqual([result, saved, error], [{ slot: 4 }, {}, null], 'nothing to repeat, and nothing was kept');
    assert.deepEqual((await talk.runs()).map((run) => run.error.code), ['interrupted']);
  });
});
