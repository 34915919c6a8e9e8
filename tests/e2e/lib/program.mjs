// Programs under way: started, watched, ended; and what the kernel says of processes.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inTime } from './wait.mjs';

// Runs a program to its end: {code, signal, stdout, stderr}. Never throws for a bad exit.
export async function finish(program, args, { env = {}, within = 60_000, input } = {}) {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] });
  child.stdin?.end(input);
  return new Program(child, path.basename(program)).ended({ within });
}

// A program under way.
export class Program {
  constructor(child, name) {
    this.child = child;
    this.name = name;
    this.pid = child.pid;
    this.stdout = '';
    this.stderr = '';
    child.stdout.on('data', (chunk) => (this.stdout += chunk));
    child.stderr.on('data', (chunk) => (this.stderr += chunk));
    this.exit = new Promise((done, fail) => {
      child.on('error', fail);
      child.on('close', (code, signal) => done({ code, signal, stdout: this.stdout, stderr: this.stderr }));
    });
    this.exit.then(
      (result) => (this.result = result),
      () => {},
    );
  }

  get running() {
    return this.result === undefined;
  }

  signal(name) {
    if (this.running) this.child.kill(name);
  }

  async ended({ within = 30_000 } = {}) {
    try {
      return await inTime(`${this.name} (${this.pid}) to end`, this.exit, { within });
    } catch (error) {
      this.signal('SIGKILL');
      error.message += `; it said: ${this.stderr.slice(-1500)}`;
      throw error;
    }
  }

  async kill(signal = 'SIGKILL') {
    this.signal(signal);
    return this.ended();
  }
}

export function alive(pid) {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

export function comm(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return undefined;
  }
}

export function parent(pid) {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ')[1],
    );
  } catch {
    return 0;
  }
}
