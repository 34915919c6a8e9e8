// Somebody with a browser: a cookie, the token against forged requests, and an address of their own.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { send } from './http.mjs';

let people = 0;

export class Person {
  constructor(system, { email, password = 'correct horse battery' } = {}) {
    this.system = system;
    this.email = email ?? `person${process.pid}x${++people}@example.com`;
    this.password = password;
  }

  // Makes the account as the operator does, and signs in.
  static async member(system, workspaceId, role, options) {
    const person = new Person(system, options);
    await person.create(workspaceId, role);
    await person.signIn();
    return person;
  }

  async create(workspaceId, role) {
    const file = path.join(this.system.dir, `password-${++people}`);
    writeFileSync(file, `${this.password}\n`, { mode: 0o600 });
    const args = ['--email', this.email, '--workspace', workspaceId, '--role', role, '--name', 'A Person'];
    const made = await this.system.admin('user', 'create', ...args, '--password-file', file);
    this.user_id = made.user_id;
    return made;
  }

  // csrf: another token, or null for none.
  async send(method, at, body, { csrf = this.csrf, headers = {} } = {}) {
    const all = { ...headers };
    if (this.cookie) all.Cookie = this.cookie;
    if (csrf) all['X-CSRF-Token'] = csrf;
    if (body !== undefined) all['Content-Type'] = 'application/json';
    const answer = await send(this.system.url + at, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      agent: this.system.agent,
    });
    this.keep(answer);
    return answer;
  }

  keep(answer) {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair] = line.split(';');
      if (pair.startsWith('hv_session=')) this.cookie = pair === 'hv_session=' ? undefined : pair;
    }
    if (answer.json?.data?.csrf_token) this.csrf = answer.json.data.csrf_token;
  }

  async signIn(password = this.password) {
    this.cookie = undefined;
    const answer = await this.send('POST', '/v1/session', { email: this.email, password });
    assert.equal(answer.status, 201, answer.text);
    this.user_id = answer.json.data.user.user_id;
    return answer;
  }
}
