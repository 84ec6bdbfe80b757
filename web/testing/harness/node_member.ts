// A member of the group without a browser and without media, in this process: what it knows, a test can look for.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { GroupMember, initSync, Keys } from '../../src/e2ee/wasm/e2ee.js';
import { eventually } from './wait.ts';

/** How often its timers are looked at, in milliseconds. */
const TICK_MS = 20;

/** A member that is in a meeting. */
export class NodeMember {
  /** What it heard of media keys: the base key of each epoch (16 bytes). */
  readonly baseKeys: Uint8Array[] = [];
  private readonly keys: Keys;
  private readonly member: GroupMember;
  private readonly socket: WebSocket;
  private readonly ticking: NodeJS.Timeout;
  private isSeated = false;

  private constructor(link: URL, name: string, password: string | null) {
    initSync({ module: readFileSync(path.join(import.meta.dirname, '../../src/e2ee/wasm/e2ee_bg.wasm')) });
    const room = link.pathname.split('/').at(-1) ?? '';
    this.keys = new Keys(link.hash.slice(1), password ?? undefined);
    const seed = crypto.getRandomValues(new Uint8Array(32));
    this.member = new GroupMember(this.keys, room, (Date.now() - performance.now()) / 1_000, seed, undefined);
    this.socket = new WebSocket(`${link.origin.replace(/^http/, 'ws')}/ws`);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('open', () => {
      const gate = Buffer.from(this.keys.gate()).toString('base64url');
      this.socket.send(JSON.stringify({ type: 'hello', version: 1, room, gate, media: false }));
    });
    this.socket.addEventListener('message', ({ data }) => this.hear(data, name));
    this.ticking = setInterval(() => this.tick(), TICK_MS);
  }

  /** Joins a meeting and waits until everybody in it can be heard of. */
  static async join(link: string, name: string, password: string | null): Promise<NodeMember> {
    const member = new NodeMember(new URL(link), name, password);
    await eventually(`${name} is in the group`, () => member.member.members(), (members) => members > 1);
    return member;
  }

  /** Equal for all who are in the epoch. */
  get authenticator(): Uint8Array {
    return this.member.epoch_authenticator() ?? new Uint8Array();
  }

  /** Renews its own keys: there is a next epoch. */
  update(): void {
    this.member.update(performance.now());
    this.settle();
  }

  leave(): void {
    clearInterval(this.ticking);
    this.socket.close();
    this.member.free();
    this.keys.free();
  }

  private hear(data: unknown, name: string): void {
    const now = performance.now();
    if (data instanceof ArrayBuffer) {
      this.member.message(new Uint8Array(data), now);
    } else if (typeof data === 'string' && !this.isSeated) {
      const message: unknown = JSON.parse(data);
      if (!isJoined(message)) throw new Error(`The server says: ${data}`);
      this.isSeated = true;
      this.member.announce(message.seat, name, false, false, new Uint8Array([0, 1]), now);
      this.member.connected(now);
    }
    this.settle();
  }

  private tick(): void {
    const due = this.member.next_timeout();
    if (due !== undefined && due <= performance.now()) this.member.timeout(performance.now());
    this.settle();
  }

  private settle(): void {
    for (let frame = this.member.next_message(); frame !== undefined; frame = this.member.next_message()) {
      this.socket.send(new Uint8Array(frame));
    }
    for (;;) {
      const event: unknown = this.member.next_event();
      if (event === undefined || event === null) break;
      if (isEpoch(event)) this.baseKeys.push(new Uint8Array(event.baseKey));
    }
  }
}

function isJoined(message: unknown): message is { readonly seat: number } {
  return typeof message === 'object' && message !== null && 'seat' in message && typeof message.seat === 'number';
}

function isEpoch(event: unknown): event is { readonly baseKey: Uint8Array } {
  return typeof event === 'object' && event !== null && 'baseKey' in event && event.baseKey instanceof Uint8Array;
}
