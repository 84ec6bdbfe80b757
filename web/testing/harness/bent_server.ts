// Serves one bent page from its own port and hands its signaling to the real server.
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';

import { builtTo, type Bend } from './bends.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Headers of the real server that a page lives under. */
const POLICY = [
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-embedder-policy',
  'cross-origin-resource-policy',
  'permissions-policy',
  'referrer-policy',
];

/** A test server in front of the real one. */
export class BentServer {
  readonly url: string;
  private readonly http: HttpServer;
  private readonly sockets: ReadonlySet<Socket>;

  private constructor(http: HttpServer, sockets: ReadonlySet<Socket>) {
    this.http = http;
    this.sockets = sockets;
    this.url = `http://localhost:${(http.address() as AddressInfo).port}`;
  }

  /** Serves `bend` under the policy that the real server at `origin` gives its own page. */
  static async start(bend: Bend, origin: string): Promise<BentServer> {
    const shipped = await fetch(origin);
    const policy = POLICY.flatMap((name) => {
      const value = shipped.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    const sockets = new Set<Socket>();
    const http = createServer((request, response) => serveFile(builtTo(bend), policy, request, response));
    http.on('connection', (socket: Socket) => sockets.add(socket));
    http.on('upgrade', (request, socket, head) => tunnel(new URL(origin), request, socket as Socket, head, sockets));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new BentServer(http, sockets);
  }

  /** The same meeting, opened from here. */
  link(link: string): string {
    const { pathname, hash } = new URL(link);
    return `${this.url}${pathname}${hash}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }
}

function serveFile(
  folder: string,
  policy: readonly (readonly [string, string])[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const wanted = path.join(folder, path.normalize(pathname));
  const isFile = wanted.startsWith(folder) && (statSync(wanted, { throwIfNoEntry: false })?.isFile() ?? false);
  const isPage = pathname === '/' || pathname.startsWith('/r/');
  if (!isFile && !isPage) {
    response.writeHead(404).end();
    return;
  }
  const file = isFile ? wanted : path.join(folder, 'index.html');
  for (const [name, value] of policy) response.setHeader(name, value);
  response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream');
  response.setHeader('cache-control', 'no-store');
  response.end(readFileSync(file));
}

/** Repeats the upgrade to the real server under its own name, then copies bytes both ways. */
function tunnel(origin: URL, request: IncomingMessage, client: Socket, head: Buffer, sockets: Set<Socket>): void {
  const server = connect(Number(origin.port), '127.0.0.1', () => {
    const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
    for (const [name, value] of Object.entries({ ...request.headers, host: origin.host, origin: origin.origin })) {
      if (value !== undefined) lines.push(`${name}: ${String(value)}`);
    }
    server.write(`${lines.join('\r\n')}\r\n\r\n`);
    server.write(head);
    server.pipe(client);
    client.pipe(server);
  });
  sockets.add(server);
  const end = (): void => {
    server.destroy();
    client.destroy();
  };
  server.on('error', end).on('close', end);
  client.on('error', end).on('close', end);
}
