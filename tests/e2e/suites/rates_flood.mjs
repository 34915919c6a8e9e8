// Rate limits on systems of their own: short windows, ten thousand a minute over two hosts on one
// database, what a flood of refused requests costs it, and hosts without a folder to share.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Api } from '../lib/http.mjs';
import { burst, inOneWindow, UNKNOWN_CALL } from '../lib/rates.mjs';
import { suite } from '../lib/suite.mjs';
import { System } from '../lib/system.mjs';
import { until } from '../lib/wait.mjs';

const settings = { rate_window: '2s' };

async function questions(system) {
  const [{ Value: value }] = await system.sql("SHOW GLOBAL STATUS LIKE 'Questions'");
  return Number(value);
}

const limit = (system, { key_id: key }, rate) =>
  system.admin('key', 'limit', key, '--rate', String(rate));

function windows(test) {
  test('who waits as long as Retry-After says is served again', async ({ system }) => {
    const customer = await system.customer();
    await limit(system, customer, 300); // 10 in 2 s
    for (let round = 0; round < 3; round++) {
      const { accepted, refused } = await burst(customer, 40);
      const spent = round > 0 ? 1 : 0; // of this window
      assert.ok(accepted.length >= 10 - spent && accepted.length <= 20, `${accepted.length} accepted`);
      const last = refused.at(-1);
      assert.equal(last.headers['ratelimit-policy'].split(', ')[0], '"key";q=10;w=2');
      await new Promise((done) => setTimeout(done, 1000 * Number(last.headers['retry-after'])));
      assert.equal((await customer.api.get(UNKNOWN_CALL)).status, 404);
    }
  });

  test('a steady load over many windows gets what is allowed', { within: 120_000 }, async ({ system }) => {
    const customer = await system.customer();
    const perWindow = 100;
    const rounds = 5;
    await limit(system, customer, perWindow * 30);
    const seen = () => system.number('SELECT UNIX_TIMESTAMP() DIV 2');
    const before = await seen();
    const first = await until('a window to begin', async () => {
      const now = await seen();
      return now > before && now;
    });
    let accepted = 0;
    let last = first;
    while (last < first + rounds) {
      accepted += (await burst(customer, 60)).accepted.length;
      last = await seen();
    }
    const windows = last - first + 1; // the last may just have begun
    assert.ok(accepted <= perWindow * windows, `${accepted} in ${windows} windows`);
    assert.ok(accepted >= 0.95 * perWindow * (windows - 1), `${accepted} in ${windows} windows`);
  });
}

function costs(test) {
  test('a flood of refused requests costs the database next to nothing', async ({ system }) => {
    const customer = await system.customer();
    const plain = await system.customer();
    await limit(system, customer, 30); // 1 in 2 s
    const flood = async () => {
      const before = await questions(system);
      const began = performance.now();
      const { accepted, refused } = await burst(customer, 2000);
      const seconds = (performance.now() - began) / 1000;
      return { asked: (await questions(system)) - before, accepted: accepted.length, refused, seconds };
    };
    await burst(plain, 100); // every process is at work
    await burst(customer, 100);
    const { asked, accepted, refused, seconds } = await flood();
    assert.ok(refused.length > 1900);
    // each process looks at the key four times a second, and each window has its first requests
    const allowed = 20 + 5 * system.pools.length * (seconds + 1) + 10 * accepted;
    assert.ok(asked <= allowed, `${asked} questions for ${refused.length} refused requests in ${seconds} s`);
  });
}

function hosts(test) {
  test('10,000 a minute over two hosts on one database', { within: 200_000 }, async ({
    root,
    programs,
    system,
    defer,
  }) => {
    const [password] = /(?<=^database_password = ).*$/m.exec(readFileSync(system.env.HV_CONFIG, 'utf8'));
    const begin = async (name) => {
      const host = await System.start({
        dir: path.join(root, name),
        programs,
        dispatcher: false,
        settings: {
          rate_window: '60s',
          database_hosts: `unix:${system.env.HV_DB_SOCKET}`,
          database_password: password,
        },
      });
      defer(() => host.stop());
      return host;
    };
    const hostsOfOne = [await begin('one-host'), await begin('another-host')];
    await inOneWindow(system, async () => {
      const customer = await system.customer();
      await limit(system, customer, 10_000);
      const accepted = await Promise.all(
        hostsOfOne.map(async (host) => {
          const api = new Api(host.url, customer.key, { agent: host.agent });
          let all = 0;
          for (;;) {
            const { accepted: taken, refused } = await burst(customer, 200, { api, width: 16 });
            all += taken.length;
            if (refused.length >= 200) return all;
          }
        }),
      );
      const total = accepted[0] + accepted[1];
      assert.ok(total >= 9_500 && total <= 10_000, `${accepted} accepted`);
      assert.ok(Math.min(...accepted) > 500, `both were served: ${accepted}`);
    });
  });
}

export default suite('rates_flood', { runs: 'faults', weight: 30, system: { settings, dispatcher: false } }, (test) => {
  windows(test);
  costs(test);
  hosts(test);
});
