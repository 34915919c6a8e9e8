// What the programs of a system wrote down, the web server's included.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { send } from './http.mjs';
import { until } from './wait.mjs';

// Every log of the system, by name: the web server's, the database's, ours.
export function logs({ dir }) {
  const folder = path.join(dir, 'log');
  return readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]);
}

// Each log file that has one of the secrets, with its line.
export function found(system, secrets) {
  return logs(system).flatMap(([file, text]) =>
    text
      .split('\n')
      .filter((line) => secrets.some((secret) => line.toLowerCase().includes(secret)))
      .map((line) => `${file}: ${line.slice(0, 300)}`),
  );
}

// Web servers write their logs when it suits them; what was asked for before this is in it then.
export async function logged(system) {
  const marker = `/v1/marker-${randomBytes(6).toString('hex')}`;
  const { status, headers } = await send(system.url + marker);
  assert.equal(status, 404);
  const marks = [marker, headers['x-request-id']]; // lighttpd's has no paths
  const access = () => Object.fromEntries(logs(system))['access.log'] ?? '';
  await until(`${marker} in the access log`, () => marks.some((mark) => access().includes(mark)), {
    within: 30_000,
    seen: () => access().slice(-500),
  });
  return access();
}
