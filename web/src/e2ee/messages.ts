// What the page and its E2EE worker say to each other. Messages are decoded and
// checked on arrival, never cast.
import type { Bytes } from './bytes.ts';

/** What a track shows. It comes from the sender's own sealed announcement. */
export type TrackKind = 'microphone' | 'camera';

/** Whether `value` is a kind of track that we know. */
export function isTrackKind(value: unknown): value is TrackKind {
  return value === 'microphone' || value === 'camera';
}

/** What the frames of a track are. */
export function mediaOfTrack(kind: TrackKind): Media {
  return kind === 'microphone' ? 'audio' : 'video';
}

/** What a slot or a frame carries. */
export type Media = 'audio' | 'video';

/** One track of a participant: its number in the key ids, and its kind. */
export interface Track {
  readonly number: number;
  readonly kind: TrackKind;
}

/** Whose frames a slot shows, proven by the key that opened them. */
export interface Owner {
  readonly seat: number;
  readonly track: number;
  readonly kind: TrackKind;
}

/** Why a frame was dropped; each has its own counter. */
export const DROP_REASONS = [
  'empty',
  'duplicate',
  'malformed',
  'codec',
  'waiting_for_key',
  'announcement_refused',
  'waiting_for_key_frame',
  'wrong_kind',
  'tampered',
  'replayed',
  'reordered',
  'changed_too_soon',
  'not_entered',
  'detached',
  'exhausted',
  'overload',
  'fault',
] as const;
/** Why a frame was dropped. */
export type DropReason = (typeof DROP_REASONS)[number];

/** How many frames were sealed, opened, and dropped by reason, since the worker started. */
export type Counters = Readonly<Record<'sealed' | 'opened' | DropReason, number>>;

/** `waiting`: nothing opened yet. `encrypted`: frames of the owner are opened. `failed`: frames come and do not open. */
export type SlotState = 'waiting' | 'encrypted' | 'failed';

/** Why an announcement was refused. */
export const REFUSALS = [
  'unreadable',
  'malformed',
  'other_room',
  'other_seat',
  'own_seat',
  'superseded',
  'bad_name',
  'bad_tracks',
  'too_many',
] as const;
/**
 * Why an announcement was refused. `unreadable` means another key: another link
 * or password, or forged. `superseded`: its participant has announced a newer one.
 */
export type AnnouncementRefusal = (typeof REFUSALS)[number];

/** What the worker tells without being asked. */
export type E2eeEvent =
  | { readonly type: 'participant'; readonly seat: number; readonly name: string; readonly tracks: readonly Track[] }
  | { readonly type: 'announcement_refused'; readonly seat: number; readonly reason: AnnouncementRefusal }
  | {
      readonly type: 'slot';
      readonly mid: string;
      readonly owner: Owner | null;
      readonly state: SlotState;
      readonly reason: DropReason | null;
      /**
       * RTP timestamp of this owner's first frame. After a change of owner the
       * tile stays blank until a frame with this timestamp or a later one is
       * presented (`rtpTimestamp` of `requestVideoFrameCallback`): frames of the
       * previous owner may still be on their way to the screen.
       */
      readonly since: number | null;
    }
  | { readonly type: 'unlock_progress'; readonly fraction: number }
  | { readonly type: 'statistics'; readonly counters: Counters }
  | { readonly type: 'lost' };

/** The answer to `unlock`: what the server may see. */
export interface Unlocked {
  readonly gate: Bytes;
  readonly gateHash: Bytes;
}
