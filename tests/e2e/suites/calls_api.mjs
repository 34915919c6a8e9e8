// The Calls API as the reference describes it: make, read, list, cancel.
import assert from 'node:assert/strict';
import { idSql } from '../lib/database.mjs';
import { assertCreated, assertError, assertKeysInOrder, CALL_ID, TIME } from '../lib/expect.mjs';
import { finish } from '../lib/program.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel } from '../lib/wait.mjs';

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

const READ_FIELDS = [
  'call_id',
  'status',
  'agent_id',
  'contact_number',
  'contact_name',
  'contact_email',
  'additional_info',
  'scheduled_at',
  'completed_at',
  'error',
  'created_at',
  'updated_at',
];

// A call that stays scheduled.
function later(system, customer, fields = {}) {
  return system.call(customer, { scheduled_at: inAnHour(), ...fields });
}

async function walk(customer, query) {
  const ids = [];
  let cursor;
  do {
    const page = await customer.api.list({ ...query, ...(cursor ? { cursor } : {}) });
    assert.equal(page.status, 200, page.text);
    assert.ok(page.json.data.length <= Number(query.limit));
    ids.push(...page.json.data.map(({ call_id }) => call_id));
    cursor = page.json.next_cursor;
  } while (cursor !== null);
  return ids;
}

function creates(test) {
  test("the reference's own curl line makes a call", async ({ system }) => {
    const body = JSON.stringify({
      agent_id: system.env.HV_AGENT_ID,
      contact_number: '+919876543210',
      contact_name: 'Raj Patel',
    });
    const { stdout, stderr } = await finish('curl', [
      '-sS',
      '-i',
      '-X',
      'POST',
      `${system.url}/v1/calls`,
      '-H',
      `Authorization: Bearer ${system.env.HV_API_KEY}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      body,
    ]);
    assert.match(stdout, /^HTTP\/1\.1 201 /, stderr);
    assert.match(stdout, /\{"data":\{"call_id":"[0-9a-f-]{36}","status":"scheduled"\}\}\s*$/);
  });

  test('a create answers 201 with call_id and status, a Location and a request id', async ({ system }) => {
    const customer = await system.customer();
    const fields = { agent_id: customer.agent_id, contact_number: freshNumber(), scheduled_at: inAnHour() };
    const [one, two] = [await customer.api.create(fields), await customer.api.create(fields)];
    assertCreated(one);
    assert.deepEqual(Object.entries(one.json), [
      ['data', { call_id: one.json.data.call_id, status: 'scheduled' }],
    ]);
    assert.equal(one.headers.location, `${system.url}/v1/calls/${one.json.data.call_id}`);
    assert.match(one.headers['content-type'], /^application\/json/);
    assert.ok(one.headers['x-request-id']);
    assert.notEqual(one.headers['x-request-id'], two.headers['x-request-id']);
    assert.notEqual(
      one.json.data.call_id,
      two.json.data.call_id,
      'without an Idempotency-Key each request makes a call',
    );
    assert.equal((await customer.api.send('GET', new URL(one.headers.location).pathname)).status, 200);
  });

  test('a read gives every field of the reference, in its order and form', async ({ system }) => {
    const customer = await system.customer();
    const sent = {
      agent_id: customer.agent_id,
      contact_number: freshNumber(),
      contact_name: 'Raj Patel',
      contact_email: 'raj@company.com',
      additional_info: { company: 'Acme Corp', deal_stage: 'negotiation' },
      scheduled_at: inAnHour(),
    };
    const { call_id } = (await customer.api.create(sent)).json.data;
    const { data } = (await customer.api.get(call_id)).json;
    assertKeysInOrder(data, READ_FIELDS);
    assert.deepEqual(Object.fromEntries(Object.keys(sent).map((name) => [name, data[name]])), sent);
    assert.deepEqual([data.status, data.completed_at, data.error], ['scheduled', null, null]);
    for (const name of ['scheduled_at', 'created_at', 'updated_at']) assert.match(data[name], TIME, name);
    assert.match(data.call_id, CALL_ID);
  });

  test('what was left out, or was null, reads back as null', async ({ system }) => {
    const customer = await system.customer();
    for (const fields of [{}, { contact_name: null, contact_email: null, additional_info: null }]) {
      const { data } = (await customer.api.get(await later(system, customer, fields))).json;
      assert.deepEqual([data.contact_name, data.contact_email, data.additional_info], [null, null, null]);
    }
  });

  test('additional_info reads back with the same members, order and values', async ({ system }) => {
    const customer = await system.customer();
    const info =
      '{"z":1,"a":[true,false,null,1.5,-9223372036854775808,9223372036854775807],"\\u0928\\u092e":"\\ud83d\\ude00","m":{"n":{"o":""}}}';
    const body = `{"agent_id":"${customer.agent_id}","contact_number":"${freshNumber()}","scheduled_at":"${inAnHour()}","additional_info":${info}}`;
    const { call_id } = (await customer.api.send('POST', '/v1/calls', { body })).json.data;
    const { text } = await customer.api.get(call_id);
    const back = text.slice(text.indexOf('"additional_info":') + 18, text.indexOf(',"scheduled_at"'));
    assert.ok(back.includes('9223372036854775807') && back.includes('-9223372036854775808'), back);
    assert.equal(JSON.stringify(JSON.parse(back)), JSON.stringify(JSON.parse(info)));
  });

  test('names in any script come back unharmed', async ({ system }) => {
    const customer = await system.customer();
    for (const contact_name of [
      'राज पटेल',
      'O\'Brien "Bob" \\ </script>',
      '😀'.repeat(200),
      'é'.normalize('NFD'),
    ]) {
      const { data } = (await customer.api.get(await later(system, customer, { contact_name }))).json;
      assert.equal(data.contact_name, contact_name);
    }
  });

  test('without scheduled_at a call is due when it was made', async ({ system }) => {
    const customer = await system.customer();
    const { data } = (await customer.api.get(await system.call(customer))).json;
    assert.ok(
      Math.abs(seconds(data.created_at, data.scheduled_at)) < 0.5,
      `${data.created_at} and ${data.scheduled_at}`,
    );
  });

  test("an agent's start delay moves scheduled_at, and a given scheduled_at overrides it", async ({
    system,
  }) => {
    const customer = await system.customer({ agent: ['--start-delay', '600'] });
    const delayed = (await customer.api.get(await system.call(customer))).json.data;
    assert.ok(
      Math.abs(seconds(delayed.created_at, delayed.scheduled_at) - 600) < 0.5,
      `${delayed.created_at} and ${delayed.scheduled_at}`,
    );
    const scheduled_at = inAnHour();
    assert.equal(
      (await customer.api.get(await system.call(customer, { scheduled_at }))).json.data.scheduled_at,
      scheduled_at,
    );
  });

  test('scheduled_at is taken with any offset and fraction, and shown in UTC', async ({ system }) => {
    const customer = await system.customer();
    const utc = new Date(Math.floor(Date.now() / 1000) * 1000 + 7_200_000);
    const india = new Date(utc.getTime() + 19_800_000).toISOString();
    const west = new Date(utc.getTime() - 28_800_000).toISOString();
    const forms = [
      india.replace('.000Z', '+05:30'),
      west.replace('.000Z', '-08:00'),
      utc.toISOString().replace('.000Z', 'z').replace('T', 't'),
      utc.toISOString().replace('.000Z', '.000000000Z'),
    ];
    for (const scheduled_at of forms) {
      const { data } = (await customer.api.get(await system.call(customer, { scheduled_at }))).json;
      assert.equal(data.scheduled_at, utc.toISOString(), scheduled_at);
    }
  });
}

function refusedByPolicy(test) {
  test('a call for a disabled agent is made as disallowed, with agent_disabled', async ({ system }) => {
    const customer = await system.customer();
    await system.admin('agent', 'disable', customer.agent_id);
    const made = await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() });
    const call_id = assertCreated(made);
    assert.equal(made.json.data.status, 'disallowed');
    const { data } = (await customer.api.get(call_id)).json;
    assert.deepEqual(
      [data.status, data.error.code, typeof data.error.message],
      ['disallowed', 'agent_disabled', 'string'],
    );
    assert.match(data.completed_at, TIME);
    assertError(await customer.api.cancel(call_id), 409, 'call_not_cancellable');
  });

  test('a call of a suspended workspace is made as disallowed, with account_suspended', async ({
    system,
  }) => {
    const customer = await system.customer();
    await system.admin('workspace', 'suspend', customer.workspace_id);
    const made = await customer.api.create({ agent_id: customer.agent_id, contact_number: freshNumber() });
    assert.equal(made.json.data.status, 'disallowed', made.text);
    assert.equal((await customer.api.get(assertCreated(made))).json.data.error.code, 'account_suspended');
    await system.admin('workspace', 'resume', customer.workspace_id);
    assert.equal(
      (
        await customer.api.create({
          agent_id: customer.agent_id,
          contact_number: freshNumber(),
          scheduled_at: inAnHour(),
        })
      ).json.data.status,
      'scheduled',
    );
  });
}

function cancels(test) {
  test('a cancel answers with cancelled_at, and a second cancel with the same moment', async ({ system }) => {
    const customer = await system.customer();
    const call_id = await later(system, customer);
    const one = await customer.api.cancel(call_id);
    assert.equal(one.status, 200, one.text);
    assert.deepEqual(Object.keys(one.json.data), ['call_id', 'status', 'cancelled_at']);
    assert.deepEqual([one.json.data.call_id, one.json.data.status], [call_id, 'cancelled']);
    assert.match(one.json.data.cancelled_at, TIME);
    const two = await customer.api.cancel(call_id);
    assert.deepEqual([two.status, two.json], [200, one.json]);
    assert.equal((await customer.api.get(call_id)).json.data.status, 'cancelled');
  });

  test('a cancel takes an empty JSON object, and no field', async ({ system }) => {
    const customer = await system.customer();
    const call_id = await later(system, customer);
    assertError(
      await customer.api.send('POST', `/v1/calls/${call_id}/cancel`, { body: { reason: 'x' } }),
      400,
      'invalid_request',
      'reason',
    );
    assert.equal((await customer.api.get(call_id)).json.data.status, 'scheduled');
    assert.equal((await customer.api.send('POST', `/v1/calls/${call_id}/cancel`, { body: {} })).status, 200);
  });

  test("a call that is over can't be cancelled, in the reference's words", async ({ system }) => {
    const customer = await system.customer();
    const call_id = await system.call(customer);
    await system.status(customer, call_id, 'completed');
    const answer = await customer.api.cancel(call_id);
    assertError(answer, 409, 'call_not_cancellable');
    assert.equal(answer.json.error.message, 'This call has already started or completed.');
  });

  test('a cancelled call is never dialled', async ({ system, carriers }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier });
    const cancelled = await system.call(customer, { scheduled_at: inAnHour() });
    assert.equal((await customer.api.cancel(cancelled)).status, 200);
    await system.sql(`UPDATE calls SET scheduled_at = NOW(6), due_at = NOW(6) WHERE call_id = ${idSql(cancelled)}`);
    // a later call of the same agent, due after the cancelled one, shows that its time has passed
    await system.status(customer, await system.call(customer), 'completed');
    assert.deepEqual(await carrier.dials(cancelled), []);
    assert.equal((await carrier.dials()).length, 1);
  });
}

function lists(test) {
  test('a list is newest first, and its cursor walks through every call once', async ({ system }) => {
    const customer = await system.customer();
    const made = [];
    for (let i = 0; i < 7; i++) made.push(await later(system, customer));
    for (const limit of ['1', '3', '7', '100'])
      assert.deepEqual(await walk(customer, { limit }), [...made].reverse(), `limit ${limit}`);
    const { data } = (await customer.api.list({ limit: '1' })).json;
    assert.deepEqual(data[0], (await customer.api.get(made.at(-1))).json.data);
  });

  test('a call that is made during a walk does not disturb it', async ({ system }) => {
    const customer = await system.customer();
    const made = [
      await later(system, customer),
      await later(system, customer),
      await later(system, customer),
    ];
    const first = (await customer.api.list({ limit: '1' })).json;
    await later(system, customer);
    const rest = (await customer.api.list({ limit: '100', cursor: first.next_cursor })).json;
    assert.deepEqual(
      [first.data[0].call_id, ...rest.data.map(({ call_id }) => call_id)],
      [...made].reverse(),
    );
    assert.equal(rest.next_cursor, null);
  });

  test('a list filters by status, agent and number, alone and together', async ({ system }) => {
    const customer = await system.customer();
    const other = await system.admin(
      'agent',
      'create',
      '--workspace',
      customer.workspace_id,
      '--name',
      'another',
    );
    const number = freshNumber();
    const [a, b, c] = [
      await later(system, customer, { contact_number: number }),
      await later(system, customer, { agent_id: other.agent_id, contact_number: number }),
      await later(system, customer),
    ];
    await customer.api.cancel(a);
    const ids = async (query) => (await customer.api.list(query)).json.data.map(({ call_id }) => call_id);
    assert.deepEqual(await ids({ status: 'cancelled' }), [a]);
    assert.deepEqual(await ids({ status: 'scheduled' }), [c, b]);
    assert.deepEqual(await ids({ agent_id: other.agent_id }), [b]);
    assert.deepEqual(await ids({ contact_number: number }), [b, a]);
    assert.deepEqual(await ids({ contact_number: number, status: 'scheduled', agent_id: other.agent_id }), [
      b,
    ]);
    assert.deepEqual(await ids({ contact_number: number, status: 'completed' }), []);
  });

  test('created_after and created_before leave out their own moment', async ({ system }) => {
    const customer = await system.customer();
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await later(system, customer));
    const times = await inParallel(
      1,
      made,
      async (id) =>
        await system.one(
          `SELECT DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%fZ') FROM calls WHERE call_id = X'${id.replaceAll('-', '')}'`,
        ),
    );
    const ids = async (query) => (await customer.api.list(query)).json.data.map(({ call_id }) => call_id);
    assert.deepEqual(await ids({ created_after: times[0] }), [made[2], made[1]]);
    assert.deepEqual(await ids({ created_before: times[2] }), [made[1], made[0]]);
    assert.deepEqual(await ids({ created_after: times[0], created_before: times[2] }), [made[1]]);
  });

  test("a list holds the own workspace's calls only", async ({ system }) => {
    const [one, two] = [await system.customer(), await system.customer()];
    const mine = await later(system, one);
    await later(system, two);
    const { json } = await one.api.list();
    assert.deepEqual([json.data.map(({ call_id }) => call_id), json.next_cursor], [[mine], null]);
    assert.deepEqual((await two.api.list({ agent_id: one.agent_id })).json.data, []);
  });
}

export default suite('calls_api', { runs: 'core', wire: true, width: 4 }, (test) => {
  creates(test);
  refusedByPolicy(test);
  cancels(test);
  lists(test);
});
