// Where deliveries and dials may go: public addresses and what the operator allows, checked when a
// URL is saved and again on the address that is really dialled. Each test runs a dispatcher of its
// own with the settings it is about.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { deadNames } from '../lib/dead_names.mjs';
import { answers } from '../lib/receiver.mjs';
import { INSIDE_URLS } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';
import { until } from '../lib/wait.mjs';

const settings = {
  retry_schedule: '0s, 100ms',
  retry_jitter_percent: '0',
  poll_interval: '100ms',
  lease_grace: '500ms',
  place_retry_schedule: '50ms',
  hold_after_failures: '1000',
};

const log = async (system, callId) => (await system.log(callId)).map(({ status, error }) => error ?? status);

// One event for an endpoint at this URL, and runs of the dispatcher until it is settled.
async function deliverTo({ system }, url, { changes, box = { url } }) {
  const customer = await system.customer({ box, webhook: ['--timeout', '2'], talks: false });
  const callId = await system.event(customer);
  await until(
    'the delivery to be settled',
    async () => {
      const run = await system.once({ settings: changes });
      assert.equal(run.code, 0, run.stderr);
      return (await system.delivery(callId)).state !== 'waiting';
    },
    { every: 100 },
  );
  return { customer, callId, delivery: await system.delivery(callId), log: await log(system, callId) };
}

let hostsFiles = 0;

function hostsFile(system, lines) {
  const file = path.join(system.dir, `hosts-${++hostsFiles}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function saving(test) {
  test('a URL that leads inside, or is no plain http(s) URL, is refused when it is saved', async ({
    system,
  }) => {
    const { workspace_id } = await system.customer();
    for (const url of INSIDE_URLS) {
      const result = await system.adminRaw(
        '--json',
        'webhook',
        'create',
        '--workspace',
        workspace_id,
        '--url',
        url,
      );
      assert.notEqual(result.code, 0, `${url} was taken: ${result.stdout}`);
      assert.notEqual(result.stderr + result.stdout, '', `${url} was refused without a word`);
    }
    assert.deepEqual(await system.admin('webhook', 'list', '--workspace', workspace_id), []);
  });

  test('public https URLs are saved', async ({ system }) => {
    const { workspace_id } = await system.customer();
    for (const url of [
      'https://example.com/hook?a=b',
      'https://8.8.8.8/hook',
      'https://[2606:4700::1111]:8443/',
      'https://xn--e1afmkfd.example/',
    ]) {
      await system.admin('webhook', 'create', '--workspace', workspace_id, '--url', url);
    }
  });

  test('without an allowed range http and 127.0.0.1 are refused when they are saved', async ({ system }) => {
    const { workspace_id } = await system.customer();
    const config = system.config({ deliver_allow_cidrs: '' });
    for (const url of ['http://127.0.0.1:9/', 'https://127.0.0.1:9/', 'http://example.com/']) {
      const result = await system.adminWith(
        config,
        '--json',
        'webhook',
        'create',
        '--workspace',
        workspace_id,
        '--url',
        url,
      );
      assert.notEqual(result.code, 0, url);
    }
  });
}

function dialling(test) {
  const closed = { deliver_allow_cidrs: '' };

  test('a private address is not dialled, whatever was allowed when it was saved', async (context) => {
    const box = context.receiver.box();
    const { delivery, log: tries } = await deliverTo(context, box.url, { box, changes: closed });
    assert.equal(delivery.state, 'failed');
    assert.deepEqual(tries, ['address_not_allowed', 'address_not_allowed']);
    assert.equal(box.arrivals.length, 0);
  });

  test('an address outside the allowed ranges is not dialled', async (context) => {
    const box = context.receiver.box();
    const { log: tries } = await deliverTo(context, box.url, {
      box,
      changes: { deliver_allow_cidrs: '127.0.0.2/32, 10.0.0.0/8' },
    });
    assert.deepEqual([tries, box.arrivals.length], [['address_not_allowed', 'address_not_allowed'], 0]);
  });

  for (const [claim, address] of [
    ['a private address', '10.1.2.3'],
    ['this host', '127.0.0.1'],
    ["this host's IPv6 address", '::1'],
    ['a private address inside IPv6', '::ffff:10.1.2.3'],
    ['the metadata service', '169.254.169.254'],
    ['an address that translates to a private one', '64:ff9b::a01:203'],
  ]) {
    test(`a name that resolves to ${claim} is not dialled`, async (context) => {
      const { system, receiver } = context;
      const hosts = hostsFile(system, [`${address} hooks.inside.test`]);
      const { delivery, log: tries } = await deliverTo(
        context,
        `https://hooks.inside.test:${receiver.port}/`,
        { changes: { ...closed, hosts_file: hosts } },
      );
      assert.equal(delivery.state, 'failed');
      assert.deepEqual(tries, ['address_not_allowed', 'address_not_allowed']);
    });
  }

  test('a name that resolves into an allowed range is dialled', async (context) => {
    const { system, receiver } = context;
    const box = receiver.box({ host: 'hooks.allowed.test' });
    const { delivery } = await deliverTo(context, box.url, {
      box,
      changes: { hosts_file: hostsFile(system, ['127.0.0.1 hooks.allowed.test']) },
    });
    assert.equal(delivery.state, 'succeeded');
    assert.equal(box.arrivals[0].headers.host, `hooks.allowed.test:${receiver.port}`);
    box.assertSigned();
  });

  test('http to a public address is not dialled', async (context) => {
    const hosts = hostsFile(context.system, ['8.8.8.8 hooks.public.test']);
    const { log: tries } = await deliverTo(context, 'http://hooks.public.test/', {
      changes: { hosts_file: hosts },
    });
    assert.deepEqual(tries, ['address_not_allowed', 'address_not_allowed']);
  });

  test('a name that turns to a private address between two deliveries is refused then', async (context) => {
    const { system, receiver, defer } = context;
    // the connection is not kept, so that each delivery is dialled anew
    const answer = answers.status(200, { Connection: 'close' });
    const box = receiver.box({ host: 'hooks.turning.test', answer });
    const hosts = hostsFile(system, ['127.0.0.1 hooks.turning.test']);
    const customer = await system.customer({ box, webhook: ['--timeout', '2'], talks: false });
    const program = system.dispatcher({
      settings: { hosts_file: hosts, deliver_allow_cidrs: '127.0.0.1/32' },
    });
    defer(() => program.kill('SIGTERM'));
    await box.arrival({ call: await system.event(customer) });
    writeFileSync(hosts, '127.0.0.2 hooks.turning.test\n');
    const second = await system.event(customer);
    await system.settled(customer.workspace_id);
    assert.deepEqual(await log(system, second), ['address_not_allowed', 'address_not_allowed']);
    assert.equal(box.arrivals.length, 1);
  });

  test('a name that nobody knows is a failure like any', async (context) => {
    const { delivery, log: tries } = await deliverTo(context, 'https://nobody.invalid/', { changes: {} });
    assert.equal(delivery.state, 'failed');
    assert.deepEqual(tries, ['name_not_resolved', 'name_not_resolved']);
  });

  test("a carrier's private address is not dialled either", async (context) => {
    const { system, carriers } = context;
    const carrier = carriers.carrier();
    const customer = await system.customer({ carrier });
    const callId = await system.call(customer);
    await until(
      'the call to fail',
      async () => {
        await system.once({ settings: closed });
        return (await customer.api.get(callId)).json.data.status === 'failed';
      },
      { every: 100 },
    );
    assert.equal((await customer.api.get(callId)).json.data.error.code, 'carrier_error');
    assert.deepEqual(await carrier.dials(), []);
  });
}

function deadNameServer(test) {
  test('a name server that does not answer holds up nobody but its own endpoint', async (context) => {
    const { system, receiver, defer } = context;
    const names = await deadNames(system.dir);
    defer(names.close);
    const stuck = await system.customer({
      box: { url: 'https://hooks.unanswered.test/' },
      webhook: ['--timeout', '1'],
      talks: false,
    });
    const [callId] = await system.events(stuck, 3);
    const box = receiver.box();
    const quick = await system.customer({ box, talks: false });
    const program = system.dispatcher({ wrap: names.wrap, env: names.env });
    defer(() => program.kill('SIGKILL'));
    await until(`the stuck endpoint to be claimed (${names.how})`, () =>
      system.number('SELECT COUNT(*) FROM deliveries WHERE owner <> 0'),
    );
    for (let i = 0; i < 10; i++) await box.arrival({ call: await system.event(quick) }, { within: 1500 });
    await system.settled(stuck.workspace_id);
    const tries = await log(system, callId);
    assert.equal(tries.length, 2);
    for (const error of tries) assert.ok(['timeout', 'name_not_resolved'].includes(error), error);
  });

  test('a name server that does not answer does not keep a dispatcher from ending', async (context) => {
    const { system, defer } = context;
    const names = await deadNames(system.dir);
    defer(names.close);
    const stuck = await system.customer({
      box: { url: 'https://more.unanswered.test/' },
      webhook: ['--timeout', '1'],
      talks: false,
    });
    await system.event(stuck);
    const started = performance.now();
    const run = await system.once({ wrap: names.wrap, env: names.env, settings: { retry_schedule: '0s' } });
    assert.equal(run.code, 0, run.stderr);
    const took = performance.now() - started;
    assert.ok(
      took < 5000,
      `it took ${Math.round(took)} ms to end, with a timeout of one second and ${names.how}`,
    );
    await system.settled(stuck.workspace_id);
  });
}

export default suite(
  'addresses',
  { runs: 'faults', weight: 12, system: { settings, dispatcher: false } },
  (test) => {
    saving(test);
    dialling(test);
    deadNameServer(test);
  },
);
