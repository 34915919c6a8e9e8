// POST /v1/batches with 10,000 contacts through lighttpd, beside a bare multi-row INSERT of the same
// rows in one transaction, by the database's own clock.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { idHex } from '../lib/arena.mjs';
import { between, milliseconds } from '../lib/report.mjs';
import { alternate, median, ratios } from '../lib/statistics.mjs';

const CONTACTS = 10_000;
const AT_ONCE = 1_000; // rows of a bare INSERT
const GOAL_MS = 3_000;
const GOAL_RATIO = 2;

const contacts = Array.from({ length: CONTACTS }, (_, i) => ({
  contact_number: `+9198${String(10_000_000 + i)}`,
  contact_name: `Asha Verma ${i}`,
  contact_email: `asha${i}@example.com`,
  additional_info: { company: 'Acme Traders', order: `A-${i}`, language: 'hi' },
}));

async function product(side) {
  const body = JSON.stringify({ agent_id: side.agent, scheduled_at: new Date(Date.now() + 3600_000).toISOString(), contacts });
  const started = performance.now();
  const answer = await fetch(`${side.url}/v1/batches`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${side.key}`, 'Content-Type': 'application/json' },
    body,
  });
  const text = await answer.text();
  const ms = performance.now() - started;
  if (answer.status !== 201 || JSON.parse(text).data.total !== CONTACTS) throw new Error(`${answer.status} ${text}`);
  return ms;
}

// Ids that sort as they are made, as the product's do.
let made = 0;
function callId() {
  const text = (Date.now().toString(16).padStart(12, '0') + '7' + (++made).toString(16).padStart(7, '0')).padEnd(32, 'a');
  return `X'${text}'`;
}

async function bare(side, bench) {
  const { bare: arena, workspace, agent } = side;
  const batch = `X'${(++made).toString(16).padStart(32, '0')}'`;
  const fixed = `X'${idHex(workspace)}',X'${idHex(agent)}','scheduled',0`;
  const at = `NOW(6)+INTERVAL 1 HOUR,NOW(6)+INTERVAL 1 HOUR,'api_live',NOW(6),NOW(6),${batch},TRUE`;
  const row = (one) =>
    `(${callId()},${fixed},'${one.contact_number}','${one.contact_name}','${one.contact_email}','${JSON.stringify(one.additional_info)}',${at})`;
  const lines = ['SET @began = SYSDATE(6); BEGIN;'];
  for (let i = 0; i < CONTACTS; i += AT_ONCE)
    lines.push(
      `INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, contact_name, contact_email,
       additional_info, scheduled_at, due_at, origin, created_at, updated_at, batch_id, batched)
       VALUES ${contacts.slice(i, i + AT_ONCE).map(row).join(',')};`,
    );
  lines.push('COMMIT; SELECT TIMESTAMPDIFF(MICROSECOND, @began, SYSDATE(6));');
  const file = path.join(bench.dir, 'batch.sql');
  await writeFile(file, lines.join('\n'));
  const [[microseconds]] = await arena.query(`source ${file}`);
  return Number(microseconds) / 1000;
}

export const batch = {
  name: 'batch',
  async run(bench) {
    const side = await bench.httpSide();
    await product(side);
    await bare(side, bench);
    const results = await alternate(bench.rounds, {
      product: () => product(side),
      bare: () => bare(side, bench),
    });
    const ratio = ratios(results, 'product', 'bare');
    const middle = (of) => median(results.map((result) => result[of]));
    return [
      {
        what: `a batch of ${CONTACTS} calls`,
        measured: milliseconds(middle('product')),
        beside: `one transaction: ${milliseconds(middle('bare'))}`,
        result: between(ratio),
        goal: `<= ${GOAL_RATIO}, ${GOAL_MS / 1000} s`,
        met: ratio.median <= GOAL_RATIO && middle('product') <= GOAL_MS,
        details: [
          `lighttpd, JSON of ${Math.round(JSON.stringify(contacts).length / 1000)} kB, from the first byte sent to the answer read; beside: ${CONTACTS / AT_ONCE} INSERTs of ${AT_ONCE} rows into the same table, from BEGIN to COMMIT`,
        ],
      },
    ];
  },
};
