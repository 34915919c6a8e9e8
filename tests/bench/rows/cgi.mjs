// A request by plain CGI under Apache with nothing but an .htaccess: a process per request, one
// request after another.
import { System } from '../../e2e/lib/system.mjs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { count, milliseconds } from '../lib/report.mjs';

const GOAL_MS = 20;

export const cgi = {
  name: 'cgi',
  async run(bench) {
    const system = await System.start({
      dir: path.join(bench.dir, 'cgi'),
      programs: bench.programs,
      server: 'apache-cgi',
      dispatcher: false,
    });
    bench.systems.push(system);
    const callId = await system.call({ api: system.api, agent_id: system.env.HV_AGENT_ID });
    const ids = path.join(bench.dir, 'cgi-ids');
    await writeFile(ids, `${callId}\n`);
    const line = [
      'wrk',
      '-t1',
      '-c1',
      `-d${bench.seconds}s`,
      '-s',
      bench.source('tests/bench/get.lua'),
      system.url,
      '--',
      system.env.HV_API_KEY,
      ids,
      '/v1/calls/',
    ];
    const result = JSON.parse(/^RESULT (.*)$/m.exec(await bench.run(line))[1]);
    bench.note(
      'GET, plain CGI',
      line.map((word) => (word === system.env.HV_API_KEY ? 'KEY' : word)),
    );
    if (result.failed > 0 || result.requests === 0)
      throw new Error(`${result.failed} of ${result.requests} requests failed`);
    return [
      {
        what: 'GET by plain CGI, Apache',
        measured: `p50 ${milliseconds(result.p50_ms)}`,
        goal: `p50 <= ${GOAL_MS} ms`,
        met: result.p50_ms <= GOAL_MS,
        details: [
          `one after another, ${count(result.requests)} requests; p95 ${milliseconds(result.p95_ms)}, p99 ${milliseconds(result.p99_ms)}`,
        ],
      },
    ];
  },
};
