// The first command that a stranger types: what it shows, what it keeps, how it ends, and that a
// failure says what is wrong and leaves nothing behind.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Api } from '../lib/http.mjs';
import { alive, finish } from '../lib/program.mjs';
import { suite } from '../lib/suite.mjs';
import { freePort, QUICKSTART, readEnvironment } from '../lib/system.mjs';

const FAST = ['--set', 'simulator_ring=50ms', '--set', 'simulator_talk=50ms'];

function quickstart(args, options) {
  return finish('sh', [QUICKSTART, ...args], { within: 120_000, ...options });
}

// A folder and a port of the test's own; whatever was started there is ended.
async function place({ root, programs, defer }, name) {
  const dir = path.join(root, `qs-${name}`);
  const port = await freePort();
  defer(async () => {
    if (existsSync(dir)) await quickstart(['--stop', '--dir', dir]);
  });
  return { dir, port, args: ['--dir', dir, '--port', String(port), '--programs', programs, ...FAST] };
}

// What runs by the pid files of the folder.
function running(dir) {
  const folder = path.join(dir, 'run');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.pid'));
  return files.filter((file) => alive(Number(readFileSync(path.join(folder, file), 'utf8'))));
}

function apiOf(dir) {
  const env = readEnvironment(path.join(dir, 'quickstart.env'));
  return { env, api: new Api(env.HV_URL, env.HV_API_KEY) };
}

async function fails(args, says, options) {
  const result = await quickstart(args, options);
  assert.ok(result.code > 0, `it ended with ${result.code}: ${result.stdout}`);
  assert.match(result.stderr, says);
  return result;
}

export default suite('quickstart', { runs: 'faults', weight: 20, system: null }, (test) => {
  test('a call goes through and its verified events are shown; a second run keeps the data', async (context) => {
    const { dir, args } = await place(context, 'twice');
    const first = await quickstart(args);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    assert.match(first.stdout, /\b201\b.*"status":"scheduled"/);
    assert.match(first.stdout, /call\.initiated .*signature=ok/);
    assert.match(first.stdout, /call\.completed .*signature=ok/);
    assert.match(first.stdout, /--stop --dir /);
    const { env, api } = apiOf(dir);
    for (const name of [
      'HV_URL',
      'HV_API_KEY',
      'HV_TEST_KEY',
      'HV_AGENT_ID',
      'HV_CONFIG',
      'HV_BIN',
      'HV_DB_SOCKET',
      'HV_DB_NAME',
      'HV_WEBHOOK_SECRET',
      'HV_EMAIL',
      'HV_PASSWORD',
    ]) {
      assert.ok(env[name], `${name} is missing`);
    }
    const before = (await api.list()).json.data;
    assert.equal(before.length, 1);
    const second = await quickstart([...args, '--no-demo']);
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(apiOf(dir).env, env, 'keys and ids are kept');
    assert.deepEqual((await api.list()).json.data, before);
  });

  test('--stop ends all of it, a start after it has the data, also behind another web server', async (context) => {
    const { dir, args } = await place(context, 'stop');
    assert.equal((await quickstart([...args, '--server', 'lighttpd'])).code, 0);
    const { env, api } = apiOf(dir);
    const before = (await api.list()).json.data;
    assert.ok(running(dir).length >= 5);
    assert.equal((await quickstart(['--stop', '--dir', dir])).code, 0);
    assert.deepEqual(running(dir), []);
    assert.equal((await api.list()).status, 0, 'nobody listens any more');
    assert.equal((await quickstart([...args, '--no-demo', '--server', 'nginx'])).code, 0);
    assert.deepEqual(apiOf(dir).env.HV_API_KEY, env.HV_API_KEY);
    assert.deepEqual((await api.list()).json.data, before);
  });

  test('a port in use is named, and nothing is left running', async (context) => {
    const { dir, port, args } = await place(context, 'port');
    const other = http.createServer();
    await new Promise((done) => other.listen(port, '127.0.0.1', done));
    context.defer(() => other.close());
    await fails([...args, '--no-demo'], new RegExp(`${port}.*--port`));
    assert.deepEqual(running(dir), []);
    assert.equal(other.listening, true);
  });

  test('a disk that is full is named, and nothing is left running', async (context) => {
    const { dir, args } = await place(context, 'full');
    // a df that knows of one megabyte
    const bin = path.join(context.root, 'full-disk');
    mkdirSync(bin);
    const said = 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 9 9 1024 99%% /\\n';
    writeFileSync(path.join(bin, 'df'), `#!/bin/sh\nprintf '${said}'\n`, { mode: 0o755 });
    await fails([...args, '--no-demo'], /disk.*full.*--dir/, { env: { PATH: `${bin}:${process.env.PATH}` } });
    assert.deepEqual(running(dir), []);
  });

  test('a disk that gets full while the database is made is named, and nothing waits for room', async (context) => {
    const { dir, args } = await place(context, 'filling');
    // MariaDB says this and then waits for as long as it takes.
    const bin = path.join(context.root, 'filling-disk');
    mkdirSync(bin);
    writeFileSync(
      path.join(bin, 'mariadb-install-db'),
      `#!/bin/sh
echo "mariadbd: Disk is full writing './mysql/help_relation.MAD'. Waiting for someone to free space..."
sleep 1000 &
echo $! >"${bin}/waiting"
wait`,
      { mode: 0o755 },
    );
    await fails([...args, '--no-demo'], /database cannot be made[^]*Disk is full/, {
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
    assert.ok(!alive(Number(readFileSync(path.join(bin, 'waiting'), 'utf8'))));
    assert.deepEqual(running(dir), []);
    assert.ok(!existsSync(path.join(dir, 'data')) && !existsSync(path.join(dir, 'data.new')));
    assert.equal((await quickstart([...args, '--no-demo'])).code, 0, 'the next try works');
  });

  test('what is missing is said to an ordinary user without sudo, with the line that installs it', async (context) => {
    const { dir, args } = await place(context, 'missing');
    const bin = path.join(context.root, 'without-multiwatch');
    mkdirSync(bin);
    for (const name of readdirSync('/usr/bin'))
      if (!['multiwatch', 'sudo', 'id'].includes(name)) symlinkSync(`/usr/bin/${name}`, path.join(bin, name));
    writeFileSync(path.join(bin, 'id'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
    await fails([...args, '--no-demo'], /sudo apt-get install .*\bmultiwatch$/m, { env: { PATH: bin } });
    assert.ok(!existsSync(dir));
  });

  test('programs that are not there, or a setting that is wrong, end it with a word and nothing running', async (context) => {
    const { dir, args } = await place(context, 'wrong');
    await fails([...args, '--no-demo', '--programs', '/nowhere'], /nowhere|--programs/);
    assert.deepEqual(running(dir), []);
    await fails([...args, '--no-demo', '--set', 'no_such_setting=1'], /no_such_setting/);
    assert.deepEqual(running(dir), []);
    assert.equal((await quickstart([...args, '--no-demo'])).code, 0, 'the next try works');
  });

  test('wrong options are refused by name', async () => {
    for (const args of [['--port', 'x'], ['--port'], ['--server', 'iis'], ['--rubbish'], ['--set', 'x']]) {
      await fails(args, new RegExp(args[0]));
    }
    assert.equal((await quickstart(['--help'])).code, 0);
  });
});
