// A way to the server whose TCP connections a test can cut, as a network does: without a word to either side's
// WebSocket. Media takes no part in it: it goes straight to the server's own port.
import { connect, createServer, type Server as Listener, type Socket } from 'node:net';

/** A listening port in front of a server. */
export class Cuttable {
  readonly url: string;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private isOpen = true;

  private constructor(
    private readonly listener: Listener,
    port: number,
    private readonly serverPort: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    listener.on('connection', (client) => this.join(client));
  }

  /** Opens a port that leads to `serverPort` on this machine. */
  static async open(serverPort: number): Promise<Cuttable> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()));
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('the port has no number');
    return new Cuttable(listener, address.port, serverPort);
  }

  /** Cuts every connection, and every new one until `mend`. */
  cut(): void {
    this.isOpen = false;
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
    this.pairs.clear();
  }

  mend(): void {
    this.isOpen = true;
  }

  close(): void {
    this.cut();
    this.listener.close();
  }

  private join(client: Socket): void {
    if (!this.isOpen) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.serverPort, '127.0.0.1');
    const pair = [client, server] as const;
    this.pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.pipe(to);
      // A cut is no error of the test.
      from.on('error', () => to.destroy());
      from.on('close', () => this.pairs.delete(pair));
    }
  }
}
