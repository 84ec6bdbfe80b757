// A participant's name, tracks and salt, sealed under the room's secret:
// nonce (12) ‖ AES-256-GCM(JSON). The server relays it unread, so it knows no name.
import { concat, fromBase64url, toBase64url, utf8, type Bytes } from './bytes.ts';
import { isRecord } from './decode.ts';
import { isTrackNumber } from './kid.ts';
import { ANNOUNCEMENT_BYTES_MAX, NAME_CHARS_MAX } from './limits.ts';
import { isTrackKind, type AnnouncementRefusal, type Track } from './messages.ts';

/** What a participant says of itself. */
export interface Announcement {
  /** The room's id as it stands in the link. */
  readonly room: string;
  readonly seat: number;
  /** What its base key is derived from: 32 bytes. */
  readonly salt: Bytes;
  readonly name: string;
  readonly tracks: readonly Track[];
}

const NONCE_LENGTH = 12;
/** Length of a salt in bytes. */
export const SALT_LENGTH = 32;
const ASSOCIATED_DATA = utf8('undertone announcement');

/** Controls, line and paragraph separators, and characters that turn the direction of text. */
const HIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Seals an announcement, or says why the others would refuse it. */
export async function sealAnnouncement(
  key: CryptoKey,
  announcement: Announcement,
  nonce: Bytes = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH)),
): Promise<Bytes | AnnouncementRefusal> {
  const problem = nameProblem(announcement.name) ?? tracksProblem(announcement.tracks);
  if (problem !== null) return problem;
  const text = utf8(canonicalText(announcement));
  const sealed = concat(nonce, new Uint8Array(await crypto.subtle.encrypt(cipher(nonce), key, text)));
  return sealed.length <= ANNOUNCEMENT_BYTES_MAX ? sealed : 'bad_tracks';
}

/** Opens what the server relayed as the announcement of `seat` in `room`. */
export async function openAnnouncement(
  key: CryptoKey,
  sealed: Bytes,
  place: { room: string; seat: number },
): Promise<Announcement | AnnouncementRefusal> {
  if (sealed.length > ANNOUNCEMENT_BYTES_MAX) return 'unreadable';
  let plain: ArrayBuffer;
  try {
    plain = await crypto.subtle.decrypt(cipher(sealed.slice(0, NONCE_LENGTH)), key, sealed.slice(NONCE_LENGTH));
  } catch {
    return 'unreadable';
  }
  const announcement = parse(plain);
  if (announcement === null) return 'malformed';
  if (announcement.room !== place.room) return 'other_room';
  if (announcement.seat !== place.seat) return 'other_seat';
  return nameProblem(announcement.name) ?? tracksProblem(announcement.tracks) ?? announcement;
}

function cipher(nonce: Bytes): AesGcmParams {
  return { name: 'AES-GCM', iv: nonce, additionalData: ASSOCIATED_DATA };
}

/** One announcement has one text, so every implementation reads the same. */
function canonicalText({ room, seat, salt, name, tracks }: Announcement): string {
  const listed = tracks.map(({ number, kind }) => ({ number, kind }));
  return JSON.stringify({ room, seat, salt: toBase64url(salt), name, tracks: listed });
}

function parse(plain: ArrayBuffer): Announcement | null {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const { room, seat, salt, name } = value;
  if (typeof room !== 'string' || fromBase64url(room)?.length !== 16) return null;
  if (!isU16(seat) || typeof salt !== 'string' || typeof name !== 'string' || !name.isWellFormed()) return null;
  const saltBytes = fromBase64url(salt);
  const tracks = parseTracks(value['tracks']);
  if (saltBytes?.length !== SALT_LENGTH || tracks === null) return null;
  const announcement = { room, seat, salt: saltBytes, name, tracks };
  return canonicalText(announcement) === text ? announcement : null;
}

function parseTracks(value: unknown): Track[] | null {
  if (!Array.isArray(value)) return null;
  const tracks: Track[] = [];
  for (const track of value as unknown[]) {
    if (!isRecord(track)) return null;
    const { number, kind } = track;
    if (!isU8(number) || !isTrackKind(kind)) return null;
    tracks.push({ number, kind });
  }
  return tracks;
}

function nameProblem(name: string): 'bad_name' | null {
  const shown = name.isWellFormed() && Array.from(name).length <= NAME_CHARS_MAX && !HIDDEN.test(name);
  return shown ? null : 'bad_name';
}

function tracksProblem(tracks: readonly Track[]): 'bad_tracks' | null {
  const numbers = new Set(tracks.map(({ number }) => number));
  return numbers.size === tracks.length && tracks.every(({ number }) => isTrackNumber(number)) ? null : 'bad_tracks';
}

function isU16(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

function isU8(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff;
}
