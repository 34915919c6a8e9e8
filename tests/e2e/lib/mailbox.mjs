// A stand-in for sendmail: a program that keeps each mail it is given in a file of its own, with its
// arguments in front.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './wait.mjs';

export class Mailbox {
  static async create(root) {
    const box = new Mailbox();
    box.dir = path.join(root, 'mails');
    box.program = path.join(root, 'sendmail');
    mkdirSync(box.dir);
    chmodSync(box.dir, 0o777); // whoever the servers run as
    writeFileSync(
      box.program,
      `#!/bin/sh
new=$(mktemp ${box.dir}/new.XXXXXXXX) || exit 75
{ echo "$*"; cat; } >"$new" && chmod 644 "$new" && mv "$new" "${box.dir}/mail.\${new##*.}"
`,
    );
    chmodSync(box.program, 0o755);
    return box;
  }

  // All mails to the address: {args, headers, subject, body, text}.
  to(address) {
    return readdirSync(this.dir)
      .filter((name) => name.startsWith('mail.'))
      .map((name) => parse(readFileSync(path.join(this.dir, name), 'utf8')))
      .filter(({ headers }) => headers.to === `<${address}>`);
  }

  // The n-th mail to the address, when it has come.
  wait(address, n = 1) {
    return until(`mail ${n} to ${address}`, () => this.to(address).length >= n && this.to(address), {
      within: 20_000,
    }).then((all) => all.sort((a, b) => a.date - b.date)[n - 1]);
  }

  // The token of the link in the newest mail to the address.
  async token(address, name, n = 1) {
    await this.wait(address, n);
    const tokens = this.to(address).map(({ body }) => new RegExp(`/#${name}=([0-9a-z]+)`).exec(body)?.[1]);
    const found = tokens.filter(Boolean);
    if (!found.length) throw new Error(`no link "${name}" in the mail to ${address}`);
    return found[found.length - 1];
  }
}

function parse(text) {
  const [args, ...rest] = text.split('\n');
  const mail = rest.join('\n');
  const end = mail.indexOf('\n\n');
  const headers = {};
  for (const line of mail.slice(0, end).replace(/\n /g, ' ').split('\n')) {
    const colon = line.indexOf(': ');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
  }
  const raw = mail.slice(end + 2);
  const body =
    headers['content-transfer-encoding'] === 'base64' ? Buffer.from(raw, 'base64').toString('utf8') : raw;
  return { args, headers, body, text, date: Date.parse(headers.date) };
}
