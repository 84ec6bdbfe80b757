// What the page and its E2EE workers say to each other. Messages are decoded and
// checked on arrival, never cast.
import type { Bytes } from './bytes.ts';

/** What a track shows. It comes from the sender's own signed announcement. */
export type TrackKind = 'microphone' | 'camera' | 'screen' | 'screen_audio';

/** Whether `value` is a kind of track that we know. */
export function isTrackKind(value: unknown): value is TrackKind {
  return value === 'microphone' || value === 'camera' || value === 'screen' || value === 'screen_audio';
}

/** What the frames of a track are. */
export function mediaOfTrack(kind: TrackKind): Media {
  return kind === 'microphone' || kind === 'screen_audio' ? 'audio' : 'video';
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
  'removed',
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

/** Something that people should know of, or of which they should know that it is over (`heard`). */
export type AlarmWord = string;

/** What the frame worker tells. */
export type FrameEvent =
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
  | { readonly type: 'statistics'; readonly counters: Counters };

/** What the group worker tells. */
export type GroupEvent =
  /** A binary message for the server. */
  | { readonly type: 'frame'; readonly bytes: Bytes }
  /** Somebody says who it is. */
  | {
      readonly type: 'participant';
      readonly seat: number;
      readonly name: string;
      readonly microphone: boolean;
      readonly camera: boolean;
      readonly isOwner: boolean;
    }
  /** A member claims the seat of another. */
  | { readonly type: 'announcement_refused'; readonly seat: number }
  /** A member is no longer in the group; its seat, if it had one. */
  | { readonly type: 'gone'; readonly seat: number | null; readonly kicked: boolean }
  /** How many are in the group, oneself included, and how many of them have not said who they are. */
  | { readonly type: 'roster'; readonly members: number; readonly unknown: number }
  /** What one may do. */
  | { readonly type: 'role'; readonly isOwner: boolean }
  /** The link changed: what stands behind `#` now, and what opens the room. */
  | { readonly type: 'link'; readonly fragment: string; readonly gate: Bytes; readonly gateHash: Bytes }
  | { readonly type: 'locked'; readonly locked: boolean }
  | { readonly type: 'removed' }
  | { readonly type: 'not_admitted'; readonly reason: string }
  /** The owner's key has to sign this. */
  | { readonly type: 'owner_signature'; readonly bytes: Bytes }
  | { readonly type: 'alarm'; readonly alarm: AlarmWord; readonly seat: number | null }
  | { readonly type: 'group_statistics'; readonly counters: Readonly<Record<string, number>> };

/** What the workers tell without being asked. */
export type E2eeEvent = FrameEvent | GroupEvent | { readonly type: 'lost' };

/** The answer to `unlock`: what the server may see. */
export interface Unlocked {
  readonly gate: Bytes;
  readonly gateHash: Bytes;
}
