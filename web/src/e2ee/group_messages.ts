// What the group worker says to the frame worker: keys and who holds them. Keys
// go from worker to worker and never through the page.
import type { Bytes } from './bytes.ts';
import { isBytes, isRecord } from './decode.ts';
import { isLeaf, isTrackNumber } from './kid.ts';
import { isTrackKind, type Track } from './messages.ts';

/** A member of an epoch, by leaf. Member ids are hexadecimal. */
export interface Seated {
  readonly leaf: number;
  readonly member: string;
}

/** About keys. */
export type KeyMessage =
  /** Open with the keys of this epoch from now on. */
  | {
      readonly type: 'epoch';
      readonly epoch: number;
      readonly baseKey: Bytes;
      readonly leaf: number;
      readonly members: readonly Seated[];
    }
  /** Seal with them. */
  | { readonly type: 'send'; readonly epoch: number }
  /** Seal nothing. */
  | { readonly type: 'stop' }
  | { readonly type: 'forget'; readonly epoch: number }
  | { readonly type: 'forget_leaf'; readonly leaf: number; readonly before: number }
  /** Where a member sits and what it sends; null: it has no place on the page. */
  | { readonly type: 'person'; readonly member: string; readonly seat: number | null; readonly tracks: readonly Track[] }
  | { readonly type: 'gone'; readonly member: string };

/** Reads a message of the group worker, or null. */
export function decodeKeyMessage(value: unknown): KeyMessage | null {
  if (!isRecord(value)) return null;
  const { type, epoch, leaf, member } = value;
  switch (type) {
    case 'stop':
      return { type };
    case 'send':
    case 'forget':
      return isNumber(epoch) ? { type, epoch } : null;
    case 'forget_leaf': {
      const { before } = value;
      return isLeaf(leaf) && isNumber(before) ? { type, leaf, before } : null;
    }
    case 'gone':
      return typeof member === 'string' ? { type, member } : null;
    case 'epoch': {
      const { baseKey } = value;
      const members = decodeSeated(value['members']);
      if (!isNumber(epoch) || !isBytes(baseKey) || !isLeaf(leaf) || members === null) return null;
      return { type, epoch, baseKey, leaf, members };
    }
    case 'person': {
      const { seat } = value;
      const tracks = decodeTracks(value['tracks']);
      if (typeof member !== 'string' || tracks === null || (seat !== null && !isNumber(seat))) return null;
      return { type, member, seat, tracks };
    }
    default:
      return null;
  }
}

function decodeSeated(value: unknown): Seated[] | null {
  if (!Array.isArray(value)) return null;
  const members: Seated[] = [];
  for (const entry of value as unknown[]) {
    if (!isRecord(entry)) return null;
    const { leaf, member } = entry;
    if (!isLeaf(leaf) || typeof member !== 'string') return null;
    members.push({ leaf, member });
  }
  return members;
}

/** Reads a list of tracks, or null. */
export function decodeTracks(value: unknown): Track[] | null {
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

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
