// One WebSocket to signaling: text in, checked messages out, frames passed on, and a pulse that notices silence.
import { decodeServerMessage } from './decode.ts';
import { IDLE_TIMEOUT_MS, PING_INTERVAL_MS, type ClientMessage, type ServerMessage } from './generated.ts';
import { DecodeError } from './json.ts';

/** What happens on a connection. `closed` comes once and last. */
export interface SocketEvents {
  opened(): void;
  /** A ping was answered: the connection works. */
  steady(): void;
  message(message: ServerMessage): void;
  /** A binary message: a frame of the delivery service. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  closed(): void;
}

/**
 * How long a connection that is doubted may be silent, in milliseconds: several round trips around the world, and
 * short enough that somebody whose computer woke up does not look for the reason.
 */
const CHECK_TIMEOUT_MS = 4_000;

/** The part of a WebSocket that is used here. */
export type WebSocketLike = Pick<WebSocket, 'onopen' | 'onmessage' | 'onclose' | 'send' | 'close' | 'binaryType'>;

/** A connection to signaling. */
export class SignalingSocket {
  private pulse: ReturnType<typeof setInterval> | null = null;
  private doubt: ReturnType<typeof setTimeout> | null = null;
  private heardAt = 0;
  private open = false;
  private over = false;

  constructor(
    private readonly socket: WebSocketLike,
    private readonly events: SocketEvents,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.heardAt = now();
    // Running before the connection is open, so that a server that never answers is noticed too.
    this.pulse = setInterval(() => this.beat(), PING_INTERVAL_MS);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (this.over) return;
      this.open = true;
      this.heardAt = this.now();
      events.opened();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => this.end();
  }

  /** Says `message`; nothing happens when the connection is not open. */
  send(message: ClientMessage): void {
    if (this.open && !this.over) this.socket.send(JSON.stringify(message));
  }

  /** Hands over a binary message; nothing happens when the connection is not open. */
  sendFrame(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.open && !this.over) this.socket.send(bytes);
  }

  /** Asks for a sign of life now. A connection that gives none is over in seconds. */
  check(): void {
    if (this.over || this.doubt !== null) return;
    this.send({ type: 'ping' });
    this.doubt = setTimeout(() => this.giveUp(), CHECK_TIMEOUT_MS);
  }

  /** Closes the connection and tells nobody. */
  close(): void {
    this.stop();
    this.socket.close();
  }

  private receive(data: unknown): void {
    if (this.over) return;
    this.heardAt = this.now();
    this.endDoubt();
    if (data instanceof ArrayBuffer) {
      this.events.frame(new Uint8Array(data));
      return;
    }
    let message: ServerMessage;
    try {
      if (typeof data !== 'string') throw new DecodeError('syntax');
      message = decodeServerMessage(data);
    } catch {
      // A server that we do not understand is as good as none.
      this.end();
      this.socket.close();
      return;
    }
    if (message.type === 'pong') this.events.steady();
    else this.events.message(message);
  }

  private beat(): void {
    if (this.now() - this.heardAt >= IDLE_TIMEOUT_MS) this.giveUp();
    else this.send({ type: 'ping' });
  }

  /**
   * Gives up a connection that is silent. It is not closed: the words of goodbye could still arrive, later than the
   * page that comes back, and the server would give up the seat for them. The owner calls `close` when it may.
   */
  private giveUp(): void {
    const wasOpen = this.open;
    this.end();
    if (!wasOpen) this.socket.close();
  }

  private endDoubt(): void {
    if (this.doubt !== null) clearTimeout(this.doubt);
    this.doubt = null;
  }

  private end(): void {
    if (this.over) return;
    this.stop();
    this.events.closed();
  }

  private stop(): void {
    this.over = true;
    if (this.pulse !== null) clearInterval(this.pulse);
    this.pulse = null;
    this.endDoubt();
  }
}

/** Opens a connection to the server that this page came from. */
export function connect(events: SocketEvents): SignalingSocket {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new SignalingSocket(new WebSocket(url), events);
}
