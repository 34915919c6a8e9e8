// Another way to the same database, one that a test can take away: a UNIX socket whose connections
// are handed on.
import net from 'node:net';

export class DatabaseProxy {
  // silent: connections are taken and never answered.
  constructor(file, target, { silent = false } = {}) {
    Object.assign(this, { file, target, silent, connections: new Set(), taken: 0 });
  }

  async start() {
    this.server = net.createServer((client) => this.#connected(client));
    await new Promise((done, fail) => {
      this.server.once('error', fail);
      this.server.listen({ path: this.file, writableAll: true, readableAll: true }, done);
    });
    return this;
  }

  #connected(client) {
    this.taken++;
    this.#keep(client);
    if (this.silent) return;
    const onward = net.connect(this.target);
    this.#keep(onward);
    client.pipe(onward).pipe(client);
    client.on('close', () => onward.destroy());
    onward.on('close', () => client.destroy());
  }

  #keep(socket) {
    this.connections.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.connections.delete(socket));
  }

  // How many connections stand.
  get open() {
    return this.silent ? this.connections.size : this.connections.size / 2;
  }

  // As a host that dies: what stands breaks, and nothing listens any more.
  async kill() {
    if (!this.server) return;
    const closed = new Promise((done) => this.server.close(done));
    this.server = undefined;
    for (const socket of this.connections) socket.destroy();
    await closed;
  }
}
