// Keys until the MLS group is there: each participant's base key is derived from
// the room's secret and the salt in that participant's announcement. This gives
// no forward secrecy, and any holder of the link can pose as another. The MLS
// group ends both, and this file with them.
import type { Bytes } from './bytes.ts';
import type { Secret } from './secret.ts';

/** Where SFrame base keys come from. The MLS group takes the place of what is below. */
export interface KeySource {
  /** The base key of the participant at `seat` that announced `salt`. The caller wipes it. */
  baseKey(seat: number, salt: Bytes): Promise<Bytes>;
}

/** Epoch of all interim keys. */
export const INTERIM_EPOCH = 0;

/** The interim keys of `room`. */
export function interimKeys(secret: Secret, room: string): KeySource {
  return { baseKey: (seat, salt) => secret.interimBaseKey(room, seat, salt) };
}
