// Sealing one's own frames. A sender context is one salt; its counters belong to
// (salt, key id) and outlive the transforms, so a nonce is never used twice.
import type { Codec } from './codec.ts';
import { concat, type Bytes } from './bytes.ts';
import { INTERIM_EPOCH, type KeySource } from './interim.ts';
import { keyIdNumber } from './kid.ts';
import { FRAME_BYTES_MAX, FRAMES_PER_KEY_MAX } from './limits.ts';
import type { DropReason } from './messages.ts';
import { makePrefix, type Layer } from './prefix.ts';
import { deriveFrameKey, sealFrame, type FrameKey } from './sframe.ts';

interface TrackKey {
  readonly key: FrameKey;
  /** The counter of the next frame; simulcast layers share it. */
  next: number;
}

/** The keys that one salt gives to one's own tracks. */
export class SenderContext {
  readonly #tracks = new Map<number, Promise<TrackKey>>();

  constructor(
    private readonly keys: KeySource,
    readonly seat: number,
    readonly salt: Bytes,
  ) {}

  /** The wire bytes of a frame of `track`, or why it is dropped. */
  async seal(track: number, codec: Codec, plaintext: Bytes, layer: Layer): Promise<Bytes | DropReason> {
    if (plaintext.length === 0) return 'empty';
    const prefix = plaintext.length > FRAME_BYTES_MAX ? null : makePrefix(codec, plaintext, layer);
    if (prefix === null) return 'malformed';
    const trackKey = await this.#trackKey(track);
    if (trackKey.next >= FRAMES_PER_KEY_MAX) return 'exhausted';
    // Taken before anything is awaited: no other frame can get the same counter.
    const counter = trackKey.next;
    trackKey.next += 1;
    return concat(prefix, await sealFrame(trackKey.key, BigInt(counter), prefix, plaintext));
  }

  #trackKey(track: number): Promise<TrackKey> {
    const known = this.#tracks.get(track);
    if (known !== undefined) return known;
    const deriving = this.#derive(track);
    this.#tracks.set(track, deriving);
    return deriving;
  }

  async #derive(track: number): Promise<TrackKey> {
    const keyId = keyIdNumber({ seat: this.seat, track, epoch: INTERIM_EPOCH });
    const baseKey = await this.keys.baseKey(this.seat, this.salt);
    const key = await deriveFrameKey(baseKey, BigInt(keyId), 'encrypt');
    baseKey.fill(0);
    return { key, next: 0 };
  }
}

