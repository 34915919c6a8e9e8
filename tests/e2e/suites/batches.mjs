// Batches: many calls of an agent in one act, from JSON and CSV, once per key, watched, paused,
// resumed and cancelled.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startCgi } from '../lib/cgi.mjs';
import { idSql } from '../lib/database.mjs';
import { assertError, assertKeysInOrder, inCase, TIME } from '../lib/expect.mjs';
import { inAnHour } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel, until } from '../lib/wait.mjs';

const settings = { poll_interval: '100ms', simulator_ring: '10ms', simulator_talk: '10ms', recheck_interval: '0ms' };
const KEYS = [
  'batch_id',
  'status',
  'agent_id',
  'name',
  'total',
  'disallowed',
  'refused',
  'scheduled_at',
  'expires_at',
  'created_at',
  'updated_at',
  'refusals',
];

const contacts = (n) => Array.from({ length: n }, () => ({ contact_number: freshNumber() }));
const batch = (customer, fields = {}) => ({
  agent_id: customer.agent_id,
  scheduled_at: inAnHour(),
  contacts: contacts(3),
  ...fields,
});
const post = (customer, body, headers) => customer.api.send('POST', '/v1/batches', { body, headers });
const csv = (customer, query, body, headers = {}) =>
  customer.api.send('POST', `/v1/batches?${new URLSearchParams(query)}`, {
    body,
    headers: { 'Content-Type': 'text/csv', ...headers },
  });

async function made(customer, fields, headers) {
  const answer = await post(customer, batch(customer, fields), headers);
  assert.equal(answer.status, 201, answer.text || answer.broke);
  return answer.json.data;
}

const get = async (customer, id) => (await customer.api.send('GET', `/v1/batches/${id}`)).json.data;
const act = async (customer, id, what) => {
  const answer = await customer.api.send('POST', `/v1/batches/${id}/${what}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.data;
};
const count = (system, customer, what = '*') =>
  system.number(`SELECT COUNT(${what}) FROM calls WHERE workspace_id = ${idSql(customer.workspace_id)}`);

function making(test) {
  test('a batch of JSON answers with what it made, and its calls are there', async ({ system }) => {
    const customer = await system.customer();
    const [one, two, three] = contacts(3);
    const fields = {
      name: 'Renewals',
      expires_at: new Date(Date.now() + 7_200_000).toISOString(),
      contacts: [{ ...one, contact_name: 'Raj', additional_info: { a: [1] } }, two, { contact_number: '98765' }, three],
    };
    const answer = await post(customer, batch(customer, fields));
    assert.equal(answer.status, 201, answer.text);
    const { data } = answer.json;
    assertKeysInOrder(data, KEYS);
    assert.equal(answer.headers.location, `${system.url}/v1/batches/${data.batch_id}`);
    for (const name of ['scheduled_at', 'expires_at', 'created_at', 'updated_at']) assert.match(data[name], TIME);
    assert.deepEqual([data.status, data.name, data.total, data.disallowed, data.refused], ['running', 'Renewals', 3, 0, 1]);
    assert.equal(data.refusals[0].line, 3);
    assert.match(data.refusals[0].message, /^contact_number must be a valid \+91/);
    const list = (await customer.api.list({ batch_id: data.batch_id })).json.data;
    assert.deepEqual(
      list.map(({ contact_number }) => contact_number),
      [three, two, one].map(({ contact_number }) => contact_number),
    );
    const call = list[2];
    assert.deepEqual(
      [call.status, call.contact_name, call.additional_info, call.batch_id, call.expires_at],
      ['scheduled', 'Raj', { a: [1] }, data.batch_id, data.expires_at],
    );
    const watched = await get(customer, data.batch_id);
    assert.deepEqual(watched.calls, { scheduled: 3, under_way: 0, completed: 0, failed: 0, cancelled: 0, disallowed: 0 });
  });

  test('a batch of CSV takes columns as fields, and lines as they stand in the file', async ({ system }) => {
    const customer = await system.customer();
    const [one, two] = contacts(2).map(({ contact_number }) => contact_number);
    const text = `\ufeffpolicy,contact_number,contact_name\r\n"P ""1"",\r\nnew",${one},Raj\r\n\r\n,${two},\r\nx,12345,\r\nx,${one},\r\nx\r\n`;
    const answer = await csv(customer, { agent_id: customer.agent_id, name: 'a file', scheduled_at: '2099-01-01T00:00:00Z' }, text);
    assertError(answer, 400, 'invalid_request', 'scheduled_at');
    const good = await csv(customer, { agent_id: customer.agent_id, name: 'a file', scheduled_at: inAnHour() }, text);
    assert.equal(good.status, 201, good.text);
    const { data } = good.json;
    assert.deepEqual([data.name, data.total, data.refused], ['a file', 2, 3]);
    assert.deepEqual(
      data.refusals.map(({ line }) => line),
      [6, 7, 8],
    );
    assert.equal(data.refusals[1].message, 'Line 2 has the same contact_number.');
    const [second, first] = (await customer.api.list({ batch_id: data.batch_id })).json.data;
    assert.deepEqual([first.contact_name, first.additional_info], ['Raj', { policy: 'P "1",\r\nnew' }]);
    assert.deepEqual([second.contact_name, second.additional_info], [null, null]);
  });

  test('what is wrong with the whole is 400, and makes nothing', async ({ system }) => {
    const customer = await system.customer();
    const { agent_id } = customer;
    const many = (n) => Array.from({ length: n }, (_, i) => ({ contact_number: `+9172${String(10_000_000 + i)}` }));
    for (const [fields, says] of [
      [{ contacts: [] }, 'contacts must have at least one'],
      [{ contacts: many(10_001) }, 'at most 10000'],
      [{ contacts: {} }, 'contacts must be an array'],
      [{ contacts: [{ contact_number: '1' }, 17] }, 'None of the 2 contacts can be called. 1: contact_number'],
      [{ contacts: undefined }, 'contacts'],
      [{ name: 'x'.repeat(201) }, 'name'],
      [{ scheduled_at: 'soon' }, 'scheduled_at'],
      [{ expires_at: inAnHour().replace('20', '19') }, 'expires_at'],
      [{ priority: 1 }, 'priority'],
    ])
      await inCase(JSON.stringify(fields).slice(0, 80), async () =>
        assertError(await post(customer, batch(customer, fields)), 400, 'invalid_request', says),
      );
    for (const [query, text, says] of [
      [{ agent_id }, '', 'no header row'],
      [{ agent_id }, 'contact_number\n', 'no contact'],
      [{ agent_id }, 'number\n+919876543210\n', 'no column contact_number'],
      [{}, 'contact_number\n+919876543210\n', 'agent_id is required'],
      [{ agent_id, title: 'x' }, 'contact_number\n+919876543210\n', 'title'],
      [{ agent_id }, 'contact_number\n"+919876543210\n', 'None of the 1 contacts can be called. 2: A quoted field'],
    ])
      await inCase(says, async () => assertError(await csv(customer, query, text), 400, 'invalid_request', says));
    assertError(await post(customer, batch(customer, { agent_id: 'agent_1' })), 404, 'not_found', 'agent_id');
    assertError(await post(customer, batch(customer), { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type', 'text/csv');
    assert.equal(await count(system, customer), 0);
  });

  test('what policy refuses makes disallowed calls, each with its event', async ({ system, receiver }) => {
    const box = receiver.box();
    const customer = await system.customer({ box, key: ['--scopes', 'calls,manage'] });
    const [one, two] = contacts(2);
    await customer.api.send('POST', '/v1/suppressed_numbers', { body: one });
    const data = await made(customer, { contacts: [one, two] });
    assert.deepEqual([data.total, data.disallowed, data.status], [2, 1, 'running']);
    const [call] = (await customer.api.list({ batch_id: data.batch_id, status: 'disallowed' })).json.data;
    assert.equal(call.contact_number, one.contact_number);
    assert.equal(call.error.code, 'number_suppressed');
    await box.arrival({ type: 'call.disallowed', call: call.call_id });
  });

  test('a test key makes test calls', async ({ system }) => {
    const customer = await system.customer({ key: ['--test'] });
    const data = await made(customer);
    assert.equal(data.test, true);
    assert.equal(await system.number(`SELECT COUNT(*) FROM calls WHERE test AND batch_id = ${idSql(data.batch_id)}`), 3);
  });
}

function onceOnly(test) {
  test('twenty at once under one key make one batch', async ({ system }) => {
    const customer = await system.customer();
    const body = batch(customer, { contacts: contacts(40) });
    const answers = await inParallel(20, Array(20).fill(body), (one) => post(customer, one, { 'Idempotency-Key': 'k' }));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    assert.equal(new Set(answers.map(({ json }) => json.data.batch_id)).size, 1);
    assert.equal(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length, 19);
    assert.equal(await count(system, customer), 40);
  });

  test('a repeat gets the first answer, whatever has become of it; another request 422', async ({ system }) => {
    const customer = await system.customer();
    const text = `contact_number\n${freshNumber()}\n12\n`;
    const query = { agent_id: customer.agent_id, scheduled_at: inAnHour() };
    const headers = { 'Idempotency-Key': '"a file"' };
    const first = await csv(customer, query, text, headers);
    assert.equal(first.status, 201, first.text);
    await act(customer, first.json.data.batch_id, 'cancel');
    await system.admin('agent', 'disable', customer.agent_id);
    const again = await csv(customer, query, text, headers);
    assert.equal(again.status, 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.deepEqual(again.json, first.json);
    assertError(await csv(customer, query, `${text}13\n`, headers), 422, 'idempotency_key_reused');
    assertError(await csv(customer, { ...query, name: 'x' }, text, headers), 422, 'idempotency_key_reused');
  });
}

function watching(test) {
  test('refusals are listed by line, page by page', async ({ system }) => {
    const customer = await system.customer();
    const bad = Array.from({ length: 250 }, (_, i) => ({ contact_number: String(i) }));
    const data = await made(customer, { contacts: [...bad, ...contacts(1)] });
    assert.equal(data.refused, 250);
    assert.equal(data.refusals.length, 100);
    const lines = [];
    for (let cursor = ''; cursor !== null; ) {
      const { json } = await customer.api.send('GET', `/v1/batches/${data.batch_id}/refusals?limit=90&cursor=${cursor}`);
      lines.push(...json.data.map(({ line }) => line));
      cursor = json.next_cursor;
    }
    assert.deepEqual(
      lines,
      bad.map((_, i) => i + 1),
    );
  });

  test('batches are listed, newest first, and by agent', async ({ system }) => {
    const customer = await system.customer();
    const other = await system.admin('agent', 'create', '--workspace', customer.workspace_id, '--name', 'another');
    const ids = [];
    for (const agent_id of [customer.agent_id, other.agent_id, customer.agent_id])
      ids.unshift((await made(customer, { agent_id })).batch_id);
    const page = (await customer.api.send('GET', '/v1/batches?limit=2')).json;
    const rest = (await customer.api.send('GET', `/v1/batches?limit=2&cursor=${page.next_cursor}`)).json;
    assert.deepEqual(
      [...page.data, ...rest.data].map(({ batch_id }) => batch_id),
      ids,
    );
    assert.equal(rest.next_cursor, null);
    const byAgent = (await customer.api.send('GET', `/v1/batches?agent_id=${other.agent_id}`)).json.data;
    assert.deepEqual(
      byAgent.map(({ batch_id }) => batch_id),
      [ids[1]],
    );
  });

  test('it is called, counted and done', async ({ system }) => {
    const customer = await system.customer();
    const data = await made(customer, {
      scheduled_at: undefined,
      contacts: [...contacts(4), { contact_number: '+919000000002' }],
    });
    const done = await until('the batch to be done', async () => {
      const now = await get(customer, data.batch_id);
      return now.status === 'done' && now;
    });
    assert.deepEqual(done.calls, { scheduled: 0, under_way: 0, completed: 4, failed: 1, cancelled: 0, disallowed: 0 });
  });
}

function switching(test) {
  test('a paused batch dials no further call, and goes on when it is resumed', async ({ system, carriers }) => {
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier, key: ['--scopes', 'calls,manage'] });
    const lines = (concurrent_calls) =>
      customer.api.send('PATCH', `/v1/agents/${customer.agent_id}`, { body: { concurrent_calls } });
    await lines(10);
    const data = await made(customer, {
      scheduled_at: undefined,
      contacts: contacts(60).map((one) => ({ ...one, additional_info: { carrier: { script: 'none' } } })),
    });
    // The agent's ten lines are taken, and none gets free.
    await until('ten to be under way', async () => (await get(customer, data.batch_id)).calls.under_way === 10);
    const paused = await act(customer, data.batch_id, 'pause');
    assert.equal(paused.status, 'paused');
    assert.deepEqual([paused.calls.scheduled, paused.calls.under_way], [50, 10]);
    const [held] = (await customer.api.list({ batch_id: data.batch_id, status: 'scheduled', limit: 1 })).json.data;
    assert.equal(held.hold_reason, 'batch_paused');
    await lines(1000);
    const single = await system.call(customer, { additional_info: { carrier: { script: 'none' } } });
    await system.status(customer, single, 'initiated');
    assert.equal((await get(customer, data.batch_id)).calls.under_way, 10);
    assert.equal((await act(customer, data.batch_id, 'resume')).status, 'running');
    await until('all to be under way', async () => (await get(customer, data.batch_id)).calls.under_way === 60);
  });

  test('a cancelled batch is cancelled for good, and again', async ({ system }) => {
    const customer = await system.customer();
    const { batch_id } = await made(customer);
    await act(customer, batch_id, 'pause');
    const cancelled = await act(customer, batch_id, 'cancel');
    assert.equal(cancelled.status, 'cancelled');
    assert.equal(cancelled.calls.cancelled, 3);
    assert.deepEqual(await act(customer, batch_id, 'cancel'), cancelled);
    for (const what of ['pause', 'resume'])
      assertError(await customer.api.send('POST', `/v1/batches/${batch_id}/${what}`), 409, 'conflict', 'cancelled');
    const [call] = (await customer.api.list({ batch_id })).json.data;
    assert.equal(call.status, 'cancelled');
    assert.match(call.cancelled_at, TIME);
  });

  test('a responder killed in the middle leaves nothing of it, or all', { alone: true }, async ({ system }) => {
    const customer = await system.customer();
    const body = batch(customer, { contacts: contacts(10_000) });
    const headers = { Authorization: `Bearer ${customer.key}`, 'Idempotency-Key': 'k' };
    const child = startCgi(system, 'huskyvoice-api', { method: 'POST', path: '/v1/batches', headers, body });
    const writing = () =>
      system.number("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO calls%'");
    await until('it to be writing', writing, { every: 1 });
    assert.ok(child.kill('SIGKILL'));
    await until('its transaction to be gone', async () =>
      (await system.number('SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0')) === 0);
    const batches = await system.number(
      `SELECT COUNT(*) FROM batches WHERE workspace_id = ${idSql(customer.workspace_id)}`,
    );
    // The last moment may have been too late: then all of it is there.
    assert.deepEqual([await count(system, customer), batches], batches === 0 ? [0, 0] : [10_000, 1]);
    const answer = await post(customer, body, { 'Idempotency-Key': 'k' });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.headers['idempotent-replayed'], batches === 0 ? undefined : 'true');
    assert.equal(await count(system, customer), 10_000);
  });

  // Sends batches until one is seen while it is written, whose connection is killed then.
  async function killedWhileWritten(system, customer) {
    for (let n = 1; ; n++) {
      const body = batch(customer, { contacts: contacts(10_000) });
      const headers = { 'Idempotency-Key': `k${n}` };
      let answered = false;
      const sent = post(customer, body, headers).finally(() => (answered = true));
      while (!answered) {
        const [row] = await system.sql("SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT INTO calls%'");
        if (!row) continue;
        await system.sql(`KILL ${row.id}`).catch(() => {});
        return { body, headers, answer: await sent };
      }
    }
  }

  test('a connection killed in the middle makes all of a batch, once', { alone: true }, async ({ system }) => {
    const customer = await system.customer();
    const { body, headers, answer } = await killedWhileWritten(system, customer);
    assert.equal(answer.status, 201, answer.text || answer.broke);
    const { batch_id: id } = answer.json.data;
    const made = () => system.number(`SELECT COUNT(*) FROM calls WHERE batch_id = ${idSql(id)}`);
    assert.equal(await made(), 10_000);
    const again = await post(customer, body, headers);
    assert.equal(again.json.data.batch_id, id);
    assert.equal(await made(), 10_000);
  });
}

function byTheOperator(test) {
  let files = 0;
  const fileOf = (system, text) => {
    const file = path.join(system.dir, `batch-${++files}.csv`);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  };
  const rows = (n) => Array.from({ length: n }, (_, i) => `+9173${String(10_000_000 + i)},Person ${i}\n`).join('');
  const later = () => ['--scheduled-at', inAnHour()];

  test('a file of 20,005 rows becomes three batches, and no more when it is imported again', { alone: true }, async ({ system }) => {
    const customer = await system.customer();
    const file = fileOf(system, `contact_number,contact_name\n${rows(20_003)}12,x\n13,y\n`);
    const run = (...more) =>
      system.adminRaw('--json', 'batch', 'import', file, '--agent', customer.agent_id, '--name', 'May', ...later(), ...more);
    const first = await run();
    assert.equal(first.code, 65, first.stderr);
    assert.match(first.stderr, /:20005: contact_number must be/);
    const made = JSON.parse(first.stdout).data;
    assert.deepEqual(
      made.map(({ name, total, refused, known }) => [name, total, refused, known]),
      [
        ['May', 10_000, 0, false],
        ['May', 10_000, 0, false],
        ['May', 3, 2, false],
      ],
    );
    const again = JSON.parse((await run()).stdout).data;
    assert.deepEqual(
      again.map(({ batch_id, known }) => [batch_id, known]),
      made.map(({ batch_id }) => [batch_id, true]),
    );
    assert.equal(await count(system, customer), 20_003);
    const listed = await system.admin('batch', 'list', '--workspace', customer.workspace_id);
    assert.deepEqual(
      listed.map(({ batch_id }) => batch_id),
      made.map(({ batch_id }) => batch_id).reverse(),
    );
    const [name] = await system.sql(`SELECT contact_name FROM calls WHERE batch_id = ${idSql(made[2].batch_id)} ORDER BY call_id`);
    assert.equal(name.contact_name, 'Person 20000');
  });

  test('on a terminal an import shows a bar', async ({ system }) => {
    const customer = await system.customer();
    const file = fileOf(system, `contact_number,contact_name\n${rows(50)}rubbish,x\n`);
    const { stdout } = await system.adminOnTerminal(['batch', 'import', file, '--agent', customer.agent_id, ...later()]);
    assert.match(stdout, /\[#{30}\] 100 % {2}51 rows, \d+ rows\/s, 1 refused\r?\n/);
  });

  test('an import that the database broke off is gone on with', { alone: true }, async ({ system }) => {
    const customer = await system.customer();
    const file = fileOf(system, `contact_number,contact_name\n${rows(30_000)}`);
    const run = () => system.adminRaw('--json', 'batch', 'import', file, '--agent', customer.agent_id, ...later());
    const running = run();
    await until('the first batch', async () => (await count(system, customer)) >= 10_000);
    await system.database.kill();
    await system.database.start();
    const first = await running;
    assert.ok([0, 75].includes(first.code), `${first.code}: ${first.stderr}`);
    const second = await run();
    assert.equal(second.code, 0, second.stderr);
    assert.equal(await count(system, customer), 30_000);
    assert.equal(JSON.parse(second.stdout).data.filter(({ known }) => known).length >= 1, true);
  });

  test('a batch is shown, paused, resumed and cancelled', async ({ system }) => {
    const customer = await system.customer();
    const file = fileOf(system, `contact_number\n${freshNumber()}\n`);
    const [{ batch_id }] = await system.admin('batch', 'import', file, '--agent', customer.agent_id, '--test', ...later());
    const states = [];
    for (const what of ['pause', 'resume', 'show', 'cancel', 'show'])
      states.push((await system.admin('batch', what, batch_id)).status);
    assert.deepEqual(states, ['paused', 'running', 'running', 'cancelled', 'cancelled']);
    const { code, stderr } = await system.adminRaw('batch', 'pause', batch_id);
    assert.equal(code, 1);
    assert.match(stderr, /cancelled/);
    const nobodys = await system.adminRaw('batch', 'import', file, '--agent', `agent_${'0'.repeat(25)}4`);
    assert.equal(nobodys.code, 1);
    assert.match(nobodys.stderr, /--agent/);
  });
}

export default suite('batches', { runs: 'faults', system: { settings, dispatcher: true }, width: 4 }, (test) => {
  making(test);
  onceOnly(test);
  watching(test);
  switching(test);
  byTheOperator(test);
});
