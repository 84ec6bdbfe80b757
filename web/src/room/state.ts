// What the page knows about a meeting, what can happen to it, and what it may then do.
// Plain data: no DOM, no clock, no connection.
import type { DropReason, E2eeEvent, Owner, SlotState } from '../e2ee/index.ts';
import type { MediaPath } from '../media/connection.ts';
import type { SourceKind } from '../media/local.ts';
import type { ClientMessage, OfferedTransport, Presence, ServerMessage, Switch } from '../protocol/generated.ts';

/** Why one is not in the meeting, though one asked to be. */
export type JoinProblem =
  | { readonly type: 'wrong_password' }
  | { readonly type: 'ended_or_incomplete' }
  | { readonly type: 'full' }
  | { readonly type: 'locked' }
  | { readonly type: 'rate_limited'; readonly seconds: number | null }
  | { readonly type: 'server_unreachable' }
  | { readonly type: 'server_full' }
  | { readonly type: 'server_stopping' }
  | { readonly type: 'version' }
  | { readonly type: 'encryption' }
  | { readonly type: 'unexpected'; readonly detail: string };

/** Why a meeting that one was in is over for this page. */
export type OverReason =
  | 'left'
  | 'ended'
  /** The room was there when the connection was lost, and is unknown now: the server was restarted. */
  | 'forgotten'
  | 'full'
  | 'locked'
  /** Somebody who may has removed one. */
  | 'removed'
  | 'lost'
  | 'unreachable'
  | 'encryption'
  | 'refused';

/** Why one has to come back: the connection was lost, the server stopped, the seat was given up meanwhile, or by wish. */
export type AwayCause = 'lost' | 'stopped' | 'seat_lost' | 'asked';

/** The connection to signaling of somebody who is inside. Media does not depend on it. */
export type Link = 'open' | 'restoring';

/** Where one stands. */
export type Phase =
  /** Before joining; `problem` is why the last try failed. */
  | { readonly type: 'outside'; readonly problem: JoinProblem | null }
  /** Keys are being derived. */
  | { readonly type: 'unlocking' }
  /** Asking to be let in. */
  | { readonly type: 'entering' }
  | { readonly type: 'inside' }
  /** Was inside; seat and media are gone, and after some waiting the page asks for new ones. */
  | { readonly type: 'away' }
  | { readonly type: 'over'; readonly reason: OverReason };

/** One of the others. */
export interface Member {
  readonly seat: number;
  /** From its own signed announcement; null until that was opened. */
  readonly name: string | null;
  /** Another member claims to sit here too. */
  readonly isDisputed: boolean;
  /** It made the meeting. */
  readonly isOwner: boolean;
  /** It has not been heard for long: perhaps it is in another epoch, kept there by the server. */
  readonly isSilent: boolean;
  readonly microphone: Switch;
  readonly camera: Switch;
  /** Whether its media reaches the server, as the server says. */
  readonly presence: Presence;
  /** Came while we were inside. */
  readonly isNew: boolean;
  /** Something that it sent was opened, on this connection or on one before it. */
  readonly wasOpened: boolean;
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
  /** Counts connections to signaling. What comes from an earlier one is ignored. */
  readonly attempt: number;
  /** Counts seats that were taken. */
  readonly stay: number;
  /** Counts peer connections. What comes from an earlier one is ignored. */
  readonly transport: number;
  /** Tries in a row after which the connection did not last. */
  readonly tries: number;
  /** Why seat and media were given up last. */
  readonly cause: AwayCause;
  /** Whether the browser says that it has a network. */
  readonly isOnline: boolean;
  /** Whether the room is to be made before it is entered: somebody asked to start a forgotten meeting again. */
  readonly isRestarting: boolean;
  readonly link: Link;
  readonly seat: number | null;
  /** Gets the seat back after the connection broke; null while there is no seat. */
  readonly token: string | null;
  /** Members of the group who have not said who they are, or whose seat is another's. */
  readonly unknown: number;
  /** Whether one may remove and lock. */
  readonly isOwner: boolean;
  readonly isLocked: boolean;
  /** What the group found wrong, the newest last; each word once. */
  readonly alarms: readonly string[];
  /** Counters of the two workers. */
  readonly counters: Readonly<Record<string, number>>;
  /** The server stops in so many milliseconds from when it said so; null when it did not. */
  readonly stopping: { readonly deadlineMs: number } | null;
  /** Where the server takes media over TCP. */
  readonly tcpCandidates: readonly string[];
  readonly own: OwnMedia;
  readonly members: readonly Member[];
  readonly slots: ReadonlyMap<string, Slot>;
  readonly path: MediaPath;
  /** Media flowed since the seat was taken. */
  readonly hadPath: boolean;
}

/** Something that happened. Those with `attempt`, `stay` or `transport` belong to one of them and to no later one. */
export type RoomEvent =
  | { readonly type: 'join_asked'; readonly name: string }
  | { readonly type: 'unlocked' }
  | { readonly type: 'unlock_failed' }
  | { readonly type: 'opened'; readonly attempt: number }
  | { readonly type: 'closed'; readonly attempt: number }
  /** The connection has lived for a while. */
  | { readonly type: 'steady'; readonly attempt: number }
  | { readonly type: 'message'; readonly attempt: number; readonly message: ServerMessage }
  | { readonly type: 'link_changed' }
  | { readonly type: 'remove_asked'; readonly seat: number }
  | { readonly type: 'lock_asked'; readonly locked: boolean }
  | { readonly type: 'answered'; readonly transport: number; readonly negotiation: number; readonly sdp: string }
  | { readonly type: 'negotiation_failed'; readonly transport: number }
  | { readonly type: 'path'; readonly transport: number; readonly path: MediaPath }
  | { readonly type: 'e2ee'; readonly event: E2eeEvent }
  | { readonly type: 'own_media'; readonly media: OwnMedia }
  | { readonly type: 'retry_due' }
  /** The browser woke up, or says that the network changed. */
  | { readonly type: 'woke' }
  | { readonly type: 'online'; readonly isOnline: boolean }
  | { readonly type: 'rejoin_asked' }
  /** Make the forgotten room again and enter it. */
  | { readonly type: 'restart_asked' }
  | { readonly type: 'leave_asked' };

/** Something to do. */
export type RoomEffect =
  /** Derive the keys from link and password; answered by `unlocked`. */
  | { readonly type: 'unlock' }
  /** Open a connection; answered by `opened`. */
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  /** Listen no more to a connection that seems broken, without a goodbye that would cost the seat. */
  | { readonly type: 'abandon' }
  /** The seat is on another connection now: close the abandoned one. */
  | { readonly type: 'close_abandoned' }
  /** Ask for a sign of life at once; without one the connection is `closed` within seconds. */
  | { readonly type: 'check' }
  /** Make the room; apart from `send`, because what proves keys stays outside the state. */
  | { readonly type: 'create' }
  /** Say hello; apart from `send` for the same reason. */
  | { readonly type: 'hello' }
  | { readonly type: 'send'; readonly message: ClientMessage }
  /** There is a seat and a connection: into the group, or on in it. */
  | { readonly type: 'enter' }
  /** Say again who one is and what one sends. */
  | { readonly type: 'announce' }
  | { readonly type: 'remove'; readonly seat: number }
  | { readonly type: 'lock'; readonly locked: boolean }
  /** Answer an offer, on the peer connection that is there or on a new one; answered by `answered`. */
  | {
      readonly type: 'negotiate';
      readonly transport: OfferedTransport;
      readonly negotiation: number;
      readonly offer: string;
    }
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
  | { readonly type: 'was_removed'; readonly name: string }
  | { readonly type: 'link_changed' }
  | { readonly type: 'locked'; readonly locked: boolean }
  /** The connection is there again. */
  | { readonly type: 'back'; readonly cause: AwayCause };

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
    stay: 0,
    transport: 0,
    tries: 0,
    cause: 'asked',
    isOnline: true,
    isRestarting: false,
    link: 'open',
    seat: null,
    token: null,
    unknown: 0,
    isOwner: false,
    isLocked: false,
    alarms: [],
    counters: {},
    stopping: null,
    tcpCandidates: [],
    own: { microphone: 'off', camera: 'off' },
    members: [],
    slots: new Map(),
    path: 'connecting',
    hadPath: false,
  };
}
