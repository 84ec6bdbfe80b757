// What opened bytes say about themselves. Whether a frame is a key frame is
// read from the plaintext alone: everything outside could be written by the server.
import type { Media } from './messages.ts';

/** A codec whose frames we can seal. */
export type Codec = 'opus' | 'vp8' | 'vp9' | 'av1';

const CODECS: ReadonlyMap<string, Codec> = new Map([
  ['audio/opus', 'opus'],
  ['video/vp8', 'vp8'],
  ['video/vp9', 'vp9'],
  ['video/av1', 'av1'],
]);

/** The codec of a media type in any letter case; null for everything we cannot seal. */
export function codecOf(mimeType: unknown): Codec | null {
  return typeof mimeType === 'string' ? (CODECS.get(mimeType.toLowerCase()) ?? null) : null;
}

/** What the frames of a codec are. */
export function mediaOf(codec: Codec): Media {
  return codec === 'opus' ? 'audio' : 'video';
}

/**
 * Whether decoding can begin with this plaintext frame. Every Opus frame is
 * one; of several spatial layers only the lowest is.
 */
export function isKeyFrame(codec: Codec, plaintext: Uint8Array): boolean {
  const first = plaintext[0];
  if (codec === 'opus') return true;
  if (first === undefined) return false;
  if (codec === 'vp8') return (first & 1) === 0;
  return codec === 'vp9' ? isVp9Key(first) : hasAv1SequenceHeader(plaintext);
}

/** Width and height of a VP8 key frame, read from its header (RFC 6386 section 9.1). */
export function vp8Dimensions(plaintext: Uint8Array): { width: number; height: number } | null {
  if (plaintext.length < 10 || !isKeyFrame('vp8', plaintext)) return null;
  const [, , , a, b, c, w0 = 0, w1 = 0, h0 = 0, h1 = 0] = plaintext;
  if (a !== 0x9d || b !== 0x01 || c !== 0x2a) return null;
  return { width: ((w1 << 8) | w0) & 0x3fff, height: ((h1 << 8) | h0) & 0x3fff };
}

/**
 * VP9's uncompressed header begins with the frame marker 10, two profile bits
 * (one reserved bit more in profile 3), show_existing_frame, and frame_type, of
 * which 0 is a key frame (bitstream specification section 6.2).
 */
function isVp9Key(first: number): boolean {
  if (first >> 6 !== 0b10) return false;
  const pastProfile = (first & 0x30) === 0x30 ? first << 1 : first;
  return (pastProfile & 0x0c) === 0;
}

const OBU_SEQUENCE_HEADER = 1;
/** Temporal delimiter, metadata and padding may stand before the sequence header. */
const OBUS_PASSED_OVER: readonly number[] = [2, 5, 15];
/** How many units are looked at before the sequence header must have come. */
const OBUS_MAX = 8;

/** An AV1 encoder puts a sequence header before every key frame (section 7.5). */
function hasAv1SequenceHeader(plaintext: Uint8Array): boolean {
  let offset = 0;
  for (let unit = 0; unit < OBUS_MAX; unit += 1) {
    const header = plaintext[offset];
    if (header === undefined) return false;
    const type = (header >> 3) & 0x0f;
    if (type === OBU_SEQUENCE_HEADER) return (header & 0x80) === 0;
    if (!OBUS_PASSED_OVER.includes(type) || (header & 0x82) !== 0x02) return false;
    const size = readLeb128(plaintext, offset + 1 + ((header >> 2) & 1));
    if (size === null) return false;
    offset = size.end + size.value;
  }
  return false;
}

/**
 * Reads AV1's leb128 at `start`, of at most four bytes, which is more than any
 * frame's length needs (section 4.10.5).
 */
export function readLeb128(bytes: Uint8Array, start: number): { value: number; end: number } | null {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return null;
    value |= (byte & 0x7f) << (7 * index);
    if ((byte & 0x80) === 0) return { value, end: start + index + 1 };
  }
  return null;
}
