// What the page asks of its worker, and the worker's answers. Both sides decode
// and check what they get.
import type { Bytes } from './bytes.ts';
import { isBytes, isRecord } from './decode.ts';
import { isSeat, isTrackNumber } from './kid.ts';
import {
  DROP_REASONS,
  isTrackKind,
  REFUSALS,
  type Counters,
  type E2eeEvent,
  type Media,
  type Owner,
  type Track,
  type TrackKind,
} from './messages.ts';

/** From the page to the worker. Those with an `id` get an answer. */
export type Request =
  | { readonly type: 'unlock'; readonly id: number; readonly link: Bytes; readonly password: string | null }
  | { readonly type: 'enter'; readonly id: number; readonly room: string; readonly seat: number }
  | { readonly type: 'announce'; readonly id: number; readonly name: string; readonly tracks: readonly Track[] }
  | { readonly type: 'participant_announced'; readonly seat: number; readonly sealed: Bytes }
  | { readonly type: 'participant_left'; readonly seat: number };

/** From the worker to the page: the answer to the request with the same `id`. */
export type Reply =
  | { readonly type: 'unlocked'; readonly id: number; readonly gate: Bytes; readonly gateHash: Bytes }
  | { readonly type: 'entered'; readonly id: number }
  | { readonly type: 'announced'; readonly id: number; readonly sealed: Bytes }
  | { readonly type: 'failed'; readonly id: number; readonly problem: 'superseded' | 'refused' };

/** What a transform is for; it travels as the options of `RTCRtpScriptTransform`. */
export type TransformRole =
  | { readonly role: 'sender'; readonly track: number; readonly kind: TrackKind }
  | { readonly role: 'receiver'; readonly mid: string; readonly media: Media };

/** Reads a message of the page, or null. */
export function decodeRequest(value: unknown): Request | null {
  if (!isRecord(value)) return null;
  const { type, id, seat } = value;
  if (type === 'participant_left') return isSeat(seat) ? { type, seat } : null;
  if (type === 'participant_announced') {
    const { sealed } = value;
    return isSeat(seat) && isBytes(sealed) ? { type, seat, sealed } : null;
  }
  if (!isNumber(id)) return null;
  if (type === 'unlock') {
    const { link, password } = value;
    if (!isBytes(link) || (password !== null && typeof password !== 'string')) return null;
    return { type, id, link, password };
  }
  if (type === 'enter') {
    const { room } = value;
    return typeof room === 'string' && isSeat(seat) ? { type, id, room, seat } : null;
  }
  if (type === 'announce') {
    const { name } = value;
    const tracks = decodeTracks(value['tracks']);
    return typeof name === 'string' && tracks !== null ? { type, id, name, tracks } : null;
  }
  return null;
}

/** Reads what a transform is for, or null. */
export function decodeRole(value: unknown): TransformRole | null {
  if (!isRecord(value)) return null;
  const { role, track, kind, mid, media } = value;
  if (role === 'sender') return isTrackNumber(track) && isTrackKind(kind) ? { role, track, kind } : null;
  if (role !== 'receiver' || typeof mid !== 'string') return null;
  return media === 'audio' || media === 'video' ? { role, mid, media } : null;
}

/** Reads an answer of the worker, or null. */
export function decodeReply(value: unknown): Reply | null {
  if (!isRecord(value)) return null;
  const { type, id } = value;
  if (!isNumber(id)) return null;
  if (type === 'entered') return { type, id };
  if (type === 'unlocked') {
    const { gate, gateHash } = value;
    return isBytes(gate) && isBytes(gateHash) ? { type, id, gate, gateHash } : null;
  }
  if (type === 'announced') {
    const { sealed } = value;
    return isBytes(sealed) ? { type, id, sealed } : null;
  }
  const { problem } = value;
  if (type !== 'failed' || (problem !== 'superseded' && problem !== 'refused')) return null;
  return { type, id, problem };
}

/** Reads an event of the worker, or null. */
export function decodeEvent(value: unknown): E2eeEvent | null {
  if (!isRecord(value)) return null;
  const { type, seat } = value;
  if (type === 'slot') return decodeSlot(value);
  if (type === 'unlock_progress') {
    const { fraction } = value;
    return isNumber(fraction) ? { type, fraction } : null;
  }
  if (type === 'statistics') {
    const counters = decodeCounters(value['counters']);
    return counters === null ? null : { type, counters };
  }
  if (!isSeat(seat)) return null;
  if (type === 'participant') {
    const { name } = value;
    const tracks = decodeTracks(value['tracks']);
    return typeof name === 'string' && tracks !== null ? { type, seat, name, tracks } : null;
  }
  const reason = REFUSALS.find((known) => known === value['reason']);
  return type === 'announcement_refused' && reason !== undefined ? { type, seat, reason } : null;
}

function decodeSlot(value: Record<string, unknown>): E2eeEvent | null {
  const { mid, state, since } = value;
  const owner = value['owner'] === null ? null : decodeOwner(value['owner']);
  const reason = value['reason'] === null ? null : DROP_REASONS.find((known) => known === value['reason']);
  if (typeof mid !== 'string' || owner === undefined || reason === undefined) return null;
  if (state !== 'waiting' && state !== 'encrypted' && state !== 'failed') return null;
  if (since !== null && !isNumber(since)) return null;
  return { type: 'slot', mid, owner, state, reason, since };
}

function decodeOwner(value: unknown): Owner | undefined {
  if (!isRecord(value)) return undefined;
  const { seat, track, kind } = value;
  return isSeat(seat) && isTrackNumber(track) && isTrackKind(kind) ? { seat, track, kind } : undefined;
}

function decodeTracks(value: unknown): Track[] | null {
  if (!Array.isArray(value)) return null;
  const tracks: Track[] = [];
  for (const track of value as unknown[]) {
    if (!isRecord(track)) return null;
    const { number, kind } = track;
    if (!isTrackNumber(number) || !isTrackKind(kind)) return null;
    tracks.push({ number, kind });
  }
  return tracks;
}

function decodeCounters(value: unknown): Counters | null {
  if (!isRecord(value)) return null;
  const counters = zeroCounters();
  for (const name of counterNames()) {
    const count = value[name];
    if (!isNumber(count)) return null;
    counters[name] = count;
  }
  return counters;
}

/** Counters that may still count. */
export type MutableCounters = { -readonly [Name in keyof Counters]: number };

/** All counters at zero. */
export function zeroCounters(): MutableCounters {
  return {
    sealed: 0,
    opened: 0,
    empty: 0,
    duplicate: 0,
    malformed: 0,
    codec: 0,
    waiting_for_key: 0,
    announcement_refused: 0,
    waiting_for_key_frame: 0,
    wrong_kind: 0,
    tampered: 0,
    replayed: 0,
    reordered: 0,
    changed_too_soon: 0,
    not_entered: 0,
    detached: 0,
    exhausted: 0,
    overload: 0,
    fault: 0,
  };
}

function counterNames(): (keyof Counters)[] {
  return ['sealed', 'opened', ...DROP_REASONS];
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
