// What was measured on what: machine, versions, build.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

// The first line that a command says, or nothing when it is not there.
function said(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      .trim()
      .split('\n')[0];
  } catch (error) {
    return String(error.stdout ?? '')
      .trim()
      .split('\n')[0];
  }
}

function distribution() {
  if (!existsSync('/etc/os-release')) return os.type();
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type();
}

function buildFlags(programs) {
  const makefile = path.join(programs, 'Makefile');
  if (!existsSync(makefile)) return '';
  const text = readFileSync(makefile, 'utf8');
  const flag = (name) => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? '';
  return `${flag('CC')} ${flag('CFLAGS')} ${flag('SANITIZE_CFLAGS')}`.trim();
}

export function describeMachine(programs, dir) {
  const cpus = os.cpus();
  const filesystem = said('stat', '-f', '-c', '%T', dir);
  return [
    `machine   ${cpus.length} x ${cpus[0]?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${filesystem} for the database`,
    `system    ${distribution()}, Linux ${os.release()}, load ${os.loadavg()[0].toFixed(2)} at the start`,
    `versions  ${versions().join('; ')}`,
    `build     ${said(path.join(programs, 'huskyvoice-dispatch'), '--version')}, ${buildFlags(programs)}`,
  ];
}

function versions() {
  const library = (name) => `${name} ${said('pkg-config', '--modversion', name)}`;
  return [
    said('mariadbd', '--version').replace(/^.*Ver (\S+).*$/, 'MariaDB $1'),
    ...['libmariadb', 'fcgi', 'json-c', 'libcurl', 'libcrypto'].map(library),
    said('lighttpd', '-v').replace(/ \(ssl\).*/, ''),
    said('wrk', '-v').replace(/ Copyright.*/, ''),
    `Node ${process.version}`,
  ];
}
