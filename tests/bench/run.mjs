// The bench: the product's numbers, as ratios to a bare minimum that runs beside it in alternation,
// or against a fixed goal.
//
//   node tests/bench/run.mjs --programs BUILDDIR [--quick] [--only NAME,...] [--rounds N]
//                            [--seconds N] [--keep]
//
// `make bench` builds what it needs and runs it. --quick: 3 rounds of 1 s in the place of 5 of 4 s.
// Its own MariaDB, web server and programs live in a folder below the system's temporary one, and
// are gone at the end. It ends with 1 when a row missed its goal, with 2 when it could not measure.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Bench } from './lib/bench.mjs';
import { describeMachine } from './lib/machine.mjs';
import { printTable } from './lib/report.mjs';
import { backlog } from './rows/backlog.mjs';
import { batch } from './rows/batch.mjs';
import { cgi } from './rows/cgi.mjs';
import { drains } from './rows/drain.mjs';
import { get } from './rows/get.mjs';
import { hook } from './rows/hook.mjs';
import { isolation } from './rows/isolation.mjs';
import { latency } from './rows/latency.mjs';
import { lists } from './rows/lists.mjs';
import { memory } from './rows/memory.mjs';
import { policy } from './rows/policy.mjs';
import { post } from './rows/post.mjs';
import { prepare } from './rows/prepare.mjs';
import { rates } from './rows/rates.mjs';
import { wholeCalls } from './rows/whole_calls.mjs';

const ROWS = [get, rates, post, hook, batch, lists, drains, latency, wholeCalls, prepare, policy, isolation, backlog, memory, cgi];
const NAMES = ROWS.map(({ name }) => name);

const usage = `usage: run.mjs --programs DIR [--quick] [--only ${NAMES.join('|')},...] [--rounds N] [--seconds N] [--keep]`;

function stop(message) {
  console.error(`${message}\n${usage}`);
  process.exit(64);
}

function wholeNumber(name, text, fallback) {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,3}$/.test(text)) stop(`--${name} must be a whole number`);
  return Number(text);
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        programs: { type: 'string' },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', default: NAMES.join(',') },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    stop(error.message);
  }
  if (!values.programs) stop('--programs is missing');
  const only = values.only.split(',');
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) stop(`there is no row "${unknown}"`);
  return {
    programs: path.resolve(values.programs),
    quick: values.quick,
    keep: values.keep,
    rows: ROWS.filter(({ name }) => only.includes(name)),
    rounds: wholeNumber('rounds', values.rounds, values.quick ? 3 : 5),
    seconds: wholeNumber('seconds', values.seconds, values.quick ? 1 : 4),
  };
}

const TOOLS = {
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  mariadb: 'mariadb-client-core',
  lighttpd: 'lighttpd',
  'spawn-fcgi': 'spawn-fcgi',
  multiwatch: 'multiwatch',
  wrk: 'wrk',
  apache2: 'apache2-bin',
};

// Servers stand where only root's PATH looks.
function needTools(programs) {
  process.env.PATH += ':/usr/local/sbin:/usr/sbin:/sbin';
  const folders = process.env.PATH.split(':');
  const missing = Object.keys(TOOLS).filter(
    (tool) => !folders.some((folder) => existsSync(path.join(folder, tool))),
  );
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => TOOLS[tool]))];
    stop(
      `missing: ${missing.join(', ')}; Debian: apt-get install --no-install-recommends ${packages.join(' ')}`,
    );
  }
  const unbuilt = ['huskyvoice-dispatch', 'bench-responder'].find(
    (program) => !existsSync(path.join(programs, program)),
  );
  if (unbuilt) stop(`there is no ${unbuilt} in ${programs}; "make bench" builds it`);
}

// Each row stands for itself: one that cannot be measured does not keep the others from it.
async function measureAll(bench) {
  const done = [];
  let broken = 0;
  for (const row of bench.rows) {
    const began = performance.now();
    try {
      done.push(...(await row.run(bench)));
    } catch (error) {
      broken++;
      done.push({
        what: row.name,
        result: 'could not be measured',
        met: false,
        details: [error.stack ?? String(error)],
      });
    }
    process.stderr.write(`${row.name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  }
  return { done, broken };
}

async function main() {
  const options = readOptions();
  needTools(options.programs);
  const bench = await Bench.start(options);
  let ending;
  const end = () => (ending ??= bench.stop(options));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => end().finally(() => process.exit(130)));
  }
  try {
    console.log(
      `${bench.rounds} rounds of ${bench.seconds} s, the contestants of a round in random order; result: median [least-most]\n`,
    );
    console.log(`${describeMachine(bench.programs, bench.dir).join('\n')}\n`);
    const { done, broken } = await measureAll(bench);
    printTable(done);
    console.log('\ncommands (DIR: the folder of this run, BUILD: the build, SOURCE: the sources):');
    for (const [label, line] of bench.commands) console.log(`  ${label}:\n    ${line}`);
    process.exitCode = broken > 0 ? 2 : done.some(({ met }) => met === false) ? 1 : 0;
  } finally {
    await end();
  }
}

await main();
