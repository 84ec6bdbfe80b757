// What the worker knows and does for one meeting: the secret, one's own sender
// context, everybody's keys, and the receive slots. It touches no global of the
// worker, so it runs in tests; `worker.ts` connects it.
import { openAnnouncement, SALT_LENGTH, sealAnnouncement } from './announcement.ts';
import type { Bytes } from './bytes.ts';
import { codecOf, mediaOf } from './codec.ts';
import { interimKeys, type KeySource } from './interim.ts';
import { Keyring } from './keyring.ts';
import {
  mediaOfTrack,
  type AnnouncementRefusal,
  type Counters,
  type DropReason,
  type E2eeEvent,
  type Media,
  type TrackKind,
} from './messages.ts';
import { Receiver } from './receiver.ts';
import { decodeRequest, decodeRole, zeroCounters, type Reply, type Request } from './requests.ts';
import type { DeriveSecret, Secret } from './secret.ts';
import { SenderContext } from './sender.ts';
import type { EncodedFrame, Step } from './transform.ts';

/** What a session stands on. */
export interface Ground {
  /** Tells the page. */
  readonly post: (message: Reply | E2eeEvent) => void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly derive: DeriveSecret;
}

/** What a transform can ask of its receiver. */
export interface Asking {
  sendKeyFrameRequest?: () => Promise<unknown>;
}

interface Place {
  readonly room: string;
  readonly seat: number;
  readonly keys: KeySource;
  readonly announcementKey: CryptoKey;
  readonly sender: SenderContext;
}

type InTurn = Exclude<Request, { type: 'unlock' }>;

/** Steps of progress that are worth a message. */
const PROGRESS_STEP = 0.02;

/** Ends a derivation that a newer one took the place of. */
class Superseded extends Error {}

/** One meeting in the worker. */
export class Session {
  readonly #counters = zeroCounters();
  #countersChanged = false;
  readonly #keyring = new Keyring();
  readonly #receiver: Receiver;
  #secret: Secret | null = null;
  #place: Place | null = null;
  #unlocking: number | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly ground: Ground) {
    this.#receiver = new Receiver(this.#keyring, ground.now, ground.post);
  }

  /** Takes a message of the page. Requests are done one after the other; only `unlock` runs beside. */
  handle(message: unknown): void {
    const request = decodeRequest(message);
    if (request === null) return;
    if (request.type === 'unlock') {
      void this.#unlock(request.id, request.link, request.password);
      return;
    }
    this.#turn = this.#turn.then(() => this.#perform(request));
  }

  /** When all requests so far are done. */
  settled(): Promise<void> {
    return this.#turn;
  }

  /** How frames of a transform are handled; null when its options are none of ours: then nothing flows. */
  step(options: unknown, transformer: Asking): Step | null {
    const role = decodeRole(options);
    if (role === null) return null;
    if (role.role === 'sender') return (frame) => this.#seal(frame, role.track, role.kind);
    return this.#openStep(role.mid, role.media, transformer);
  }

  /** Counts a dropped frame. */
  dropped(reason: DropReason): void {
    this.#count(reason);
  }

  /** Tells the page how many frames were handled, if there were any since the last time. */
  tick(): void {
    if (!this.#countersChanged) return;
    this.#countersChanged = false;
    this.ground.post({ type: 'statistics', counters: { ...this.#counters } });
  }

  #openStep(mid: string, media: Media, transformer: Asking): Step {
    const open = this.#receiver.attach(mid, media, () => {
      transformer.sendKeyFrameRequest?.().catch(() => undefined);
    });
    return async (frame) => {
      const reason = await open(frame);
      this.#count(reason ?? 'opened');
      return reason === null;
    };
  }

  async #seal(frame: EncodedFrame, track: number, kind: TrackKind): Promise<boolean> {
    const sealed = await this.#sealed(frame, track, kind);
    if (typeof sealed === 'string') {
      this.#count(sealed);
      return false;
    }
    frame.data = sealed.buffer;
    this.#count('sealed');
    return true;
  }

  async #sealed(frame: EncodedFrame, track: number, kind: TrackKind): Promise<Bytes | DropReason> {
    if (this.#place === null) return 'not_entered';
    const { mimeType, temporalIndex, spatialIndex } = frame.getMetadata();
    const codec = codecOf(mimeType);
    if (codec === null || mediaOf(codec) !== mediaOfTrack(kind)) return 'codec';
    const layer = { temporal: layerIndex(temporalIndex), spatial: layerIndex(spatialIndex) };
    return this.#place.sender.seal(track, codec, new Uint8Array(frame.data), layer);
  }

  async #unlock(id: number, link: Bytes, password: string | null): Promise<void> {
    this.#unlocking = id;
    let told = 0;
    const onProgress = (fraction: number) => {
      if (this.#unlocking !== id) throw new Superseded();
      if (fraction - told < PROGRESS_STEP) return;
      told = fraction;
      this.ground.post({ type: 'unlock_progress', fraction });
    };
    try {
      const secret = await this.ground.derive(link, password, onProgress);
      const gate = await secret.gate();
      const gateHash = new Uint8Array(await crypto.subtle.digest('SHA-256', gate));
      if (this.#unlocking !== id) throw new Superseded();
      this.#secret = secret;
      this.#leave();
      this.ground.post({ type: 'unlocked', id, gate, gateHash });
    } catch (error) {
      const problem = error instanceof Superseded ? 'superseded' : 'refused';
      this.ground.post({ type: 'failed', id, problem });
    }
  }

  async #perform(request: InTurn): Promise<void> {
    try {
      if (request.type === 'enter') await this.#enter(request.id, request.room, request.seat);
      else if (request.type === 'announce') await this.#announce(request);
      else if (request.type === 'participant_announced') await this.#announced(request.seat, request.sealed);
      else this.#left(request.seat);
    } catch {
      if ('id' in request) this.ground.post({ type: 'failed', id: request.id, problem: 'refused' });
    }
  }

  async #enter(id: number, room: string, seat: number): Promise<void> {
    this.#leave();
    if (this.#secret === null) throw new Error('nothing is unlocked');
    const keys = interimKeys(this.#secret, room);
    const announcementKey = await this.#secret.announcementKey();
    const salt = crypto.getRandomValues(new Uint8Array(SALT_LENGTH));
    this.#place = { room, seat, keys, announcementKey, sender: new SenderContext(keys, seat, salt) };
    this.ground.post({ type: 'entered', id });
  }

  async #announce({ id, name, tracks }: Extract<Request, { type: 'announce' }>): Promise<void> {
    if (this.#place === null) throw new Error('no seat is taken');
    const { room, seat, announcementKey, sender } = this.#place;
    const sealed = await sealAnnouncement(announcementKey, { room, seat, salt: sender.salt, name, tracks });
    if (typeof sealed === 'string') throw new Error(sealed);
    this.ground.post({ type: 'announced', id, sealed });
  }

  async #announced(seat: number, sealed: Bytes): Promise<void> {
    const place = this.#place;
    const refuse = (reason: AnnouncementRefusal) => {
      this.#keyring.refuse(seat);
      this.ground.post({ type: 'announcement_refused', seat, reason });
    };
    if (place === null) return refuse('unreadable');
    if (seat === place.seat) return refuse('own_seat');
    const opened = await openAnnouncement(place.announcementKey, sealed, { room: place.room, seat });
    if (typeof opened === 'string') return refuse(opened);
    const refusal = await this.#keyring.admit(opened, place.keys);
    this.#receiver.releaseEnded();
    if (refusal !== null) return refuse(refusal);
    this.ground.post({ type: 'participant', seat, name: opened.name, tracks: opened.tracks });
  }

  #left(seat: number): void {
    this.#keyring.remove(seat);
    this.#receiver.releaseEnded();
  }

  #leave(): void {
    this.#place = null;
    this.#keyring.clear();
    this.#receiver.releaseEnded();
  }

  #count(name: keyof Counters): void {
    this.#counters[name] += 1;
    this.#countersChanged = true;
  }
}

function layerIndex(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
