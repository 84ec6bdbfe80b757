// A stretch of network between a page and the server's TCP port that a test can cut. Media does not pass here.
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';

/** Passes TCP connections on to the server, until it is told otherwise. */
export class Relay {
  readonly url: string;
  private readonly listener: TcpServer;
  private readonly connections: Set<Socket>;
  /** Whether connections are let through. */
  private isOpen = true;

  private constructor(listener: TcpServer, connections: Set<Socket>) {
    this.listener = listener;
    this.connections = connections;
    this.url = `http://localhost:${(listener.address() as AddressInfo).port}`;
  }

  /** Listens on a free port of this machine, for the server at `origin`. */
  static async start(origin: string): Promise<Relay> {
    const port = Number(new URL(origin).port);
    const connections = new Set<Socket>();
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(listener, connections);
    listener.on('connection', (page) => relay.pass(page, port));
    return relay;
  }

  /** The same meeting, opened through here. */
  link(link: string): string {
    const { pathname, hash } = new URL(link);
    return `${this.url}${pathname}${hash}`;
  }

  /** Breaks every connection, without a word to either side. New ones are let through. */
  cut(): void {
    for (const socket of this.connections) socket.resetAndDestroy();
    this.connections.clear();
  }

  /** Breaks every connection and lets none through until `mend`. */
  block(): void {
    this.isOpen = false;
    this.cut();
  }

  /** Lets connections through again. */
  mend(): void {
    this.isOpen = true;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }

  private pass(page: Socket, port: number): void {
    if (!this.isOpen) {
      page.on('error', () => {});
      page.resetAndDestroy();
      return;
    }
    const server = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [page, server],
      [server, page],
    ] as const) {
      this.connections.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.connections.delete(one);
        other.destroy();
      });
    }
  }
}
