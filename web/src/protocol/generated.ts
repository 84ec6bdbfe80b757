// Generated from the crate `protocol`. Do not edit; refresh with: UNDERTONE_REFRESH=1 cargo test -p protocol

export const VERSION = 1;
export const MESSAGE_BYTES_MAX = 65536;
export const SDP_BYTES_MAX = 262144;
export const SEALED_BYTES_MAX = 1024;
export const ROOM_MEMBERS_MAX = 500;
export const MEDIA_MEMBERS_MAX = 24;
export const FRAME_BYTES_MAX = 262144;
export const RESUME_WINDOW_MS = 30000;
export const SEATS = 1024;
export const PING_INTERVAL_MS = 10000;
export const IDLE_TIMEOUT_MS = 30000;
export const CLIENT_DEPTH_MAX = 1;
export const SERVER_DEPTH_MAX = 3;
export const FIELDS_MAX = 16;
export const ENTRIES_MAX = 512;
export const SLOTS_OF_MEDIUM_MAX = 23;
export const MICROPHONE_MID = "m";
export const CAMERA_MID = "c";
export const CAMERA_RIDS = ["l", "m", "h"] as const;
export const ERROR_CODES = ["malformed", "too_large", "version_unsupported", "out_of_order", "refused", "room_exists", "resume_refused", "room_full", "locked", "removed", "rate_limited", "bad_answer", "fingerprint_mismatch", "transport_failed", "too_slow", "server_full", "server_stopping"] as const;
export const DECODE_REASONS = ["too_large", "syntax", "trailing_bytes", "too_deep", "duplicate_key", "not_an_object", "no_type", "unknown_type", "version", "unknown_field", "missing_field", "wrong_type", "bad_value"] as const;

export type DecodeReason = (typeof DECODE_REASONS)[number];

export type SourceKind = "microphone" | "camera";

export type Switch = "on" | "off";

export type ErrorCode = "malformed" | "too_large" | "version_unsupported" | "out_of_order" | "refused" | "room_exists" | "resume_refused" | "room_full" | "locked" | "removed" | "rate_limited" | "bad_answer" | "fingerprint_mismatch" | "transport_failed" | "too_slow" | "server_full" | "server_stopping";

export type TransportState = "connected" | "closed";

export type OfferedTransport = "kept" | "new";

export type Presence = "here" | "away";

export type Create = {
  /** [`VERSION`]. */
  version: number,
  /** The room, drawn by the page. */
  room: string,
  /** SHA-256 of the gate that will open it. */
  gate_hash: string,
  /** Whose grants let members remove others and lock the room. */
  owner: string,
};

export type Hello = {
  /** [`VERSION`]. */
  version: number,
  /** The room. */
  room: string,
  /** The proof that one holds link and password. */
  gate: string,
  /** Whether one sends and receives media. A member without is in the group, and has no offer and no slots. */
  media: boolean,
};

export type Resume = {
  /** [`VERSION`]. */
  version: number,
  /** The room. */
  room: string,
  /** What `joined` gave for this. */
  token: string,
};

export type Answer = {
  /** The number of the offer that this answers. */
  negotiation: number,
  /** What `createAnswer` gave. */
  sdp: string,
};

export type Announce = {
  /** The sealed announcement. */
  sealed: string,
};

export type MediaState = {
  /** Whether the microphone is heard. */
  microphone: Switch,
  /** Whether the camera is seen. */
  camera: Switch,
};

export type Ping = Record<symbol, never>;

export type Leave = Record<symbol, never>;

export type ClientMessage = { "type": "create" } & Create
  | { "type": "hello" } & Hello
  | { "type": "resume" } & Resume
  | { "type": "answer" } & Answer
  | { "type": "announce" } & Announce
  | { "type": "media" } & MediaState
  | { "type": "ping" } & Ping
  | { "type": "leave" } & Leave;

export type SlotBinding = {
  /** The m-line. */
  mid: string,
  /** Whose source it carries, or null. */
  seat: number | null,
  /** Which of its sources, or null; null together with `seat`. */
  source: SourceKind | null,
};

export type Participant = {
  /** Its seat. */
  seat: number,
  /** What it says of its microphone. */
  microphone: Switch,
  /** What it says of its camera. */
  camera: Switch,
  /** Whether its media reaches the server. */
  presence: Presence,
  /** Its latest announcement, if it has made one. */
  sealed: string | null,
};

export type Created = {
  /** The room. */
  room: string,
};

export type Joined = {
  /** One's own seat. */
  seat: number,
  /** The others, by seat. */
  participants: Array<Participant>,
  /** All slots of the offer; what they will carry comes in `slots` once the answer is in. */
  slots: Array<SlotBinding>,
  /** The number of the offer, to be named in the answer. */
  negotiation: number,
  /** The offer; null for a member without media. */
  offer: string | null,
  /** What `resume` has to show to get this seat back after the connection broke. */
  token: string,
  /** Where media is taken over TCP, as `candidate` attributes (RFC 8839 section 5.1, RFC 6544). A page gives them to
 * its ICE agent only where UDP has not connected after about a second. */
  tcp_candidates: Array<string>,
};

export type Resumed = {
  /** One's own seat, the same as before. */
  seat: number,
  /** The others, by seat. */
  participants: Array<Participant>,
  /** All slots of one's latest offer, with what they carry now. */
  slots: Array<SlotBinding>,
  /** Whether the transport of one's latest answer is still there, connected or just being connected. Where it is
 * closed, an `offer` of a new one follows. */
  transport: TransportState,
};

export type OfferMessage = {
  /** The number of the offer, to be named in the answer. */
  negotiation: number,
  /** Whether the offer is for the peer connection that is there, or for a new one in its place. */
  transport: OfferedTransport,
  /** All slots of the offer, with what they carry now. */
  slots: Array<SlotBinding>,
  /** The offer. */
  offer: string,
};

export type ParticipantJoined = {
  /** Its seat. */
  seat: number,
};

export type ParticipantLeft = {
  /** Its seat. */
  seat: number,
};

export type Announced = {
  /** Its seat. */
  seat: number,
  /** The announcement, as it was sent. */
  sealed: string,
};

export type ParticipantMedia = {
  /** Its seat. */
  seat: number,
  /** What it says of its microphone. */
  microphone: Switch,
  /** What it says of its camera. */
  camera: Switch,
};

export type ParticipantPresence = {
  /** Its seat. */
  seat: number,
  /** How it is now. */
  presence: Presence,
};

export type Slots = {
  /** The changed slots. */
  slots: Array<SlotBinding>,
};

export type TransportMessage = {
  /** The state. */
  state: TransportState,
};

export type Stopping = {
  /** After this many milliseconds calls that still run are ended. */
  deadline_ms: number,
};

export type Pong = Record<symbol, never>;

export type ErrorMessage = {
  /** What kind of refusal. */
  code: ErrorCode,
  /** More about it in English, for developers; a page shows its own words. */
  detail: string,
  /** How long to wait before the next try, in milliseconds, where waiting helps. */
  retry_after_ms: number | null,
};

export type ServerMessage = { "type": "created" } & Created
  | { "type": "joined" } & Joined
  | { "type": "resumed" } & Resumed
  | { "type": "offer" } & OfferMessage
  | { "type": "participant_joined" } & ParticipantJoined
  | { "type": "participant_left" } & ParticipantLeft
  | { "type": "announced" } & Announced
  | { "type": "media" } & ParticipantMedia
  | { "type": "presence" } & ParticipantPresence
  | { "type": "slots" } & Slots
  | { "type": "transport" } & TransportMessage
  | { "type": "stopping" } & Stopping
  | { "type": "pong" } & Pong
  | { "type": "error" } & ErrorMessage;
