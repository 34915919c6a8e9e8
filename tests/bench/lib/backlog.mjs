// Waiting deliveries by the thousand, written by SQL: rows as the product writes them, events a
// moment old and due in their order.
import { idSql } from '../../e2e/lib/database.mjs';

// Events in `workspace`; each goes to `fanOut` destinations of the list, which take turns.
export async function fill(arena, { workspace, destinations, events, fanOut = 1, keep = false }) {
  const salt = `${arena.name}${process.hrtime.bigint()}`;
  const total = events * fanOut;
  const since = Date.now() - 3_600_000;
  // A UUIDv7: milliseconds that grow, then digits that look random.
  const id = (kind, n) =>
    `UNHEX(CONCAT(LPAD(HEX(${since} + ${n} DIV 10), 12, '0'), '7', LEFT(MD5(CONCAT('${salt}${kind}', ${n})), 19)))`;
  const row = '(s.seq - 1)';
  const event = `(${row} DIV ${fanOut})`;
  const target = `(${row} MOD ${destinations.length})`;
  const targets = destinations.map((one, n) => `(${n}, ${idSql(one)})`);
  const due = '(NOW(6) - INTERVAL 60 SECOND + INTERVAL s.seq MICROSECOND)';
  await arena.query(`
    SET SESSION unique_checks = 0, foreign_key_checks = 0;
    ${keep ? '' : 'TRUNCATE deliveries; TRUNCATE delivery_attempts; TRUNCATE events;'}
    CREATE TEMPORARY TABLE bench_targets (n INT PRIMARY KEY, destination_id BINARY(16) NOT NULL);
    INSERT INTO bench_targets VALUES ${targets.join(', ')};
    INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at)
      SELECT ${id('e', row)}, ${idSql(workspace)}, NULL, 'call.completed',
        CONCAT('${bodyHead}', s.seq, '${bodyTail}'), ${due}
      FROM seq_1_to_${events} s;
    INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, due_at, created_at, updated_at)
      SELECT ${id('d', row)}, ${idSql(workspace)}, t.destination_id, ${id('e', event)}, ${due}, ${due}, ${due}
      FROM seq_1_to_${total} s JOIN bench_targets t ON t.n = ${target};
    ANALYZE TABLE deliveries, events;`);
}

// An event's body in two parts, with a number of its own between them; over 400 bytes in all.
const bodyHead =
  '{"event_id":"evt_06f3k0wz4e5s1tq8m2nd7xvcya","event_type":"call.completed",' +
  '"created_at":"2024-01-27T03:02:00.000Z","data":{"call_id":"018d4925-0f40-7b3c-9d6e-';
const bodyTail =
  '","agent_id":"agent_06f3k0wz4e5s1tq8m2nd7xvcya","phone_number":"+919876543210","duration_seconds":61,' +
  '"outcome":"interested","summary":"The contact asked for a quotation by mail and agreed to a second call."}}';
