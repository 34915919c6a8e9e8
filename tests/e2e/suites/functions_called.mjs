// On every web server: the two requests that run a function while somebody waits reach the voice
// program, with bodies, keys and answers unharmed.
import assert from 'node:assert/strict';
import { assertError } from '../lib/expect.mjs';
import { assertOk } from '../lib/manage.mjs';
import { suite } from '../lib/suite.mjs';
import { addFunction, conversation, json, tryOut } from '../lib/workflow.mjs';

export default suite('functions_called', { runs: 'core', wire: true }, (test) => {
  test('a function is run during a call, and tried out', async (context) => {
    const { customer, box, call, runs } = await conversation(context);
    box.answer = json({ slots: [{ time: '16:00' }], note: 'नमस्ते' });
    const parameters = { type: 'object', properties: { date: { type: 'string', format: 'date' } }, required: ['date'] };
    const one = await addFunction(customer, box, { parameters, save: { slot: '$.slots[0].time' } });

    const done = assertOk(await call(one.name, { arguments: { date: '2026-11-26' } }));
    assert.deepEqual(done.result, { slots: [{ time: '16:00' }], note: 'नमस्ते' });
    assert.deepEqual([done.saved, done.error, done.say], [{ slot: '16:00' }, null, null]);
    assert.deepEqual(box.arrivals.map((arrival) => arrival.json), [{ date: '2026-11-26' }]);
    assertError(await call(one.name, { arguments: { date: 'tomorrow' } }), 400, 'invalid_request', 'arguments.date');
    assertError(await call('none', {}), 404, 'not_found');

    const shown = assertOk(await tryOut(customer, one, { arguments: { date: '2026-11-27' } }));
    assert.equal(shown.trial, true);
    assert.deepEqual(shown.request.body, { date: '2026-11-27' });
    assert.equal((await runs()).length, 1);
    assert.equal(box.arrivals.length, 2);
    const nobody = await customer.api.send('POST', `/v1/functions/${one.function_id}/try`, {
      body: {},
      headers: { Authorization: undefined },
    });
    assertError(nobody, 401, 'unauthorized');
  });
});
