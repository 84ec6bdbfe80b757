// What the page knows about a meeting, what can happen to it, and what it may then do.
// Plain data: no DOM, no clock, no connection.
import type { AnnouncementRefusal, DropReason, E2eeEvent, Owner, SlotState } from '../e2ee/index.ts';
import type { MediaPath } from '../media/connection.ts';
import type { SourceKind } from '../media/local.ts';
import type { ClientMessage, ServerMessage, Switch } from '../protocol/generated.ts';

/** Why one is not in the meeting, though one asked to be. */
export type JoinProblem =
  | { readonly type: 'wrong_password' }
  | { readonly type: 'ended_or_incomplete' }
  | { readonly type: 'full' }
  | { readonly type: 'rate_limited'; readonly seconds: number | null }
  | { readonly type: 'server_unreachable' }
  | { readonly type: 'server_full' }
  | { readonly type: 'server_stopping' }
  | { readonly type: 'version' }
  | { readonly type: 'encryption' }
  | { readonly type: 'unexpected'; readonly detail: string };

/** Why a meeting that one was in is over for this page. */
export type OverReason = 'left' | 'ended' | 'full' | 'lost' | 'unreachable' | 'encryption' | 'refused';

/** Where one stands. */
export type Phase =
  /** Before joining; `problem` is why the last try failed. */
  | { readonly type: 'outside'; readonly problem: JoinProblem | null }
  /** Keys are being derived; `fraction` of that is done, if known. */
  | { readonly type: 'unlocking'; readonly fraction: number | null }
  /** Asking to be let in. */
  | { readonly type: 'entering' }
  | { readonly type: 'inside' }
  /** Was inside; the connection was lost, and after some waiting the page asks again. */
  | { readonly type: 'away' }
  | { readonly type: 'over'; readonly reason: OverReason };

/** One of the others. */
export interface Member {
  readonly seat: number;
  /** From its own sealed announcement; null until that was opened. */
  readonly name: string | null;
  readonly refusal: AnnouncementRefusal | null;
  readonly microphone: Switch;
  readonly camera: Switch;
  /** Came while we were inside. */
  readonly isNew: boolean;
}

/** One receive slot. */
export interface Slot {
  /** What the server says it carries: for layout while nothing was opened. */
  readonly hint: { readonly seat: number; readonly source: SourceKind } | null;
  /** Whose frames it shows, as the keys prove. */
  readonly owner: Owner | null;
  readonly state: SlotState;
  readonly reason: DropReason | null;
  /** RTP timestamp from which on the picture is the owner's. */
  readonly since: number | null;
  /** How often it went to another owner: 1 for the first. */
  readonly changes: number;
}

/** What one sends. */
export interface OwnMedia {
  readonly microphone: Switch;
  readonly camera: Switch;
}

/** Everything about one meeting. */
export interface RoomState {
  readonly room: string;
  readonly hasPassword: boolean;
  readonly name: string;
  readonly phase: Phase;
  /** Was in the meeting once; a refusal then means that it ended. */
  readonly wasInside: boolean;
  /** Counts connections. What comes from an earlier one is ignored. */
  readonly attempt: number;
  /** Tries in a row that ended without media. */
  readonly tries: number;
  readonly seat: number | null;
  readonly own: OwnMedia;
  readonly members: readonly Member[];
  readonly slots: ReadonlyMap<string, Slot>;
  readonly path: MediaPath;
}

/** Something that happened. Those with `attempt` belong to one connection. */
export type RoomEvent =
  | { readonly type: 'join_asked'; readonly name: string }
  | { readonly type: 'unlocked' }
  | { readonly type: 'unlock_failed' }
  | { readonly type: 'opened'; readonly attempt: number }
  | { readonly type: 'closed'; readonly attempt: number }
  | { readonly type: 'message'; readonly attempt: number; readonly message: ServerMessage }
  | { readonly type: 'sealed'; readonly attempt: number; readonly sealed: string }
  | { readonly type: 'answered'; readonly attempt: number; readonly negotiation: number; readonly sdp: string }
  | { readonly type: 'negotiation_failed'; readonly attempt: number }
  | { readonly type: 'path'; readonly attempt: number; readonly path: MediaPath }
  | { readonly type: 'e2ee'; readonly event: E2eeEvent }
  | { readonly type: 'own_media'; readonly media: OwnMedia }
  | { readonly type: 'retry_due' }
  | { readonly type: 'rejoin_asked' }
  | { readonly type: 'leave_asked' };

/** Something to do. */
export type RoomEffect =
  /** Derive the keys from link and password; answered by `unlocked`. */
  | { readonly type: 'unlock' }
  /** Open a connection; answered by `opened`. */
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  /** Say hello; apart from `send`, because the proof stays outside the state. */
  | { readonly type: 'hello' }
  | { readonly type: 'send'; readonly message: ClientMessage }
  /** Make new keys for this seat and seal an announcement; answered by `sealed`. */
  | { readonly type: 'enter'; readonly seat: number; readonly name: string }
  | { readonly type: 'open_announcement'; readonly seat: number; readonly sealed: string }
  | { readonly type: 'forget'; readonly seat: number }
  /** Make a peer connection and answer the offer; answered by `answered`. */
  | { readonly type: 'negotiate'; readonly negotiation: number; readonly offer: string }
  | { readonly type: 'close_media' }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'stop_waiting' }
  /** Give up the worker with its keys, and derive them anew when they are needed. */
  | { readonly type: 'discard_keys' }
  | { readonly type: 'notify'; readonly notice: RoomNotice };

/** Something that is said once. */
export type RoomNotice =
  | { readonly type: 'came'; readonly name: string }
  | { readonly type: 'went'; readonly name: string }
  | { readonly type: 'back' };

/** The next state, and what is to be done now, in this order. */
export interface Step {
  readonly state: RoomState;
  readonly effects: readonly RoomEffect[];
}

/** A meeting that one has not entered. */
export function initialRoom(room: string, hasPassword: boolean): RoomState {
  return {
    room,
    hasPassword,
    name: '',
    phase: { type: 'outside', problem: null },
    wasInside: false,
    attempt: 0,
    tries: 0,
    seat: null,
    own: { microphone: 'off', camera: 'off' },
    members: [],
    slots: new Map(),
    path: 'connecting',
  };
}
