// Which participant's which track a frame belongs to: SFrame's KID.
//
//   23      18 17            8 7        0
//   +---------+---------------+----------+
//   |  track  |     leaf      |  epoch   |   at most three bytes
//   +---------+---------------+----------+
//
// RFC 9605 section 5.2 with 8 bits of epoch, 10 of index, 6 of context.
import { LEAF_MAX, TRACK_MAX } from './limits.ts';

/** A key id in its parts. */
export interface KeyId {
  readonly leaf: number;
  readonly track: number;
  /** The epoch's last 8 bits. */
  readonly epoch: number;
}

const EPOCH_BITS = 8;
const LEAF_BITS = 10;
const KEY_ID_MAX = 0xff_ffff;

/** The number that stands in the SFrame header. */
export function keyIdNumber({ leaf, track, epoch }: KeyId): number {
  if (!isLeaf(leaf) || !isTrackNumber(track) || !isWithin(epoch, 0xff)) {
    throw new RangeError('no such leaf, track or epoch');
  }
  return (track << (LEAF_BITS + EPOCH_BITS)) | (leaf << EPOCH_BITS) | epoch;
}

/** The parts of a header's number; null above 24 bits: no key of ours. */
export function parseKeyId(number: bigint): KeyId | null {
  if (number > BigInt(KEY_ID_MAX)) return null;
  const bits = Number(number);
  return {
    leaf: (bits >> EPOCH_BITS) & LEAF_MAX,
    track: bits >> (LEAF_BITS + EPOCH_BITS),
    epoch: bits & 0xff,
  };
}

/** Whether `value` is a leaf index. */
export function isLeaf(value: unknown): value is number {
  return isWithin(value, LEAF_MAX);
}

/** Whether `value` is the number of a track. */
export function isTrackNumber(value: unknown): value is number {
  return isWithin(value, TRACK_MAX);
}

function isWithin(value: unknown, highest: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highest;
}
