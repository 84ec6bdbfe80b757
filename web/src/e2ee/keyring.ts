// Whose frames can be opened: the keys and replay windows of the others. A
// replay window outlives its key: it stays as long as the worker, so that no
// leaving and coming back lets old frames in again.
import { toBase64url, type Bytes } from './bytes.ts';
import type { Announcement } from './announcement.ts';
import { INTERIM_EPOCH, type KeySource } from './interim.ts';
import { keyIdNumber, parseKeyId } from './kid.ts';
import { CONTEXTS_MAX } from './limits.ts';
import type { AnnouncementRefusal, TrackKind } from './messages.ts';
import { ReplayWindow } from './replay.ts';
import { deriveFrameKey, type FrameKey } from './sframe.ts';

/** One track of one participant under one salt. Its identity is whose picture a tile shows. */
export interface Stream {
  readonly seat: number;
  readonly track: number;
  /** From the participant's own announcement. */
  readonly kind: TrackKind;
  readonly replay: ReplayWindow;
  /** null while the participant is away. */
  readonly key: FrameKey | null;
}

type MutableStream = { -readonly [Name in keyof Stream]: Stream[Name] };

/** What one participant sends under one salt. */
interface Context {
  readonly seat: number;
  readonly streams: Map<number, MutableStream>;
  superseded: boolean;
}

/** Why a key id opens nothing. */
export type NoStream = 'waiting_for_key' | 'announcement_refused';

/** All keys for opening. */
export class Keyring {
  readonly #contexts = new Map<string, Context>();
  readonly #current = new Map<number, Context>();
  readonly #refused = new Set<number>();

  /** The stream of a header's key id, or why there is none. */
  find(number: bigint): Stream | NoStream {
    const keyId = parseKeyId(number);
    if (keyId === null || keyId.epoch !== INTERIM_EPOCH) return 'waiting_for_key';
    const stream = this.#current.get(keyId.seat)?.streams.get(keyId.track);
    if (stream !== undefined && stream.key !== null) return stream;
    return this.#refused.has(keyId.seat) ? 'announcement_refused' : 'waiting_for_key';
  }

  /** Takes what a participant announced. Its earlier keys end when the salt is another. */
  async admit(announcement: Announcement, keys: KeySource): Promise<AnnouncementRefusal | null> {
    const { seat, salt } = announcement;
    const name = `${announcement.room}/${seat}/${toBase64url(salt)}`;
    const known = this.#contexts.get(name);
    if (known?.superseded === true) return 'superseded';
    if (known === undefined && this.#contexts.size >= CONTEXTS_MAX) return 'too_many';
    const context = known ?? { seat, streams: new Map<number, MutableStream>(), superseded: false };
    this.#contexts.set(name, context);
    const earlier = this.#current.get(seat);
    if (earlier !== undefined && earlier !== context) {
      earlier.superseded = true;
      endKeys(earlier);
    }
    await giveKeys(context, announcement, keys);
    this.#current.set(seat, context);
    this.#refused.delete(seat);
    return null;
  }

  /** Remembers that `seat` announced what we cannot accept. Keys that it has stay. */
  refuse(seat: number): void {
    this.#refused.add(seat);
  }

  /** Ends the keys of a participant that left. */
  remove(seat: number): void {
    const context = this.#current.get(seat);
    if (context !== undefined) endKeys(context);
    this.#current.delete(seat);
    this.#refused.delete(seat);
  }

  /** Ends everybody's keys. */
  clear(): void {
    for (const seat of this.#current.keys()) this.remove(seat);
    this.#refused.clear();
  }
}

function endKeys(context: Context): void {
  for (const stream of context.streams.values()) stream.key = null;
}

async function giveKeys(context: Context, { seat, salt, tracks }: Announcement, keys: KeySource): Promise<void> {
  const baseKey: Bytes = await keys.baseKey(seat, salt);
  const announced = new Set(tracks.map(({ number }) => number));
  for (const stream of context.streams.values()) if (!announced.has(stream.track)) stream.key = null;
  for (const { number: track, kind } of tracks) {
    const keyId = BigInt(keyIdNumber({ seat, track, epoch: INTERIM_EPOCH }));
    const stream = context.streams.get(track);
    const key = stream?.key ?? (await deriveFrameKey(baseKey, keyId, 'decrypt'));
    if (stream === undefined) {
      context.streams.set(track, { seat, track, kind, replay: new ReplayWindow(), key });
    } else {
      stream.kind = kind;
      stream.key = key;
    }
  }
  baseKey.fill(0);
}
