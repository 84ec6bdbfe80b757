// What the page asks of its workers, and their answers. Both sides decode and
// check what they get.
import type { Bytes } from './bytes.ts';
import { isBytes, isRecord } from './decode.ts';
import { decodeTracks } from './group_messages.ts';
import { isTrackNumber } from './kid.ts';
import {
  DROP_REASONS,
  isTrackKind,
  type Counters,
  type FrameEvent,
  type GroupEvent,
  type Media,
  type Owner,
  type Track,
  type TrackKind,
} from './messages.ts';

/** What one says of oneself. */
export interface Saying {
  readonly seat: number;
  readonly name: string;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly tracks: readonly Track[];
}

/** From the page to the group worker. Those with an `id` get an answer. */
export type Request =
  | { readonly type: 'unlock'; readonly id: number; readonly fragment: string; readonly password: string | null }
  /** Becomes a member of the room; `owner` is the public key of its owner, where this browser holds the private one. */
  | { readonly type: 'enter'; readonly room: string; readonly owner: Bytes | null }
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  | { readonly type: 'frame'; readonly bytes: Bytes }
  | { readonly type: 'announce'; readonly saying: Saying }
  | { readonly type: 'remove'; readonly seat: number }
  | { readonly type: 'lock'; readonly locked: boolean }
  | { readonly type: 'owner_signed'; readonly signature: Bytes };

/** From the group worker to the page: the answer to the request with the same `id`. */
export type Reply =
  | { readonly type: 'unlocked'; readonly id: number; readonly gate: Bytes; readonly gateHash: Bytes }
  | { readonly type: 'failed'; readonly id: number; readonly problem: 'superseded' | 'refused' };

/** What a transform is for; it travels as the options of `RTCRtpScriptTransform`. */
export type TransformRole =
  | { readonly role: 'sender'; readonly track: number; readonly kind: TrackKind }
  | { readonly role: 'receiver'; readonly mid: string; readonly media: Media };

/** Reads a message of the page, or null. */
export function decodeRequest(value: unknown): Request | null {
  if (!isRecord(value)) return null;
  const { type } = value;
  switch (type) {
    case 'connected':
    case 'disconnected':
      return { type };
    case 'frame': {
      const { bytes } = value;
      return isBytes(bytes) ? { type, bytes } : null;
    }
    case 'unlock': {
      const { id, fragment, password } = value;
      if (!isNumber(id) || typeof fragment !== 'string') return null;
      return password === null || typeof password === 'string' ? { type, id, fragment, password } : null;
    }
    case 'enter': {
      const { room, owner } = value;
      return typeof room === 'string' && (owner === null || isBytes(owner)) ? { type, room, owner } : null;
    }
    case 'announce': {
      const saying = decodeSaying(value['saying']);
      return saying === null ? null : { type, saying };
    }
    case 'remove': {
      const { seat } = value;
      return isNumber(seat) ? { type, seat } : null;
    }
    case 'lock': {
      const { locked } = value;
      return typeof locked === 'boolean' ? { type, locked } : null;
    }
    case 'owner_signed': {
      const { signature } = value;
      return isBytes(signature) ? { type, signature } : null;
    }
    default:
      return null;
  }
}

function decodeSaying(value: unknown): Saying | null {
  if (!isRecord(value)) return null;
  const { seat, name, microphone, camera } = value;
  const tracks = decodeTracks(value['tracks']);
  if (!isNumber(seat) || typeof name !== 'string' || tracks === null) return null;
  if (typeof microphone !== 'boolean' || typeof camera !== 'boolean') return null;
  return { seat, name, microphone, camera, tracks };
}

/** Reads what a transform is for, or null. */
export function decodeRole(value: unknown): TransformRole | null {
  if (!isRecord(value)) return null;
  const { role, track, kind, mid, media } = value;
  if (role === 'sender') return isTrackNumber(track) && isTrackKind(kind) ? { role, track, kind } : null;
  if (role !== 'receiver' || typeof mid !== 'string') return null;
  return media === 'audio' || media === 'video' ? { role, mid, media } : null;
}

/** Reads an answer of the group worker, or null. */
export function decodeReply(value: unknown): Reply | null {
  if (!isRecord(value)) return null;
  const { type, id } = value;
  if (!isNumber(id)) return null;
  if (type === 'unlocked') {
    const { gate, gateHash } = value;
    return isBytes(gate) && isBytes(gateHash) ? { type, id, gate, gateHash } : null;
  }
  const { problem } = value;
  if (type !== 'failed' || (problem !== 'superseded' && problem !== 'refused')) return null;
  return { type, id, problem };
}

/** Reads an event of the frame worker, or null. */
export function decodeFrameEvent(value: unknown): FrameEvent | null {
  if (!isRecord(value)) return null;
  const { type } = value;
  if (type === 'slot') return decodeSlot(value);
  if (type !== 'statistics') return null;
  const counters = decodeCounters(value['counters']);
  return counters === null ? null : { type, counters };
}

/** Reads an event of the group worker, or null. */
export function decodeGroupEvent(value: unknown): GroupEvent | null {
  if (!isRecord(value)) return null;
  const { type } = value;
  switch (type) {
    case 'frame':
    case 'owner_signature': {
      const { bytes } = value;
      return isBytes(bytes) ? { type, bytes } : null;
    }
    case 'participant':
      return decodeParticipant(value);
    case 'announcement_refused': {
      const { seat } = value;
      return isNumber(seat) ? { type, seat } : null;
    }
    case 'gone': {
      const { seat, kicked } = value;
      if (typeof kicked !== 'boolean') return null;
      return seat === null || isNumber(seat) ? { type, seat, kicked } : null;
    }
    case 'roster': {
      const { members, unknown } = value;
      return isNumber(members) && isNumber(unknown) ? { type, members, unknown } : null;
    }
    case 'role': {
      const { isOwner } = value;
      return typeof isOwner === 'boolean' ? { type, isOwner } : null;
    }
    case 'link': {
      const { fragment, gate, gateHash } = value;
      if (typeof fragment !== 'string' || !isBytes(gate) || !isBytes(gateHash)) return null;
      return { type, fragment, gate, gateHash };
    }
    case 'locked': {
      const { locked } = value;
      return typeof locked === 'boolean' ? { type, locked } : null;
    }
    case 'removed':
      return { type };
    case 'not_admitted': {
      const { reason } = value;
      return typeof reason === 'string' ? { type, reason } : null;
    }
    case 'alarm': {
      const { alarm, seat } = value;
      if (typeof alarm !== 'string') return null;
      return seat === null || isNumber(seat) ? { type, alarm, seat } : null;
    }
    case 'group_statistics': {
      const counters = decodeNumbers(value['counters']);
      return counters === null ? null : { type, counters };
    }
    default:
      return null;
  }
}

function decodeParticipant(value: Record<string, unknown>): GroupEvent | null {
  const { seat, name, microphone, camera, isOwner } = value;
  if (!isNumber(seat) || typeof name !== 'string') return null;
  if (typeof microphone !== 'boolean' || typeof camera !== 'boolean' || typeof isOwner !== 'boolean') return null;
  return { type: 'participant', seat, name, microphone, camera, isOwner };
}

function decodeSlot(value: Record<string, unknown>): FrameEvent | null {
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
  return isNumber(seat) && isTrackNumber(track) && isTrackKind(kind) ? { seat, track, kind } : undefined;
}

function decodeNumbers(value: unknown): Record<string, number> | null {
  if (!isRecord(value)) return null;
  const numbers: Record<string, number> = {};
  for (const [name, count] of Object.entries(value)) {
    if (!isNumber(count)) return null;
    numbers[name] = count;
  }
  return numbers;
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
    removed: 0,
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
