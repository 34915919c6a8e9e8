// What the bench prints: a table of rows with their goals, and below it how they came about.

export function count(n) {
  return n >= 1000 ? Math.round(n).toLocaleString('en-US') : String(Math.round(n));
}

export function rate(n) {
  return `${count(n)}/s`;
}

export function milliseconds(n) {
  return `${n.toFixed(n < 10 ? 2 : 1)} ms`;
}

export function megabytes(kilobytes) {
  return `${(kilobytes / 1024).toFixed(1)} MB`;
}

export function between({ median, min, max }, show = (n) => n.toFixed(2)) {
  return `${show(median)} [${show(min)}-${show(max)}]`;
}

// A row: {what, measured, beside, result, goal, met, details: [text]}. met undefined: no goal.
export function printTable(rows) {
  const titles = ['', 'measured', 'beside', 'result', 'goal', ''];
  const cells = rows.map((row) => [
    row.what,
    row.measured ?? '',
    row.beside ?? '',
    row.result ?? '',
    row.goal ?? '',
    verdict(row),
  ]);
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((cell) => cell[i].length)));
  const line = (cell) =>
    cell
      .map((text, i) => text.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  console.log(line(titles));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const cell of cells) console.log(line(cell));
  const details = rows.filter((row) => row.details?.length);
  if (details.length) console.log('');
  for (const row of details) {
    console.log(`${row.what}:`);
    for (const text of row.details) console.log(`  ${text}`);
  }
}

function verdict({ met }) {
  return met === undefined ? '' : met ? 'reached' : 'MISSED';
}
