// Which participant's which track a frame belongs to: SFrame's KID.
//
//   23      18 17            8 7        0
//   +---------+---------------+----------+
//   |  track  |     seat      |  epoch   |   at most three bytes
//   +---------+---------------+----------+
//
// RFC 9605 section 5.2 with 8 bits of epoch, 10 of index, 6 of context.
import { SEAT_MAX, TRACK_MAX } from './limits.ts';

/** A key id in its parts. */
export interface KeyId {
  readonly seat: number;
  readonly track: number;
  /** The epoch's last 8 bits; 0 until the MLS group is there. */
  readonly epoch: number;
}

const EPOCH_BITS = 8;
const SEAT_BITS = 10;
const KEY_ID_MAX = 0xff_ffff;

/** The number that stands in the SFrame header. */
export function keyIdNumber({ seat, track, epoch }: KeyId): number {
  if (!isSeat(seat) || !isTrackNumber(track) || !isWithin(epoch, 0xff)) {
    throw new RangeError('no such seat, track or epoch');
  }
  return (track << (SEAT_BITS + EPOCH_BITS)) | (seat << EPOCH_BITS) | epoch;
}

/** The parts of a header's number; null above 24 bits: no key of ours. */
export function parseKeyId(number: bigint): KeyId | null {
  if (number > BigInt(KEY_ID_MAX)) return null;
  const bits = Number(number);
  return {
    seat: (bits >> EPOCH_BITS) & SEAT_MAX,
    track: bits >> (SEAT_BITS + EPOCH_BITS),
    epoch: bits & 0xff,
  };
}

/** Whether `value` is a place in a room. */
export function isSeat(value: unknown): value is number {
  return isWithin(value, SEAT_MAX);
}

/** Whether `value` is the number of a track. */
export function isTrackNumber(value: unknown): value is number {
  return isWithin(value, TRACK_MAX);
}

function isWithin(value: unknown, highest: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highest;
}
