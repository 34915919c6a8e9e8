// A name server that does not answer, for one program: where the host allows it, by a mount of its
// own over /etc/resolv.conf that names a silent server; else by a preloaded getaddrinfo().
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish } from './program.mjs';

const SHIM = fileURLToPath(new URL('./dead_names.c', import.meta.url));
const MOUNT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

// A socket on a name server's port that takes questions and answers none; null: it may not.
function silentServer(address) {
  return new Promise((done) => {
    const socket = dgram.createSocket('udp4');
    socket.on('error', () => done(null));
    socket.bind(53, address, () => done(socket));
  });
}

// {wrap, env, how, close}: run a program with these and names get no answer.
export async function deadNames(dir) {
  const silent = await silentServer('127.0.0.53');
  const resolv = path.join(dir, 'resolv.conf');
  writeFileSync(
    resolv,
    `nameserver ${silent ? '127.0.0.53' : '192.0.2.53'}\noptions timeout:10 attempts:1\n`,
  );
  const close = () => silent?.close();
  for (const unshare of [
    ['unshare', '-m'],
    ['unshare', '-r', '-m'],
  ]) {
    const wrap = [...unshare, 'sh', '-c', MOUNT, resolv];
    const [program, ...args] = [...wrap, 'timeout', '1', 'getent', 'ahosts', 'a.unanswered.test'];
    const asked = await finish(program, args);
    if (asked.code === 124) return { wrap, env: {}, how: 'a silent name server', close };
  }
  const shim = path.join(dir, 'dead_names.so');
  const built = await finish('cc', ['-shared', '-fPIC', '-o', shim, SHIM, '-ldl']);
  if (built.code !== 0)
    throw new Error(`no silent name server is possible here, and no compiler: ${built.stderr}`);
  return {
    wrap: [],
    env: { LD_PRELOAD: shim, ASAN_OPTIONS: 'verify_asan_link_order=0' },
    how: 'a preloaded getaddrinfo()',
    close,
  };
}
