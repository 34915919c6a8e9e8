// Assertions that many suites share.
import assert from 'node:assert/strict';

// RFC 9562 version 7.
export const CALL_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// The error envelope, whole: nothing beside code and message. `says`: what the message must name.
export function assertError(answer, status, code, says) {
  assert.equal(answer.status, status, `status of ${answer.text || answer.broke}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  assert.deepEqual(Object.keys(answer.json ?? {}), ['error'], answer.text);
  assert.deepEqual(Object.keys(answer.json.error), ['code', 'message'], answer.text);
  assert.equal(answer.json.error.code, code, answer.text);
  if (says instanceof RegExp) assert.match(answer.json.error.message, says);
  else if (says)
    assert.ok(
      answer.json.error.message.includes(says),
      `"${answer.json.error.message}" does not say "${says}"`,
    );
}

// These keys, in this order; others may stand among them.
export function assertKeysInOrder(object, keys) {
  assert.deepEqual(
    Object.keys(object).filter((key) => keys.includes(key)),
    keys,
  );
}

export function assertCreated(answer) {
  assert.equal(answer.status, 201, answer.text || answer.broke);
  assert.match(answer.json.data.call_id, CALL_ID);
  return answer.json.data.call_id;
}

// Puts the case's name before what an assertion says.
export async function inCase(name, check) {
  try {
    return await check();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}
