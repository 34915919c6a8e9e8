// Numbers that must not be called: put onto a workspace's list, looked up, listed, taken off, and
// brought as CSV by the operator.
import assert from 'node:assert/strict';
import { writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { idSql } from '../lib/database.mjs';
import { assertError, assertKeysInOrder, inCase, TIME } from '../lib/expect.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel } from '../lib/wait.mjs';

const settings = { recheck_interval: '0ms' };
const LIST = '/v1/suppressed_numbers';
const open = (system) => system.customer({ key: ['--scopes', 'manage'] });
const put = (customer, body) => customer.api.send('POST', LIST, { body });

let files = 0;
function fileOf(system, text) {
  const file = path.join(system.dir, `suppress-${++files}.csv`);
  writeFileSync(file, text, { mode: 0o644 });
  return file;
}

async function imported(system, customer, text, ...more) {
  const file = fileOf(system, text);
  const result = await system.adminRaw('--json', 'suppress', 'import', file, '--workspace', customer.workspace_id, ...more);
  return { ...result, file, data: result.stdout ? JSON.parse(result.stdout).data : null };
}

function overTheApi(test) {
  test('a number is put there once: 201, then 200 with what stands there', async ({ system }) => {
    const customer = await open(system);
    const contact_number = freshNumber();
    const made = await put(customer, { contact_number, source: 'complaint', note: 'ticket 17' });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.location, `${system.url}${LIST}/${encodeURIComponent(contact_number)}`);
    const { data } = made.json;
    assertKeysInOrder(data, ['contact_number', 'source', 'note', 'created_at']);
    assert.match(data.created_at, TIME);
    assert.deepEqual({ ...data, created_at: 0 }, { contact_number, source: 'complaint', note: 'ticket 17', created_at: 0 });
    const again = await put(customer, { contact_number });
    assert.equal(again.status, 200);
    assert.deepEqual(again.json.data, data);
  });

  test('twenty at once make one, and one of them is told so', async ({ system }) => {
    const customer = await open(system);
    const contact_number = freshNumber();
    const answers = await inParallel(20, Array(20).fill({ contact_number }), (body) => put(customer, body));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(19).fill(200), 201]);
  });

  test('it is found and taken off with its + as it is, encoded, and forgotten', async ({ system }) => {
    const customer = await open(system);
    for (const spelled of ['+91', '%2B91', '%2b91', '%2091']) {
      const contact_number = freshNumber();
      await put(customer, { contact_number });
      const at = `${LIST}/${spelled}${contact_number.slice(3)}`;
      await inCase(spelled, async () => {
        const found = await customer.api.send('GET', at);
        assert.equal(found.json?.data?.contact_number, contact_number, found.text);
        const gone = await customer.api.send('DELETE', at);
        assert.deepEqual(gone.json, { data: { contact_number, deleted: true } });
        assertError(await customer.api.send('GET', at), 404, 'not_found', 'not suppressed');
        assertError(await customer.api.send('DELETE', at), 404, 'not_found', 'not suppressed');
      });
    }
  });

  test('what is no number is not found, and the answer says why', async ({ system }) => {
    const customer = await open(system);
    for (const [text, says] of [
      ['919876543210', 'no + in front'],
      ['+1987654321', '+91'],
      ['x', 'not digits'],
    ])
      for (const method of ['GET', 'DELETE'])
        assertError(await customer.api.send(method, `${LIST}/${text}`), 404, 'not_found', says);
  });

  test('a body that is wrong is refused by the name of its field', async ({ system }) => {
    const customer = await open(system);
    const contact_number = freshNumber();
    for (const [body, says] of [
      [{}, 'contact_number'],
      [{ contact_number: '9876543210' }, 'contact_number'],
      [{ contact_number: null }, 'contact_number'],
      [{ contact_number, source: 'rumour' }, 'source'],
      [{ contact_number, note: 'x'.repeat(201) }, 'note'],
      [{ contact_number, note: 'a\nb' }, 'note'],
      [{ contact_number, until: 'ever' }, 'until'],
    ])
      await inCase(JSON.stringify(body), async () => assertError(await put(customer, body), 400, 'invalid_request', says));
    assert.deepEqual((await customer.api.send('GET', LIST)).json, { data: [], next_cursor: null });
  });

  test('the list goes by numbers, page by page, and shows the own workspace alone', async ({ system }) => {
    const [customer, other] = [await open(system), await open(system)];
    const numbers = Array.from({ length: 7 }, freshNumber);
    for (const contact_number of numbers.toReversed()) await put(customer, { contact_number });
    await put(other, { contact_number: freshNumber() });
    const seen = [];
    for (let cursor = ''; cursor !== null; ) {
      const { json } = await customer.api.send('GET', `${LIST}?limit=3&cursor=${cursor}`);
      seen.push(...json.data.map(({ contact_number }) => contact_number));
      cursor = json.next_cursor;
    }
    assert.deepEqual(seen, numbers);
  });

  test('erasing a contact leaves the number on the list', async ({ system }) => {
    const customer = await open(system);
    const contact_number = freshNumber();
    await put(customer, { contact_number, source: 'contact' });
    const owner = await customer.api.send('DELETE', `/v1/contacts/${encodeURIComponent(contact_number)}`);
    assert.equal(owner.status, 200, owner.text);
    assert.equal((await customer.api.send('GET', `${LIST}/${contact_number}`)).status, 200);
  });
}

function byTheOperator(test) {
  test('an import takes the good rows, refuses the others by line, and can be run again', async ({ system }) => {
    const customer = await open(system);
    const [one, two, three] = [freshNumber(), freshNumber(), freshNumber()];
    await put(customer, { contact_number: one, note: 'first' });
    const text = `\ufeffcontact_number,note\r\n${one},later\r\n"${two}","asked ""us"",\r\nby mail"\r\n\r\n12345,\r\n${three},\r\n${three}\r\n`;
    const refused = path.join(system.dir, 'refused.csv');
    writeFileSync(refused, '', { mode: 0o666 });
    const first = await imported(system, customer, text.replace(',\r\nby', ', by'), '--source', 'registry', '--refused', refused);
    assert.equal(first.code, 65, first.stderr);
    assert.deepEqual(first.data, { rows: 5, added: 2, known: 1, refused: 2 });
    const lines = readFileSync(refused, 'utf8').trim().split('\n');
    assert.equal(lines[0], 'line,message');
    assert.match(lines[1], /^5,"contact_number must be a valid \+91/);
    assert.match(lines[2], /^7,"It has 1 field where the header has 2\."/);
    const rows = (await customer.api.send('GET', LIST)).json.data;
    assert.deepEqual(
      rows.map(({ contact_number, source, note }) => [contact_number, source, note]),
      [
        [one, 'manual', 'first'],
        [two, 'registry', 'asked "us", by mail'],
        [three, 'registry', ''],
      ],
    );
    const second = await imported(system, customer, text);
    assert.equal(second.code, 65);
    assert.deepEqual(second.data, { rows: 5, added: 0, known: 2, refused: 3 });
    assert.match(second.stderr, /:3: note must not contain control characters\./);
  });

  test('what was exported is imported elsewhere, and is the same', async ({ system }) => {
    const [customer, other] = [await open(system), await open(system)];
    await put(customer, { contact_number: freshNumber(), source: 'contact', note: 'a, "b"' });
    await put(customer, { contact_number: freshNumber(), source: 'complaint' });
    const { stdout } = await system.adminRaw('suppress', 'export', '--workspace', customer.workspace_id);
    const copy = await imported(system, other, stdout);
    assert.equal(copy.code, 0, copy.stderr);
    assert.deepEqual(copy.data, { rows: 2, added: 2, known: 0, refused: 0 });
    const content = async (one) =>
      (await one.api.send('GET', LIST)).json.data.map((row) => ({ ...row, created_at: null }));
    assert.deepEqual(await content(other), await content(customer));
  });

  test('many refusals are cut short, and a file that is none is told', async ({ system }) => {
    const customer = await open(system);
    const many = await imported(system, customer, `contact_number\n${'1\n'.repeat(50)}`);
    assert.equal(many.code, 65);
    assert.equal(many.stderr.match(/:\d+: contact_number/g).length, 20);
    assert.match(many.stderr, /30 more rows were refused; --refused FILE keeps them all/);
    for (const [text, says] of [
      ['', 'There is no header row'],
      ['number\n1\n', 'There is no such column as "number"'],
      ['note\nx\n', 'no column contact_number'],
    ]) {
      const { code, stderr } = await imported(system, customer, text);
      assert.equal(code, 65);
      assert.ok(stderr.includes(says), stderr);
    }
    const missing = await system.adminRaw('suppress', 'import', '/no/such/file', '--workspace', customer.workspace_id);
    assert.equal(missing.code, 65);
    assert.match(missing.stderr, /\/no\/such\/file: No such file/);
  });

  test('an import of 20,000 rows is whole', async ({ system }) => {
    const customer = await open(system);
    const numbers = Array.from({ length: 20_000 }, (_, i) => `+9170${String(10_000_000 + i)}`);
    const { code, data } = await imported(system, customer, `contact_number\n${numbers.toReversed().join('\n')}`);
    assert.equal(code, 0);
    assert.deepEqual(data, { rows: 20_000, added: 20_000, known: 0, refused: 0 });
    const stored = await system.number(
      `SELECT COUNT(*) FROM suppressed_numbers WHERE workspace_id = ${idSql(customer.workspace_id)}`,
    );
    assert.equal(stored, 20_000);
  });

  test('on a terminal an import and an export show how far they are', async ({ system }) => {
    const customer = await open(system);
    const file = path.join(system.dir, 'on_terminal.csv');
    const at = ['--workspace', customer.workspace_id];
    const numbers = Array.from({ length: 3000 }, (_, i) => `+9171${String(10_000_000 + i)}`);
    writeFileSync(file, `contact_number\n${numbers.join('\n')}\nrubbish\n`);
    const shown = await system.adminOnTerminal(['suppress', 'import', file, ...at]);
    assert.match(shown.stdout, /\[#{30}\] 100 % {2}3001 rows, \d+ rows\/s, 1 refused\r?\n/);
    const out = path.join(system.dir, 'exported.csv');
    const exported = await system.adminOnTerminal(['suppress', 'export', ...at], { into: out });
    assert.match(exported.stdout, /3000 rows, \d+ rows\/s\r?\n/);
    assert.equal(readFileSync(out, 'utf8').split('\r\n').length, 3002, 'the file has rows alone');
    const seen = await system.adminOnTerminal(['suppress', 'export', ...at]);
    assert.doesNotMatch(seen.stdout, /rows\/s/, 'where the rows are seen there is no such line');
    assert.equal(exported.code + seen.code, 0);
  });

  test('one number is added, listed and removed', async ({ system }) => {
    const customer = await open(system);
    const number = freshNumber();
    const at = ['--workspace', customer.workspace_id];
    const added = await system.admin('suppress', 'add', number, ...at, '--source', 'contact', '--note', 'by letter');
    assert.equal(added.contact_number, number);
    const [row] = await system.admin('suppress', 'list', ...at);
    assert.deepEqual(row, added);
    assert.deepEqual(await system.admin('suppress', 'list', ...at, '--after', number), []);
    await system.admin('suppress', 'remove', number, ...at);
    const { code, stderr } = await system.adminRaw('suppress', 'remove', number, ...at);
    assert.equal(code, 1);
    assert.match(stderr, /not suppressed/);
  });
}

export default suite('suppressed_numbers', { runs: 'faults', system: { settings, dispatcher: false }, width: 4 }, (test) => {
  overTheApi(test);
  byTheOperator(test);
});
