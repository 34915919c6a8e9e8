// The key file rotated while everything runs: what was sealed before opens, what is sealed meanwhile
// is found, and a run that was killed is finished by the next.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { assertOk } from '../lib/manage.mjs';
import { Person } from '../lib/person.mjs';
import { finish } from '../lib/program.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = { database_timeout: '1s', poll_interval: '100ms' };

const keyFile = (system) => /^key_file\s*=\s*(.+)$/m.exec(readFileSync(system.env.HV_CONFIG, 'utf8'))[1].trim();
const keyLines = (system) =>
  readFileSync(keyFile(system), 'utf8')
    .split('\n')
    .filter((line) => /^(next )?\d/.test(line))
    .map((line) => line.replace(/ ?[0-9a-f]{64}/, ''));

// As the operator does, to be killed at a named point.
async function killedAt(system, fault, ...args) {
  const line = ['--config', system.env.HV_CONFIG, 'rekey', ...args];
  const result = await finish(system.program('huskyvoice-admin'), line, { env: { HUSKYVOICE_FAULT: fault } });
  assert.equal(result.signal, 'SIGKILL', `${result.code} ${result.stderr}`);
}

// How many secrets are under each key: {id: count}.
async function underKeys(system) {
  const rows = await system.sql(`SELECT k, COUNT(*) AS n FROM (
    SELECT ASCII(secret) AS k FROM destinations UNION ALL SELECT ASCII(previous_secret) FROM destinations
    UNION ALL SELECT ASCII(headers) FROM destinations UNION ALL SELECT ASCII(secret) FROM carriers
    UNION ALL SELECT ASCII(signing_secret) FROM inbound_hooks UNION ALL SELECT ASCII(body) FROM mails
    UNION ALL SELECT ASCII(headers) FROM functions UNION ALL SELECT ASCII(signing_secret) FROM workspaces
    UNION ALL SELECT ASCII(previous_signing_secret) FROM workspaces) s WHERE k > 0 GROUP BY k`);
  return Object.fromEntries(rows.map(({ k, n }) => [k, Number(n)]));
}

export default suite('rekey', { runs: 'faults', system: { settings }, within: 120_000 }, (test) => {
  test('deliveries verify, endpoints are made, sessions and the simulator go on while keys change', async ({ system, receiver }) => {
    const customer = await system.customer({ box: receiver.box(), talks: false });
    const talker = await system.customer({ box: receiver.box() });
    const person = await Person.member(system, customer.workspace_id, 'owner');
    assertOk(await customer.api.send('POST', `/v1/webhooks/${customer.webhook_id}/rotate`, { body: {} }));
    const boxes = [customer.box];
    customer.box.secret = undefined; // two are in force: below, each endpoint made has one
    let over = false;
    const traffic = (async () => {
      while (!over) {
        const box = receiver.box();
        const made = assertOk(
          await person.send('POST', '/v1/webhooks', { url: box.url, headers: { 'X-Mine': 'kept' } }),
          201,
        );
        box.secret = made.secret;
        boxes.push(box);
        if (boxes.length > 30) assertOk(await person.send('DELETE', `/v1/webhooks/${made.webhook_id}`), 200);
        await system.event(customer);
        await system.call(talker);
      }
    })();
    const first = await system.admin('rekey');
    assert.equal(first.newest_key, 2);
    assert.equal(first.added_key, 2);
    assert.ok(first.resealed >= 3, JSON.stringify(first));
    const second = await system.admin('rekey', '--drop-old');
    assert.equal(second.dropped_keys, 1);
    assert.deepEqual(keyLines(system), ['2']);
    const before = boxes.length;
    await until('more endpoints after the old key went', () => boxes.length > before + 2);
    over = true;
    await traffic;
    await system.settled(customer.workspace_id, { within: 60_000 });
    await system.settled(talker.workspace_id, { within: 60_000 });
    assert.deepEqual(Object.keys(await underKeys(system)), ['2']);
    let verified = 0;
    for (const box of [...boxes.slice(1), talker.box].filter(({ arrivals }) => arrivals.length > 0)) {
      verified += box.arrivals.length; // an endpoint that was deleted at once may have got none
      box.assertSigned();
    }
    assert.ok(verified > boxes.length, `${verified} deliveries`);
    for (const arrival of boxes[1].arrivals) assert.equal(arrival.headers['x-mine'], 'kept');
    assert.equal(
      await system.number(`SELECT COUNT(*) AS n FROM deliveries WHERE state = 'failed'`),
      0,
    );
    assert.equal(await system.number(`SELECT COUNT(*) AS n FROM calls WHERE status = 'failed'`), 0);
    assertOk(await person.send('PATCH', '/v1/workspace', { name: 'still signed in' }));
  });

  test('a run that is killed leaves everything readable, and the next one finishes it', async ({ system, receiver }) => {
    const box = receiver.box();
    const customer = await system.customer({ box, talks: false });
    const newest = Math.max(...Object.keys(await underKeys(system)).map(Number));
    await killedAt(system, 'rekey_added');
    assert.deepEqual(keyLines(system), [String(newest), String(newest + 1)]);
    await killedAt(system, 'rekey_batch');
    const between = await underKeys(system);
    assert.ok(between[newest] > 0 && between[newest + 1] > 0, JSON.stringify(between));
    await system.event(customer);
    await until('the delivery', () => box.arrivals.length > 0);
    box.assertSigned();
    const refused = await system.adminRaw('rekey', '--drop-old');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /secrets are sealed under key \d+: rekey first/);
    const finished = await system.admin('rekey');
    assert.equal(finished.added_key, 0);
    assert.ok(finished.resealed > 0);
    assert.deepEqual(Object.keys(await underKeys(system)), [String(newest + 1)]);
    assert.equal((await system.admin('rekey', '--drop-old')).dropped_keys, 1);
  });

  test('a next key goes to every host first', async ({ system, receiver }) => {
    const file = keyFile(system);
    const mode = statSync(file).mode;
    const { added_key } = await system.admin('rekey', '--next');
    assert.deepEqual(keyLines(system).at(-1), `next ${added_key}`);
    // A host that has it opens what is sealed under it, and does not seal under it yet.
    const other = path.join(system.dir, 'other-keys');
    copyFileSync(file, other);
    const config = system.config({ key_file: other });
    const made = await system.admin('rekey');
    assert.equal(made.newest_key, added_key);
    assert.deepEqual(keyLines(system).at(-1), `${added_key}`);
    assert.equal(statSync(file).mode, mode);
    const box = receiver.box();
    const customer = await system.customer({ box, talks: false });
    await system.stopDispatcher();
    await system.event(customer);
    const { uid, gid } = system.owner;
    writeFileSync(other, readFileSync(other), { mode: 0o640 });
    await finish('chown', [`${uid}:${gid}`, other]);
    await system.once({ config });
    assert.equal(box.arrivals.length, 1);
    box.assertSigned();
  });

  test('secrets under a key that the file lacks stop it, and two runs at once', async ({ system, receiver }) => {
    await system.customer({ box: receiver.box(), talks: false });
    const file = keyFile(system);
    const text = readFileSync(file, 'utf8');
    const newest = keyLines(system).at(-1);
    const other = path.join(system.dir, 'lacking-keys');
    writeFileSync(other, text.replace(new RegExp(`^${newest} `, 'm'), `${Number(newest) + 100} `), { mode: 0o600 });
    const config = system.config({ key_file: other });
    const refused = await system.adminWith(config, 'rekey');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`secrets are sealed under key ${newest}, which the key file lacks`));
    assert.match(readFileSync(other, 'utf8'), new RegExp(`^${Number(newest) + 100} `, 'm'));
    const both = await Promise.all([system.adminRaw('rekey'), system.adminRaw('rekey')]);
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1]);
    assert.match(both.map(({ stderr }) => stderr).join(''), /another program is changing a key file/);
  });
});
