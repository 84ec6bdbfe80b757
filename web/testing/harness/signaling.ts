// What a page and the server say to each other, overheard or spoken by hand.
import { connect, type Socket } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';

import { eventually } from './wait.ts';

/** How long the server may take to answer a message, in milliseconds. */
const ANSWER_MS = 10_000;

/** A message as it stands on the wire. */
export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** Every text message that a page says and hears on its WebSockets; binary ones, which are the group's, apart. */
export class Overheard {
  readonly binary: Buffer[] = [];
  readonly sent: string[] = [];
  readonly received: string[] = [];

  constructor(page: Page) {
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (typeof payload === 'string') this.sent.push(payload);
        else this.binary.push(payload);
      });
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload === 'string') this.received.push(payload);
        else this.binary.push(payload);
      });
    });
  }

  /** Everything that the page heard, parsed. */
  messages(): Message[] {
    return this.received.map(read);
  }

  /** How many messages of this type the page heard. */
  count(type: string): number {
    return this.messages().filter((message) => message.type === type).length;
  }

  /** The last `hello` that the page sent: room and gate. */
  async hello(): Promise<Message> {
    return sure(
      await eventually(
        'the page says hello',
        () => this.sent.map(read).findLast((message) => message.type === 'hello'),
        (found) => found !== undefined,
      ),
    );
  }
}

function read(text: string): Message {
  const value: unknown = JSON.parse(text);
  if (!isMessage(value)) throw new Error(`This is no message: ${text}`);
  return value;
}

function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There is nothing.');
  return value;
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** A client without a browser: it speaks signaling and has no media. */
export class BareClient {
  readonly received: Message[] = [];
  /** The code with which the server closed, or null. */
  closeCode: number | null = null;
  private readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.received.push(read(data));
    });
    socket.addEventListener('close', (event) => (this.closeCode = event.code));
    // A refused or reset connection ends in `close` too.
    socket.addEventListener('error', () => {});
  }

  /** Opens a connection to the server at `origin`. */
  static async open(origin: string): Promise<BareClient> {
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/ws`);
    const client = new BareClient(socket);
    await eventually('a WebSocket opens', () => socket.readyState, (state) => state === WebSocket.OPEN);
    return client;
  }

  /** Takes a seat with a `hello` that a page has sent before. */
  static async join(origin: string, hello: Message): Promise<BareClient> {
    const client = await BareClient.open(origin);
    client.say(hello);
    await client.hears('joined');
    return client;
  }

  /** Sends a message, or text that is none. */
  say(message: Message | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends bytes in a binary message. */
  sayBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.socket.send(bytes);
  }

  /** Waits for the first message of this type. */
  async hears(type: string): Promise<Message> {
    const found = (): Message | undefined => this.received.find((one) => one.type === type);
    return sure(await eventually(`the server says ${type}`, found, (message) => message !== undefined, ANSWER_MS));
  }

  /** Waits until the server has closed the connection. */
  async isClosed(): Promise<void> {
    await eventually('the server closes', () => this.closeCode, (code) => code !== null, ANSWER_MS);
  }

  close(): void {
    this.socket.close();
  }
}

/** The constant of RFC 6455, section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Opens a WebSocket by hand, for frames that no library would send. */
export async function rawWebSocket(origin: string): Promise<Socket> {
  const { hostname, port, host } = new URL(origin);
  const key = randomBytes(16).toString('base64');
  const socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname);
  let answer = '';
  const listen = (chunk: Buffer): void => void (answer += chunk.toString('latin1'));
  socket.on('data', listen).on('error', () => {});
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await eventually('the server upgrades', () => answer, (text) => text.includes('\r\n\r\n'), ANSWER_MS);
  const accept = createHash('sha1').update(key + WEBSOCKET_GUID).digest('base64');
  if (!answer.includes(accept)) throw new Error(`The server did not upgrade: ${answer}`);
  return socket;
}

/** A masked frame of RFC 6455, section 5.2, with a first byte of one's choice (FIN, reserved bits, opcode). */
export function frame(firstByte: number, payload: Buffer, announcedLength: number = payload.length): Buffer {
  const mask = randomBytes(4);
  const head = announcedLength < 126 ? Buffer.alloc(2) : announcedLength < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = firstByte;
  if (head.length === 2) head[1] = 0x80 | announcedLength;
  else if (head.length === 4) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(announcedLength, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(announcedLength), 2);
  }
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}
