// GET /v1/deliveries through lighttpd: the first page and the ten thousandth of a million deliveries.
import { fill } from '../lib/backlog.mjs';
import { milliseconds } from '../lib/report.mjs';
import { median } from '../lib/statistics.mjs';

const DELIVERIES = 1_000_000;
const LIMIT = 100;
const ASKED = 200;
const GOAL_RATIO = 1.5;
const GOAL_MS = 5;

async function page(side, query) {
  const started = performance.now();
  const answer = await side.ask('/v1/deliveries?', new URLSearchParams({ limit: LIMIT, ...query }));
  const ms = performance.now() - started;
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const { data, next_cursor: next } = JSON.parse(answer.text);
  return { ms, data, next };
}

// Where the last page begins: what stands before it is jumped over by a time.
async function lastCursor(side) {
  const [[before]] = await side.product.query(
    `SELECT DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%fZ') FROM deliveries ORDER BY created_at LIMIT ${2 * LIMIT}, 1`,
  );
  const { next } = await page(side, { created_before: before });
  const last = await page(side, { cursor: next });
  if (last.data.length !== LIMIT || last.next !== null) throw new Error('that was not the last page');
  return next;
}

export const lists = {
  name: 'lists',
  async run(bench) {
    const side = await bench.httpSide();
    const url = 'https://hooks.example.com/';
    const { webhook_id } = await side.product.admin(
      ...['webhook', 'create', '--workspace', side.workspace, '--url', url],
    );
    await fill(side.product, {
      workspace: side.workspace,
      destinations: [webhook_id],
      events: DELIVERIES,
    });
    const cursor = await lastCursor(side);
    const times = { first: [], last: [] };
    for (let i = 0; i < ASKED; i++) {
      times.first.push((await page(side, {})).ms);
      times.last.push((await page(side, { cursor })).ms);
    }
    const [first, last] = [median(times.first), median(times.last)];
    return [
      {
        what: `list deliveries, page ${DELIVERIES / LIMIT}`,
        measured: `p50 ${milliseconds(last)}`,
        beside: `page 1: p50 ${milliseconds(first)}`,
        result: (last / first).toFixed(2),
        goal: `<= ${GOAL_RATIO}, ${GOAL_MS} ms`,
        met: last / first <= GOAL_RATIO && Math.max(first, last) <= GOAL_MS,
        details: [`${LIMIT} of ${DELIVERIES} deliveries a page, one after another, ${ASKED} times each, in turn`],
      },
    ];
  },
};
