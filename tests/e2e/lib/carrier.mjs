// The handle on the outside carrier program: one process, any number of carriers in it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { send } from './http.mjs';
import { inTime, until } from './wait.mjs';

const PROGRAM = fileURLToPath(new URL('./carrier_program.mjs', import.meta.url));

export class CarrierProgram {
  // carriers: what those named are like from the first request on.
  static async start(port = 0, carriers = {}) {
    const program = new CarrierProgram();
    program.made = 0;
    await program.#run(port, carriers);
    return program;
  }

  async #run(port, carriers) {
    this.child = spawn(process.execPath, [PROGRAM, String(port), JSON.stringify(carriers)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await inTime(
      'the carrier program to say its port',
      once(createInterface(this.child.stdout), 'line'),
    );
    this.port = Number(line);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  // A carrier by a name of its own; its secret is told once the product has made one.
  carrier() {
    return new Carrier(this, `c${++this.made}`);
  }

  // Gone, with everything it knew; `start` on the same port brings an empty one.
  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  stop() {
    return this.kill();
  }
}

export class Carrier {
  constructor(program, name) {
    this.program = program;
    this.name = name;
    this.url = `${program.url}/c/${name}`;
    this.desk = `${program.url}/-/${name}`;
  }

  async behave(settings) {
    await send(this.desk, { method: 'PUT', body: JSON.stringify(settings) });
  }

  // Every dial that this carrier was asked for: {token, call_id, attempt, requests, rings, finds, callbacks, ...}.
  async dials(callId) {
    const { json } = await send(this.desk);
    const asked = json.dials.filter(({ requests }) => requests.length > 0);
    return asked.filter((dial) => callId === undefined || dial.call_id === callId);
  }

  async asked(callId, { attempt = 1, ...options } = {}) {
    return until(
      `the carrier to be asked for attempt ${attempt} of ${callId}`,
      async () => (await this.dials(callId)).find((dial) => dial.attempt === attempt),
      { seen: () => this.dials(callId), ...options },
    );
  }

  // Makes the carrier send one callback now; gives {status, json} of our product's answer.
  async tell(token, callback, options = {}) {
    const { json } = await send(this.desk, {
      method: 'POST',
      body: JSON.stringify({ token, callback, options }),
    });
    let answer;
    try {
      answer = JSON.parse(json.text);
    } catch {
      answer = undefined;
    }
    return { status: json.status, json: answer };
  }
}
