// Runs a responder as plain CGI, as a web server would, to say what a web server on this host
// can't: that the request came from elsewhere.
import { spawn } from 'node:child_process';
import { finish } from './program.mjs';

// What a request is to a program: its environment and its input.
function asCgi(
  system,
  { path, method = 'GET', query = '', remote = '127.0.0.1', headers = {}, body, config = system.env.HV_CONFIG },
) {
  const env = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    SERVER_SOFTWARE: 'test',
    REQUEST_METHOD: method,
    SCRIPT_NAME: '',
    PATH_INFO: path,
    QUERY_STRING: query,
    REMOTE_ADDR: remote,
    HUSKYVOICE_CONFIG: config,
  };
  for (const [name, value] of Object.entries(headers))
    env[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value;
  const input = body === undefined ? undefined : JSON.stringify(body);
  if (input !== undefined)
    Object.assign(env, { CONTENT_TYPE: 'application/json', CONTENT_LENGTH: String(Buffer.byteLength(input)) });
  return { env, input };
}

// The process, under way, whose answer nobody reads.
export function startCgi(system, program, request) {
  const { env, input } = asCgi(system, request);
  const child = spawn(system.responder(program), [], { env, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return child;
}

export async function runCgi(system, program, request) {
  const { env, input } = asCgi(system, request);
  const result = await finish(system.responder(program), [], { env, input });
  const [head, ...rest] = result.stdout.split('\r\n\r\n');
  const status = Number(/^Status: (\d+)/m.exec(head)?.[1]);
  if (!status)
    throw new Error(
      `${program} as CGI gave no status (exit ${result.code ?? result.signal}): ${result.stdout}${result.stderr}`,
    );
  return { status, head, text: rest.join('\r\n\r\n') };
}
