// The API's description (GET /v1/openapi.json) as tests use it: its operations, what each may answer,
// and whether an answer is as described.
import assert from 'node:assert/strict';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

// "#/components/schemas/Call" as a path that a JSON pointer in a $ref can follow.
const pointer = (...parts) => '#/' + parts.map(escapePart).join('/');
const escapePart = (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

export class Description {
  // "npm ci" in tests/e2e brings what reads schemas.
  static async of(document) {
    const { default: Ajv } = await import('ajv/dist/2020.js');
    const { default: addFormats } = await import('ajv-formats');
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    ajv.addSchema(document, 'api');
    return Object.assign(new Description(), { document, ajv, checks: new Map() });
  }

  // What stands where, $refs followed: {value, at}.
  find(at) {
    let value = this.document;
    for (const part of at.slice(2).split('/'))
      value = value?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
    assert.notEqual(value, undefined, `nothing is at ${at}`);
    return value.$ref && Object.keys(value).length === 1 ? this.find(value.$ref) : { value, at };
  }

  // What is wrong with a value, or null. at: of a schema.
  problem(at, value) {
    if (!this.checks.has(at)) this.checks.set(at, this.ajv.compile({ $ref: `api${at}` }));
    const check = this.checks.get(at);
    return check(value) ? null : this.ajv.errorsText(check.errors, { separator: '; ' });
  }

  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map(
        (method) => new Operation(this, path, method, pointer('paths', path, method), item[method]),
      ),
    );
  }
}

class Operation {
  constructor(description, path, method, at, value) {
    const { operationId: id, responses } = value;
    Object.assign(this, { description, path, at, value, id, method: method.toUpperCase() });
    this.name = `${this.method} ${path}`;
    this.statuses = Object.keys(responses).filter((status) => status !== 'default');
  }

  get parameters() {
    return (this.value.parameters ?? []).map((_, i) => this.description.find(`${this.at}/parameters/${i}`));
  }

  // {at, schema, examples, required} of its JSON body, or undefined.
  get body() {
    const { requestBody } = this.value;
    if (!requestBody) return undefined;
    const media = requestBody.content['application/json'];
    const at = `${this.at}/requestBody/content/${escapePart('application/json')}/schema`;
    const examples = media.examples
      ? Object.values(media.examples).map(({ value }) => value)
      : [media.example ?? {}];
    return { at, examples, required: requestBody.required === true };
  }

  // The bodies that are called good here, and whether a schema agrees.
  needs(scheme) {
    return (this.value.security ?? []).find((one) => scheme in one);
  }

  // Fails unless the answer is one of those described: status, type, headers, body.
  check(answer) {
    const what = `${this.name} -> ${answer.status} ${answer.text.slice(0, 600)}`;
    assert.ok(this.statuses.includes(String(answer.status)), `a status that is not described: ${what}`);
    this.description.checkAnswer(`${this.at}/responses/${answer.status}`, answer, what);
  }
}

Description.prototype.checkAnswer = function checkAnswer(at, answer, what) {
  const { value, at: place } = this.find(at);
  for (const name of Object.keys(value.headers ?? {})) {
    const header = this.find(`${place}/headers/${escapePart(name)}`);
    const sent = [answer.headers[name.toLowerCase()]].flat()[0];
    assert.ok(sent !== undefined || !header.value.required, `no header ${name}: ${what}`);
    if (sent !== undefined)
      assert.equal(this.problem(`${header.at}/schema`, sent), null, `${name}: ${sent}: ${what}`);
  }
  const types = Object.keys(value.content ?? {});
  assert.deepEqual([(answer.headers['content-type'] ?? '').split(';')[0]], types, what);
  const schema = `${place}/content/${escapePart(types[0])}/schema`;
  assert.equal(this.problem(schema, answer.json), null, what);
};
