// The end-to-end suite: whole systems behind real web servers, driven from outside.
//
//   node tests/e2e/run.mjs --programs BUILDDIR [--suite core|faults|full] [--server NAME,...|all]
//                          [--wire NAME,...] [--only PATTERN] [--jobs N] [--patience FACTOR] [--keep]
//
// core: what must hold on every web server; faults: the rest, once; full: both (the default).
// --wire names servers on which, of core, only the suites about what a web server hands over run.
// --jobs: how many systems at once; by default one more than there are processors, as tests wait a lot.
// --only runs the tests whose "subject: claim" matches the regular expression. --keep leaves the
// folders of systems with failures. The last line is "e2e: N passed, N failed".
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CarrierProgram } from './lib/carrier.mjs';
import { Mailbox } from './lib/mailbox.mjs';
import { finish } from './lib/program.mjs';
import { Receiver } from './lib/receiver.mjs';
import { QUICKSTART, System } from './lib/system.mjs';
import { inParallel, inTime, setPatience } from './lib/wait.mjs';

const SERVERS = ['apache', 'apache-fcgid', 'apache-cgi', 'lighttpd', 'nginx'];
const MORE_SERVERS = ['apache-htaccess-fcgid']; // by name only

const SLOW_SERVERS = { 'apache-fcgid': 60, 'apache-cgi': 60 }; // seconds, more or less: they begin first

// Times of the shared core system: short, so that a call's whole life takes a moment.
const CORE_SETTINGS = {
  simulator_ring: '50ms',
  simulator_talk: '50ms',
  poll_interval: '200ms',
  place_timeout: '2s',
  reaper_grace: '200ms',
  retry_schedule: '0s, 200ms, 500ms, 1s',
  retry_jitter_percent: '0',
  metrics_token: 'mt_for_the_tests',
  password_cost: '10',
  sign_in_failures_address: '10000',
  housekeeping_interval: '200ms',
};

const usage = `usage: run.mjs --programs DIR [--suite core|faults|full] [--server ${[...SERVERS, ...MORE_SERVERS].join('|')},...|all]
               [--wire NAME,...] [--only PATTERN] [--jobs N] [--patience FACTOR] [--keep]`;

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        programs: { type: 'string' },
        suite: { type: 'string', default: 'full' },
        server: { type: 'string', default: 'all' },
        wire: { type: 'string' },
        only: { type: 'string' },
        jobs: { type: 'string', default: String(availableParallelism() + 1) },
        patience: { type: 'string', default: '1' },
        keep: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    stop(error.message);
  }
  if (!values.programs) stop('--programs is missing');
  if (!['core', 'faults', 'full'].includes(values.suite)) stop(`no suite "${values.suite}"`);
  const wire = values.wire?.split(',') ?? [];
  const whole = values.server === 'all' ? SERVERS : values.server.split(',');
  for (const name of [...whole, ...wire])
    if (![...SERVERS, ...MORE_SERVERS].includes(name)) stop(`no server "${name}"`);
  return {
    ...values,
    programs: path.resolve(values.programs),
    only: values.only && new RegExp(values.only, 'i'),
    jobs: Number(values.jobs),
    servers: whole.filter((name) => !wire.includes(name)),
    wire,
  };
}

function stop(message) {
  console.error(`${message}\n${usage}`);
  process.exit(64);
}

async function loadSuites() {
  const folder = new URL('./suites/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mjs')).sort();
  return Promise.all(files.map(async (file) => (await import(new URL(file, folder))).default));
}

// Jobs: a system and the suites that run on it, one after another.
function planJobs(suites, options) {
  const jobs = [];
  if (options.suite !== 'core') {
    for (const suite of suites.filter(({ runs }) => runs === 'faults')) {
      const system = suite.system && { server: 'lighttpd', ...suite.system };
      jobs.push({
        name: suite.subject,
        label: suite.subject,
        weight: suite.weight ?? 0,
        system,
        suites: [suite],
      });
    }
  }
  if (options.suite !== 'faults') {
    const core = suites.filter(({ runs }) => runs === 'core');
    for (const server of [...options.servers, ...options.wire]) {
      const system = { server, settings: CORE_SETTINGS, dispatcher: true };
      const some = options.wire.includes(server) ? core.filter(({ wire }) => wire) : core;
      const weight = SLOW_SERVERS[server] ?? 35;
      jobs.push({ name: `core-${server}`, label: `${server}`, weight, system, suites: some, server });
    }
  }
  const wanted = ({ subject }, { claim }) => !options.only || options.only.test(`${subject}: ${claim}`);
  for (const job of jobs) {
    job.suites = job.suites.map((suite) => ({
      ...suite,
      tests: suite.tests.filter((test) => wanted(suite, test)),
    }));
    job.suites = job.suites.filter(({ tests }) => tests.length > 0);
  }
  return jobs.filter((job) => job.suites.length > 0).sort((a, b) => b.weight - a.weight);
}

const tally = { passed: 0, failed: 0, failures: [] };
const folders = new Set(); // of the systems that were begun and not stopped yet

function report(job, suite, test, error, ms) {
  const name = job.server
    ? `[${job.server}] ${suite.subject}: ${test.claim}`
    : `${suite.subject}: ${test.claim}`;
  if (!error) {
    tally.passed++;
    console.log(`ok      ${name} (${Math.round(ms)} ms)`);
    return;
  }
  tally.failed++;
  tally.failures.push(name);
  console.log(`not ok  ${name} (${Math.round(ms)} ms)`);
  console.log(String(error.stack ?? error).replace(/^/gm, '        '));
}

async function runTest(job, suite, test, context) {
  const cleanups = [];
  const started = performance.now();
  let failure;
  try {
    const defer = (cleanup) => cleanups.push(cleanup);
    await inTime('the test to end', test.body({ ...context, defer }), {
      within: test.within ?? suite.within ?? 60_000,
    });
  } catch (error) {
    failure = error ?? new Error('the test threw nothing');
  }
  for (const cleanup of cleanups.reverse()) {
    try {
      await cleanup();
    } catch (error) {
      failure ??= error;
    }
  }
  report(job, suite, test, failure, performance.now() - started);
  if (failure && context.system) console.log(context.system.logs().replace(/^/gm, '        | '));
  return !failure;
}

async function runJob(job, options, root, shared) {
  const started = performance.now();
  const dir = path.join(root, job.name);
  let system;
  try {
    if (job.system) {
      folders.add(dir);
      system = await System.start({ ...job.system, dir, programs: options.programs });
    }
  } catch (error) {
    for (const suite of job.suites)
      for (const test of suite.tests) report(job, suite, test, new Error('its system did not start'), 0);
    console.log(String(error.stack ?? error).replace(/^/gm, '        '));
    return;
  }
  const ready = performance.now();
  let good = true;
  for (const suite of job.suites) {
    const context = { ...shared, system, root, programs: options.programs };
    const width = Math.min(suite.width, system?.lanes ?? Infinity);
    const together = suite.tests.filter((test) => !test.alone);
    const results = await inParallel(width, together, (test) => runTest(job, suite, test, context));
    for (const test of suite.tests.filter(({ alone }) => alone))
      results.push(await runTest(job, suite, test, context));
    good &&= results.every(Boolean);
  }
  const done = performance.now();
  if (system) {
    folders.delete(dir);
    try {
      await system.stop({ keep: options.keep && !good });
    } catch (error) {
      report(job, { subject: job.label }, { claim: 'nothing of it crashes, and all of it stops' }, error, 0);
    }
  }
  const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
  console.log(
    `#       ${job.label}: started in ${seconds(started, ready)} s, tested in ${seconds(ready, done)} s, stopped in ${seconds(done, performance.now())} s`,
  );
}

async function main() {
  const options = readOptions();
  setPatience(Number(options.patience));
  const root = await mkdtemp(path.join(tmpdir(), 'hv-e2e-'));
  await chmod(root, 0o755); // root's servers run as somebody else
  const mailbox = await Mailbox.create(root);
  CORE_SETTINGS.sendmail_path = mailbox.program;
  const jobs = planJobs(await loadSuites(), options);
  const shared = { mailbox, receiver: await Receiver.start(), carriers: await CarrierProgram.start() };
  const started = performance.now();
  const quit = async (signal) => {
    console.log(`# ${signal}: stopping what runs`);
    await Promise.allSettled([...folders].map((dir) => finish('sh', [QUICKSTART, '--stop', '--dir', dir])));
    process.exit(130);
  };
  process.once('SIGINT', () => quit('SIGINT'));
  process.once('SIGTERM', () => quit('SIGTERM'));
  try {
    await inParallel(options.jobs, jobs, (job) => runJob(job, options, root, shared));
  } finally {
    await shared.carriers.stop();
    await shared.receiver.stop();
    if (!options.keep || tally.failed === 0) await rm(root, { recursive: true, force: true });
  }
  for (const name of tally.failures) console.log(`failed: ${name}`);
  console.log(`# ${((performance.now() - started) / 1000).toFixed(0)} s`);
  console.log(`e2e: ${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
}

await main();
