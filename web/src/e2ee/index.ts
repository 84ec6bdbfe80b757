// The page's side of end-to-end encryption. Keys, names and frames are handled
// in the worker; what comes out is what the page shows and what it may send.
import type { Bytes } from './bytes.ts';
import type { E2eeEvent, Media, Track, TrackKind, Unlocked } from './messages.ts';

export type {
  AnnouncementRefusal,
  Counters,
  DropReason,
  E2eeEvent,
  Media,
  Owner,
  SlotState,
  Track,
  TrackKind,
  Unlocked,
} from './messages.ts';

/** Why the worker did not do what it was asked. `superseded`: a newer `unlock` took its place. */
export type E2eeProblem = 'superseded' | 'lost' | 'refused';

/** A request to the worker that failed. */
export class E2eeError extends Error {
  constructor(readonly problem: E2eeProblem) {
    super(`end-to-end encryption: ${problem}`);
    this.name = 'E2eeError';
  }
}

/** One worker that holds the keys of one meeting. */
export class E2eeWorker {
  /** Called with everything that the worker tells; set it before the first call. */
  onEvent: ((event: E2eeEvent) => void) | null = null;

  /** Takes a worker that is already running. Pages call `start`; tests bring their own. */
  constructor(private readonly worker: Worker) {}

  /** Starts the worker through the Trusted Types policy `undertone`. */
  static start(): E2eeWorker {
    throw new E2eeError('lost');
  }

  /**
   * Derives the room's secret from the link and the password (null: it has none)
   * and returns what the server may see of it. With a password this takes
   * seconds; `unlock_progress` events tell how far it is. A second call ends the
   * first, which fails with `superseded`.
   */
  unlock(_secret: { link: Uint8Array; password: string | null }): Promise<Unlocked> {
    return Promise.reject(new E2eeError('lost'));
  }

  /** Takes a seat with a fresh salt: new keys, counters from zero. `room` is the room's id. */
  enter(_place: { room: string; seat: number }): Promise<void> {
    return Promise.reject(new E2eeError('lost'));
  }

  /** Seals one's name and tracks for the others. The server relays it unread. */
  announce(_what: { name: string; tracks: readonly Track[] }): Promise<Bytes> {
    return Promise.reject(new E2eeError('lost'));
  }

  /** Hands over what the server relayed from `seat`. */
  participantAnnounced(_seat: number, _sealed: Uint8Array): void {}

  /** Forgets the keys of `seat`. */
  participantLeft(_seat: number): void {}

  /** Encrypts what `sender` sends, from this very call on. Call it before `replaceTrack`. */
  attachSender(_sender: RTCRtpSender, _track: { track: number; kind: TrackKind }): void {}

  /** Decrypts what `receiver` receives. Call it synchronously in `ontrack`. */
  attachReceiver(_receiver: RTCRtpReceiver, _slot: { mid: string; kind: Media }): void {}

  /** Ends the worker and forgets all keys. */
  close(): void {
    this.worker.terminate();
  }
}
