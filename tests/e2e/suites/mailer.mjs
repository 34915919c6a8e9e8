// Mail that sendmail does not take: tried again, given up, ended when it hangs; and dispatchers that
// die while one is sent.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { assertOk } from '../lib/manage.mjs';
import { idSql } from '../lib/database.mjs';
import { send } from '../lib/http.mjs';
import { Person } from '../lib/person.mjs';
import { answers } from '../lib/receiver.mjs';
import { suite } from '../lib/suite.mjs';
import { alive } from '../lib/program.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  poll_interval: '50ms',
  mail_timeout: '1500ms',
  mail_retry_schedule: '100ms, 300ms',
  lease_grace: '300ms',
  housekeeping_interval: '100ms',
  held_told_after: '300ms',
  hold_after_failures: '2',
  hold_first: '100ms',
  retry_schedule: '0s, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms',
  retry_jitter_percent: '0',
};

let programs = 0;

// A sendmail that does what `script` says with each mail, and notes that it was started: {config,
// starts(): how often, took(): the mails}.
function sendmail(system, script) {
  const dir = path.join(system.dir, `sendmail-${++programs}`);
  mkdirSync(dir);
  chmodSync(dir, 0o777); // whoever the servers run as
  const program = path.join(dir, 'sendmail');
  writeFileSync(program, `#!/bin/sh\nread -r first\necho $$ >>${dir}/starts\ncd ${dir}\nnth=$(grep -c . starts)\n${script}\n`);
  chmodSync(program, 0o755);
  const lines = (file) => {
    try {
      return readFileSync(path.join(dir, file), 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  };
  return {
    config: system.config({ sendmail_path: program }),
    starts: () => lines('starts'),
    took: () => lines('took'),
  };
}

// One mail that waits: an invitation.
async function invite(system) {
  const { workspace_id } = await system.admin('workspace', 'create', '--name', 'one');
  const owner = await Person.member(system, workspace_id, 'owner');
  await system.sql('DELETE FROM mails');
  assertOk(await owner.send('POST', '/v1/members', { email: 'new@example.com', role: 'viewer' }), 201);
  assert.equal(await mails(system), 1);
}

const mails = (system) => system.number('SELECT COUNT(*) AS n FROM mails');

async function stop(dispatcher) {
  dispatcher.signal('SIGTERM');
  const { code, stderr } = await dispatcher.ended();
  assert.equal(code, 0, stderr);
  return stderr;
}

export default suite('mailer', { runs: 'faults', system: { settings, dispatcher: false } }, (test) => {
  test('a mail that is not taken is tried again, and sent once when it is', async ({ system }) => {
    const program = sendmail(system, '[ "$nth" -ge 3 ] || exit 75\necho taken >>took');
    await invite(system);
    const started = performance.now();
    const dispatcher = system.dispatcher({ config: program.config });
    await until('the mail to be taken', async () => (await mails(system)) === 0);
    assert.ok(performance.now() - started >= 400, 'the waits of the schedule');
    const log = await stop(dispatcher);
    assert.equal(program.starts().length, 3);
    assert.equal(program.took().length, 1);
    assert.equal(log.match(/mail not taken.*sendmail ended with status 75/g)?.length, 2, log);
    assert.ok(!log.includes('new@example.com'));
  });

  test('after the last wait it is given up', async ({ system }) => {
    const program = sendmail(system, 'exit 1');
    await invite(system);
    const dispatcher = system.dispatcher({ config: program.config });
    await until('the mail to be given up', async () => (await mails(system)) === 0);
    const log = await stop(dispatcher);
    assert.equal(program.starts().length, 3);
    assert.match(log, /mail given up.*attempt=3 .*status 1/);
  });

  test('a program that hangs is ended with all that it started, and the mail tried again', async ({ system }) => {
    const program = sendmail(system, '[ "$nth" -ge 2 ] && { echo taken >>took; exit 0; }\nsleep 1000 & echo $! >>starts; wait');
    await invite(system);
    const dispatcher = system.dispatcher({ config: program.config });
    await until('the mail to be taken', async () => (await mails(system)) === 0, { within: 20_000 });
    const log = await stop(dispatcher);
    assert.match(log, /mail not taken.*it took longer than mail_timeout/);
    const [first, child] = program.starts().map(Number);
    await until('all of it to be gone', () => !alive(first) && !alive(child));
    assert.equal(program.took().length, 1);
  });

  test('a dispatcher that is killed while it sends leaves the mail to the next', async ({ system }) => {
    const program = sendmail(system, '[ "$nth" -ge 2 ] && { echo taken >>took; exit 0; }\nexec sleep 1000');
    await invite(system);
    const dispatcher = system.dispatcher({ config: program.config });
    await until('the first try', () => program.starts().length === 1);
    await dispatcher.kill('SIGKILL');
    process.kill(Number(program.starts()[0]), 'SIGKILL');
    assert.equal(await mails(system), 1);
    const next = system.dispatcher({ config: program.config });
    await until('the mail to be taken', async () => (await mails(system)) === 0, { within: 20_000 });
    await stop(next);
    assert.equal(program.took().length, 1);
  });

  test('one that is told to stop while it sends ends the program, and the mail stays', async ({ system }) => {
    const program = sendmail(system, '[ "$nth" -ge 2 ] && { echo taken >>took; exit 0; }\nexec sleep 1000');
    await invite(system);
    const dispatcher = system.dispatcher({ config: program.config });
    await until('the first try', () => program.starts().length === 1);
    await stop(dispatcher);
    await until('the program to be gone', () => !alive(Number(program.starts()[0])));
    assert.equal(await mails(system), 1);
    await system.once({ config: program.config });
    await until('the mail to be taken', async () => {
      if ((await mails(system)) === 0) return true;
      await system.once({ config: program.config });
      return false;
    });
    assert.equal(program.took().length, 1);
  });

  test('owners are told once of an endpoint that is held, and of one that is disabled', async ({ system, receiver }) => {
    const program = sendmail(system, 'cat >>took');
    const customer = await system.customer({ box: receiver.box({ answer: answers.status(500) }), talks: false });
    const gone = receiver.box({ answer: answers.status(410) });
    await system.endpoint(customer.workspace_id, gone);
    const owner = await Person.member(system, customer.workspace_id, 'owner');
    const viewer = await Person.member(system, customer.workspace_id, 'viewer');
    await system.sql('DELETE FROM mails');
    const dispatcher = system.dispatcher({ config: program.config });
    await system.events(customer, 3);
    const subjects = () => program.took().filter((line) => line.startsWith('Subject: '));
    await until('both mails', () => subjects().length >= 2, { within: 20_000, seen: () => program.took().slice(-20) });
    await stop(dispatcher);
    assert.equal(subjects().length, 2, subjects().join());
    const text = program.took().join('\n');
    assert.ok(text.includes(`<${owner.email}>`) && !text.includes(viewer.email));
    const rows = await system.sql(`SELECT SUM(told_held_at IS NOT NULL) AS held, SUM(told_disabled_at IS NOT NULL) AS disabled
      FROM destinations WHERE workspace_id = ${idSql(customer.workspace_id)}`);
    assert.deepEqual(rows, [{ held: '1', disabled: '1' }]);
  });

  // What a request for a new password writes where there is no account (the same as where there is).
  test('a mail to nobody is dropped, and no program started for it', async ({ system }) => {
    const program = sendmail(system, 'echo taken >>took');
    await system.sql('DELETE FROM mails');
    const { status } = await send(`${system.url}/v1/session/forgot`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'nobody-at-all@example.com' }),
    });
    assert.equal(status, 202);
    assert.deepEqual(await system.sql('SELECT recipient FROM mails'), [{ recipient: '' }]);
    assert.equal(await system.number('SELECT COUNT(*) AS n FROM user_tokens'), 1);
    const { stderr } = await system.once({ config: program.config });
    assert.equal(await mails(system), 0);
    assert.equal(program.starts().length, 0);
    assert.ok(!/mail (not taken|given up)/.test(stderr), stderr);
  });

  test('a mail that no key opens is given up and said so', async ({ system }) => {
    const program = sendmail(system, 'echo taken >>took');
    await invite(system);
    await system.sql('UPDATE mails SET body = CONCAT(CHAR(200), SUBSTR(body, 2))');
    const { stderr } = await system.once({ config: program.config });
    assert.match(stderr, /mail given up.*the key file lacks the key/);
    assert.equal(program.starts().length, 0);
    assert.equal(await mails(system), 0);
  });
});
