// Whose frames can be opened: the keys of the group's epochs. The key is taken
// by key id only; which member it is, the epoch's own list of leaves says.
import type { Bytes } from './bytes.ts';
import type { KeyMessage } from './group_messages.ts';
import { keyIdNumber, parseKeyId, type KeyId } from './kid.ts';
import type { TrackKind } from './messages.ts';
import { ReplayWindow } from './replay.ts';
import { deriveFrameKey, type FrameKey } from './sframe.ts';

/** One track of one member. Its identity is whose picture a tile shows. */
export interface Stream {
  readonly member: string;
  readonly seat: number;
  readonly track: number;
  /** From the member's own announcement. */
  readonly kind: TrackKind;
  /** The member is gone, or sends this track no longer. */
  readonly isOver: boolean;
}

type MutableStream = { -readonly [Name in keyof Stream]: Stream[Name] };

/** What opens the frames of one key id. */
export interface Opening {
  readonly stream: Stream;
  readonly key: FrameKey;
  readonly replay: ReplayWindow;
  /** Its counters rise from one epoch to the next: what a counter of this epoch is among all. */
  readonly base: bigint;
  /** Whether the key was wiped meanwhile. */
  isOver(): boolean;
}

/** Why a key id opens nothing. */
export type NoStream = 'waiting_for_key' | 'announcement_refused' | 'removed';

interface Epoch {
  readonly epoch: number;
  readonly baseKey: Bytes;
  readonly leaf: number;
  readonly members: Map<number, string>;
  /** Leaves whose member is gone. */
  readonly gone: Set<number>;
  readonly keys: Map<number, Promise<FrameKey>>;
  readonly replays: Map<number, ReplayWindow>;
  isOver: boolean;
}

interface Person {
  seat: number | null;
  readonly streams: Map<number, MutableStream>;
}

/** Counters have 64 bits, of which no call uses more than these. */
const COUNTER_BITS = 48n;

/** All keys for opening. */
export class Keyring {
  /** Newest last. */
  #epochs: Epoch[] = [];
  readonly #people = new Map<string, Person>();
  readonly #waiting = new Set<{ readonly number: bigint; readonly done: () => void }>();

  /** Takes what the group says. */
  take(message: KeyMessage): void {
    switch (message.type) {
      case 'epoch':
        this.#forget(message.epoch);
        this.#epochs.push({
          epoch: message.epoch,
          baseKey: message.baseKey,
          leaf: message.leaf,
          members: new Map(message.members.map(({ leaf, member }) => [leaf, member])),
          gone: new Set(),
          keys: new Map(),
          replays: new Map(),
          isOver: false,
        });
        this.#wake();
        break;
      case 'forget':
        this.#forget(message.epoch);
        break;
      case 'forget_leaf':
        for (const epoch of this.#epochs) {
          if (epoch.epoch < message.before) this.#forgetLeaf(epoch, message.leaf);
        }
        break;
      case 'person':
        this.#seat(message.member, message.seat, message.tracks);
        this.#wake();
        break;
      case 'gone':
        for (const stream of this.#people.get(message.member)?.streams.values() ?? []) stream.isOver = true;
        this.#people.delete(message.member);
        break;
      case 'send':
      case 'stop':
        break;
    }
  }

  /** What opens a header's key id, or why nothing does. */
  async find(number: bigint): Promise<Opening | NoStream> {
    const keyId = parseKeyId(number);
    const epoch = keyId === null ? undefined : this.#epoch(keyId.epoch);
    if (keyId === null || epoch === undefined || keyId.leaf === epoch.leaf) return 'waiting_for_key';
    if (epoch.gone.has(keyId.leaf)) return 'removed';
    const member = epoch.members.get(keyId.leaf);
    const person = member === undefined ? undefined : this.#people.get(member);
    if (person === undefined) return 'waiting_for_key';
    if (person.seat === null) return 'announcement_refused';
    const stream = person.streams.get(keyId.track);
    if (stream === undefined || stream.isOver) return 'waiting_for_key';
    const key = await this.#key(epoch, keyId);
    const replay = epoch.replays.get(Number(number)) ?? new ReplayWindow();
    epoch.replays.set(Number(number), replay);
    const isOver = (): boolean => epoch.isOver || stream.isOver || epoch.gone.has(keyId.leaf);
    return { stream, key, replay, base: BigInt(epoch.epoch) << COUNTER_BITS, isOver };
  }

  /** Whether the epoch of a key id is there. */
  knows(number: bigint): boolean {
    const keyId = parseKeyId(number);
    return keyId === null || this.#epoch(keyId.epoch) !== undefined;
  }

  /** Resolves once the epoch of a key id is there, or after so many milliseconds. */
  next(number: bigint, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = {
        number,
        done: (): void => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve();
        },
      };
      const timer = setTimeout(waiting.done, ms);
      this.#waiting.add(waiting);
    });
  }

  #epoch(lowBits: number): Epoch | undefined {
    return this.#epochs.findLast(({ epoch }) => (epoch & 0xff) === lowBits);
  }

  #key(epoch: Epoch, keyId: KeyId): Promise<FrameKey> {
    const number = keyIdNumber(keyId);
    const known = epoch.keys.get(number);
    if (known !== undefined) return known;
    const deriving = deriveFrameKey(epoch.baseKey, BigInt(number), 'decrypt');
    epoch.keys.set(number, deriving);
    return deriving;
  }

  #forget(number: number): void {
    for (const epoch of this.#epochs) if (epoch.epoch === number) wipe(epoch);
    this.#epochs = this.#epochs.filter(({ epoch }) => epoch !== number);
  }

  #forgetLeaf(epoch: Epoch, leaf: number): void {
    epoch.gone.add(leaf);
    epoch.members.delete(leaf);
    for (const number of epoch.keys.keys()) {
      if (parseKeyId(BigInt(number))?.leaf === leaf) epoch.keys.delete(number);
    }
  }

  #seat(member: string, seat: number | null, tracks: readonly { number: number; kind: TrackKind }[]): void {
    const person = this.#people.get(member) ?? { seat, streams: new Map<number, MutableStream>() };
    this.#people.set(member, person);
    const isElsewhere = person.seat !== seat;
    person.seat = seat;
    for (const [number, stream] of person.streams) {
      const announced = tracks.find((track) => track.number === number);
      if (announced !== undefined && announced.kind === stream.kind && !isElsewhere) continue;
      stream.isOver = true;
      person.streams.delete(number);
    }
    if (seat === null) return;
    for (const { number: track, kind } of tracks) {
      if (!person.streams.has(track)) person.streams.set(track, { member, seat, track, kind, isOver: false });
    }
  }

  #wake(): void {
    for (const waiting of this.#waiting) if (this.knows(waiting.number)) waiting.done();
  }
}

function wipe(epoch: Epoch): void {
  epoch.isOver = true;
  epoch.baseKey.fill(0);
  epoch.keys.clear();
  epoch.replays.clear();
}
