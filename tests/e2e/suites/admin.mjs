// huskyvoice-admin: tables for people, {"data"} for scripts, secrets shown once, clear refusals.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCgi } from '../lib/cgi.mjs';
import { assertError, TIME } from '../lib/expect.mjs';
import { send } from '../lib/http.mjs';
import { suite } from '../lib/suite.mjs';
import { freshNumber } from '../lib/system.mjs';
import { inParallel, until } from '../lib/wait.mjs';

const MIGRATIONS = fileURLToPath(new URL('../../../sql/migrations', import.meta.url));

async function refused(system, args, says, config = system.env.HV_CONFIG) {
  const result = await system.adminWith(config, ...args);
  assert.ok(
    result.code > 0,
    `${args.join(' ')} ended with ${result.code ?? result.signal}: ${result.stdout}`,
  );
  assert.notEqual(result.stderr.trim(), '', `${args.join(' ')} said nothing`);
  if (says) assert.match(result.stderr, says);
  return result;
}

function forScripts(test) {
  test('every create names its id, and shows its secret once', async ({ system }) => {
    const { workspace_id } = await system.admin('workspace', 'create', '--name', 'Acme');
    const made = {
      agent: await system.admin('agent', 'create', '--workspace', workspace_id, '--name', 'Asha'),
      key: await system.admin('key', 'create', '--workspace', workspace_id),
      test: await system.admin('key', 'create', '--workspace', workspace_id, '--test'),
      webhook: await system.admin(
        'webhook',
        'create',
        '--workspace',
        workspace_id,
        '--url',
        'https://example.com/hook',
        '--events',
        'call.failed',
      ),
      limited: await system.admin('key', 'create', '--workspace', workspace_id, '--scopes', 'calls'),
      carrier: await system.admin(
        'carrier',
        'create',
        '--workspace',
        workspace_id,
        '--kind',
        'http',
        '--url',
        'https://example.com/dial',
      ),
    };
    assert.match(workspace_id, /^ws_[0-9a-z]{26}$/);
    assert.match(made.agent.agent_id, /^agent_[0-9a-z]{26}$/);
    assert.match(made.key.key_id, /^key_[0-9a-z]{26}$/);
    assert.match(made.key.key, /^sk_live_\S{22,}$/);
    assert.match(made.test.key, /^sk_test_\S{22,}$/);
    assert.deepEqual([made.key.scopes, made.limited.scopes], [['calls', 'manage'], ['calls']]);
    assert.deepEqual(made.webhook.events, ['call.failed']);
    assert.match(made.webhook.webhook_id, /^we_[0-9a-z]{26}$/);
    assert.match(made.carrier.carrier_id, /^car_[0-9a-z]{26}$/);
    for (const { secret } of [made.webhook, made.carrier]) {
      assert.match(secret, /^whsec_[A-Za-z0-9+/]+=*$/);
      assert.ok(Buffer.from(secret.slice(6), 'base64').length >= 24);
    }
    const shown = JSON.stringify(
      await Promise.all(
        ['agent', 'key', 'webhook', 'carrier'].map((noun) =>
          system.admin(noun, 'list', '--workspace', workspace_id),
        ),
      ),
    );
    for (const secret of [made.key.key, made.test.key, made.webhook.secret, made.carrier.secret])
      assert.ok(!shown.includes(secret), 'a list shows a secret');
  });

  test('every list is {"data": [...]} of objects that name their id', async ({ system }) => {
    const customer = await system.customer({
      box: { url: 'https://example.com/' },
      carrier: { url: 'https://example.com/dial', behave() {} },
    });
    const callId = await system.call(customer, {
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const lists = {
      workspace: 'workspace_id',
      agent: 'agent_id',
      key: 'key_id',
      webhook: 'webhook_id',
      carrier: 'carrier_id',
      call: 'call_id',
    };
    for (const [noun, id] of Object.entries(lists)) {
      const args = noun === 'workspace' ? [] : ['--workspace', customer.workspace_id];
      const rows = await system.admin(noun, 'list', ...args);
      assert.ok(Array.isArray(rows) && rows.length >= 1, noun);
      const wanted = noun === 'call' ? callId : customer[id];
      assert.ok(
        rows.some((row) => row[id] === wanted),
        `${noun} list has no ${wanted}: ${JSON.stringify(rows)}`,
      );
    }
    assert.equal((await system.admin('call', 'show', callId)).call_id, callId);
  });

  test('a call is shown with what became of it', async ({ system }) => {
    const customer = await system.customer();
    const callId = await system.call(customer, { contact_number: '+919000000002' });
    await system.over(customer, callId);
    const shown = await system.admin('call', 'show', callId);
    assert.deepEqual([shown.status, shown.error?.code ?? shown.error_code], ['failed', 'busy']);
    assert.match(shown.created_at, TIME);
  });
}

function forPeople(test) {
  test('lists are tables with a head line, one line per row', async ({ system }) => {
    const customer = await system.customer();
    const { code, stdout } = await system.adminRaw('agent', 'list', '--workspace', customer.workspace_id);
    assert.equal(code, 0);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2, stdout);
    assert.ok(lines[1].includes(customer.agent_id));
    assert.ok(!lines[0].includes(customer.agent_id));
    assert.throws(() => JSON.parse(stdout));
  });

  test('control characters and odd names do not break a table', async ({ system }) => {
    const { workspace_id } = await system.customer();
    for (const name of ['राज', 'a very long name '.repeat(10), "O'Brien; DROP TABLE agents"])
      await system.admin('agent', 'create', '--workspace', workspace_id, '--name', name);
    const { stdout } = await system.adminRaw('agent', 'list', '--workspace', workspace_id);
    assert.equal(stdout.trimEnd().split('\n').length, 5, stdout);
    assert.ok(stdout.includes('राज'));
  });

  test('--help and --version answer on stdout and end with 0', async ({ system }) => {
    for (const option of ['--help', '--version']) {
      const { code, stdout } = await system.adminRaw(option);
      assert.equal(code, 0);
      assert.match(stdout, /huskyvoice-admin/);
    }
  });
}

function refusals(test) {
  test('wrong nouns, verbs, options and values are refused with a word on stderr', async ({ system }) => {
    const { workspace_id } = await system.customer();
    const cases = [
      [[], undefined],
      [['rubbish']],
      [['agent', 'rubbish']],
      [['agent', 'create']],
      [['agent', 'create', '--workspace', workspace_id]],
      [['agent', 'create', '--workspace', workspace_id, '--name']],
      [['agent', 'create', '--workspace', workspace_id, '--name', 'x', '--no-such-option']],
      [['agent', 'create', '--workspace', 'ws_rubbish', '--name', 'x']],
      [['agent', 'create', '--workspace', workspace_id, '--name', 'x', '--ring-timeout', 'soon']],
      [
        [
          'agent',
          'create',
          '--workspace',
          workspace_id,
          '--name',
          'x',
          '--carrier',
          'car_00000000000000000000000000',
        ],
      ],
      [['agent', 'list', '--workspace', 'x']],
      [['key', 'create', '--workspace', workspace_id, '--scopes', 'everything'], /everything|scope/],
      [['key', 'revoke', 'key_00000000000000000000000000']],
      [['key', 'revoke']],
      [
        [
          'webhook',
          'create',
          '--workspace',
          workspace_id,
          '--url',
          'https://example.com/',
          '--events',
          'call.exploded',
        ],
        /call\.exploded/,
      ],
      [['webhook', 'rotate-secret', 'we_00000000000000000000000000']],
      [['webhook', 'create', '--workspace', workspace_id]],
      [
        [
          'carrier',
          'create',
          '--workspace',
          workspace_id,
          '--kind',
          'pigeon',
          '--url',
          'https://example.com/',
        ],
      ],
      [['call', 'show', 'x']],
      [['call', 'show', '01890000-0000-7000-8000-000000000000']],
      [['workspace', 'suspend', 'ws_00000000000000000000000000']],
    ];
    for (const [args, says] of cases) await refused(system, args, says);
    const before = await system.admin('agent', 'list', '--workspace', workspace_id);
    assert.equal(before.length, 1, 'nothing was made by a refused command');
  });

  test("another workspace's carrier can't be given to an agent", async ({ system }) => {
    const [one, two] = [
      await system.customer({ carrier: { url: 'https://example.com/', behave() {} } }),
      await system.customer(),
    ];
    await refused(system, [
      'agent',
      'create',
      '--workspace',
      two.workspace_id,
      '--name',
      'x',
      '--carrier',
      one.carrier_id,
    ]);
  });

  test('a configuration that is missing, unreadable or wrong is refused by name', async ({ system }) => {
    await refused(system, ['workspace', 'list'], /no-such-file/, path.join(system.dir, 'no-such-file'));
    await refused(system, ['workspace', 'list'], /no_such_setting/, system.config({ no_such_setting: '1' }));
    await refused(
      system,
      ['workspace', 'list'],
      /./,
      system.config({ database_hosts: `unix:${system.dir}/none.sock`, database_timeout: '300ms' }),
    );
  });
}

function effects(test) {
  test('a disabled agent, a suspended workspace and a revoked key are so at once, and can be undone where that makes sense', async ({
    system,
  }) => {
    const customer = await system.customer();
    const make = async () =>
      (
        await customer.api.create({
          agent_id: customer.agent_id,
          contact_number: freshNumber(),
          scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
        })
      ).json?.data?.status;
    await system.admin('agent', 'disable', customer.agent_id);
    assert.equal(await make(), 'disallowed');
    await system.admin('agent', 'enable', customer.agent_id);
    assert.equal(await make(), 'scheduled');
    await system.admin('workspace', 'suspend', customer.workspace_id);
    assert.equal(await make(), 'disallowed');
    await system.admin('workspace', 'resume', customer.workspace_id);
    assert.equal(await make(), 'scheduled');
    await system.admin('key', 'revoke', customer.key_id);
    assertError(await customer.api.list(), 401, 'unauthorized');
  });

  test('config show gives every setting, and hides the secret ones', async ({ system }) => {
    const config = system.config({ metrics_token: 'mt_very_secret' });
    const { code, stdout } = await system.adminWith(config, 'config', 'show');
    assert.equal(code, 0);
    assert.match(stdout, /^poll_interval\s*=/m);
    assert.match(stdout, /^metrics_token\s*=/m);
    assert.ok(!stdout.includes('mt_very_secret'));
  });

  test('config check passes the good and names what is wrong', async ({ system }) => {
    assert.equal((await system.adminRaw('config', 'check')).code, 0);
    await refused(system, ['config', 'check'], /hold_max/, system.config({ hold_max: '1ms' }));
  });
}

function schema(test) {
  test('migrate on a migrated database does nothing, also twice at once', async ({ system }) => {
    const results = await inParallel(4, [1, 2, 3, 4], () => system.adminRaw('migrate'));
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    assert.equal(
      await system.number('SELECT COUNT(*) FROM schema_versions'),
      readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql')).length,
    );
  });

  test('a migration that was edited after it was applied is refused by name', async ({ system }) => {
    const folder = path.join(system.dir, 'edited-migrations');
    cpSync(MIGRATIONS, folder, { recursive: true });
    const [first] = readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .sort();
    appendFileSync(path.join(folder, first), '-- edited\n');
    await refused(
      system,
      ['migrate'],
      new RegExp(first.replace(/\.sql$/, '')),
      system.config({ migrations_dir: folder }),
    );
  });

  test(
    'a schema that is newer than the programs is refused by all of them, and says what to do',
    { alone: true },
    async ({ system }) => {
      const columns = (await system.sql('SHOW COLUMNS FROM schema_versions')).map(({ Field }) => Field);
      const rows = columns.map((name) => (name === 'version' ? '9999' : name));
      await system.sql(
        `INSERT INTO schema_versions (${columns}) SELECT ${rows} FROM schema_versions ORDER BY version LIMIT 1`,
      );
      try {
        await refused(system, ['migrate'], /9999/);
        const run = await system.once();
        assert.ok(run.code > 0, `exit ${run.code}`);
        assert.match(run.stderr, /huskyvoice-admin|schema|version/);
      } finally {
        await system.sql('DELETE FROM schema_versions WHERE version = 9999');
      }
      assert.equal((await system.once()).code, 0);
    },
  );

  // What the newest row of schema_versions is made to say.
  for (const [age, version] of Object.entries({ newer: 9999, older: 0 })) {
    test(
      `a schema that is ${age} than the programs makes /healthz and requests 503, and 200 again once it is mended`,
      { alone: true },
      async ({ system }) => {
        const newest = await system.number('SELECT MAX(version) FROM schema_versions');
        const customer = await system.customer();
        await system.sql(`UPDATE schema_versions SET version = ${version} WHERE version = ${newest}`);
        try {
          await system.sql('KILL USER huskyvoice@localhost'); // the schema is looked at with each new connection
          const health = await until('/healthz to say that it is the schema', async () => {
            const answer = await send(`${system.url}/healthz`);
            return answer.json?.database === 'schema' && answer;
          });
          assert.deepEqual([health.status, health.json.status], [503, 'unavailable']);
          const refusal = await until('requests to be refused', async () => {
            const answer = await customer.api.list();
            return answer.status !== 200 && answer;
          });
          assertError(refusal, 503, 'unavailable');
          const voice = await runCgi(system, 'huskyvoice-voice', { path: '/healthz' });
          assert.deepEqual([voice.status, JSON.parse(voice.text).database], [503, 'schema']);
          const log = readFileSync(path.join(system.dir, 'log/api.log'), 'utf8');
          assert.match(log, /route=\/healthz status=503 error=.*schema is version \d+/);
        } finally {
          await system.sql(`UPDATE schema_versions SET version = ${newest} WHERE version = ${version}`);
        }
        const health = await send(`${system.url}/healthz`);
        assert.deepEqual([health.status, health.json], [200, { status: 'ok', database: 'ok' }]);
        assert.equal((await customer.api.list()).status, 200);
      },
    );
  }
}

function doctor(test) {
  test('doctor finds nothing wrong with a system as the quickstart makes it', async ({ system }) => {
    const { code, stdout, stderr } = await system.adminRaw('doctor');
    assert.equal(code, 0, stdout + stderr);
  });

  test('doctor names a key file that others may read, and says how to mend it', async ({ system }) => {
    const { stdout } = await system.adminRaw('config', 'show');
    const keys = /^key_file\s*=\s*(.+)$/m.exec(stdout)[1];
    const copy = path.join(system.dir, 'open-keys');
    copyFileSync(keys, copy);
    chmodSync(copy, 0o644);
    const result = await system.adminWith(system.config({ key_file: copy }), 'doctor');
    assert.ok(result.code > 0);
    assert.match(result.stdout + result.stderr, /open-keys/);
    assert.match(result.stdout + result.stderr, /chmod/);
  });

  test('doctor names a socket of a pool that everybody may write to, and says how to mend it', { alone: true }, async ({ system, defer }) => {
    const { stdout } = await system.adminRaw('config', 'show');
    const socket = path.join(/^runtime_dir\s*=\s*(.+)$/m.exec(stdout)[1], 'voice.sock');
    defer(() => chmodSync(socket, 0o660));
    chmodSync(socket, 0o666);
    const result = await system.adminRaw('doctor');
    assert.ok(result.code > 0);
    assert.match(result.stdout, /FAIL.*voice\.sock.*\n.*chmod 0660/);
  });

  test('doctor names a database that is away, and a key file that is missing', async ({ system }) => {
    const away = await system.adminWith(
      system.config({ database_hosts: `unix:${system.dir}/none.sock`, database_timeout: '300ms' }),
      'doctor',
    );
    assert.ok(away.code > 0);
    assert.match(away.stdout + away.stderr, /none\.sock|database/i);
    const missing = await system.adminWith(
      system.config({ key_file: path.join(system.dir, 'no-keys') }),
      'doctor',
    );
    assert.ok(missing.code > 0);
    assert.match(missing.stdout + missing.stderr, /no-keys/);
  });

  test(
    'doctor names settings of the database that lose acknowledged calls',
    { alone: true },
    async ({ system }) => {
      await system.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
      try {
        const result = await system.adminRaw('doctor');
        assert.match(result.stdout + result.stderr, /innodb_flush_log_at_trx_commit/);
        assert.ok(result.code > 0, 'a warning that ends with 0 is overlooked');
      } finally {
        await system.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
      }
    },
  );

  test(
    'no log of the system has a key, a secret, a token or a whole phone number in it',
    { alone: true },
    async ({ system, carriers, receiver }) => {
      const customer = await system.customer({ carrier: carriers.carrier(), box: receiver.box() });
      const number = freshNumber();
      await system.over(customer, await system.call(customer, { contact_number: number }));
      await system.settled(customer.workspace_id);
      const [{ token }] = await customer.carrier.dials();
      const folders = [
        system.dir,
        ...['log', 'logs', 'run'].map((name) => path.join(system.dir, name)),
      ].filter(existsSync);
      let read = 0;
      for (const folder of folders) {
        for (const file of readdirSync(folder).filter((name) => /\.(log|err)$/.test(name))) {
          const text = readFileSync(path.join(folder, file), 'utf8');
          read++;
          for (const secret of [customer.key, customer.box.secret, number, token])
            assert.ok(!text.includes(secret), `${file} has ${secret.slice(0, 8)}...`);
        }
      }
      assert.ok(read >= 1, 'no log was found');
    },
  );
}

export default suite('admin', { runs: 'faults', weight: 10, width: 3 }, (test) => {
  forScripts(test);
  forPeople(test);
  refusals(test);
  effects(test);
  schema(test);
  doctor(test);
});
