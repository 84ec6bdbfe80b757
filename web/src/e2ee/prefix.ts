// The synthetic bytes in front of a sealed frame. Packetizers and depacketizers
// look at a frame's first bytes; so that they handle ciphertext, we put bytes of
// our own making there. Nothing of the encoder's output stays readable. They are
// bound to the frame and taken off before it is opened.
import { equal, type Bytes } from './bytes.ts';
import { isKeyFrame, readLeb128, vp8Dimensions, type Codec } from './codec.ts';

/** Place of an AV1 frame in a scalable stream; the lowest, 0 and 0, is not written. */
export interface Layer {
  readonly temporal: number;
  readonly spatial: number;
}

/** A frame without its prefix. */
export interface Split {
  /** The prefix as it was when the frame was sealed. */
  readonly prefix: Bytes;
  readonly sealed: Bytes;
}

const VP8_DELTA = 0x11;
/** A shown VP8 key frame with a first partition of 16 bytes, up to the start code. */
const VP8_KEY = new Uint8Array([0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a]);
const VP8_KEY_LENGTH = 10;
/** A sequence header unit without size: only a packetizer that sees it first marks a key frame. */
const AV1_KEY = 0x08;
/** A frame unit without size. */
const AV1_DELTA = 0x30;
const AV1_EXTENSION = 0x04;
const AV1_HAS_SIZE = 0x02;

/** The prefix of a plaintext frame; null when it is none of its codec: a VP8 key frame without its header. */
export function makePrefix(codec: Codec, plaintext: Uint8Array, layer: Layer): Bytes | null {
  if (codec === 'opus' || codec === 'vp9') return new Uint8Array();
  const key = isKeyFrame(codec, plaintext);
  if (codec === 'av1') return av1Prefix(key, layer);
  if (!key) return new Uint8Array([VP8_DELTA]);
  const size = vp8Dimensions(plaintext);
  if (size === null) return null;
  const { width, height } = size;
  return new Uint8Array([...VP8_KEY, width & 0xff, width >> 8, height & 0xff, height >> 8]);
}

/**
 * Takes the prefix off a frame as it arrives, or null. AV1 depacketizers write
 * the unit's size behind our header; it is taken off too and is no part of the
 * prefix, because it was not there when the frame was sealed.
 */
export function splitPrefix(codec: Codec, frame: Bytes): Split | null {
  if (codec === 'vp8') return splitVp8(frame);
  if (codec === 'av1') return splitAv1(frame);
  return { prefix: new Uint8Array(), sealed: frame };
}

function av1Prefix(key: boolean, { temporal, spatial }: Layer): Bytes {
  const header = key ? AV1_KEY : AV1_DELTA;
  if (temporal === 0 && spatial === 0) return new Uint8Array([header]);
  return new Uint8Array([header | AV1_EXTENSION, ((temporal & 7) << 5) | ((spatial & 3) << 3)]);
}

function splitVp8(frame: Bytes): Split | null {
  const length = frame[0] === VP8_DELTA ? 1 : VP8_KEY_LENGTH;
  const prefix = frame.slice(0, length);
  if (length === VP8_KEY_LENGTH) {
    const [, , , , , , , w1 = 0xff, , h1 = 0xff] = prefix;
    if (((w1 | h1) & 0xc0) !== 0 || !equal(prefix.subarray(0, VP8_KEY.length), VP8_KEY)) return null;
  }
  return { prefix, sealed: frame.subarray(length) };
}

function splitAv1(frame: Bytes): Split | null {
  const [first, extension] = frame;
  if (first === undefined) return null;
  const header = first & ~AV1_HAS_SIZE;
  const base = header & ~AV1_EXTENSION;
  if (base !== AV1_KEY && base !== AV1_DELTA) return null;
  const extended = (first & AV1_EXTENSION) !== 0;
  if (extended && (extension === undefined || extension === 0 || (extension & 7) !== 0)) return null;
  const prefix = new Uint8Array(extended ? [header, extension ?? 0] : [header]);
  if ((first & AV1_HAS_SIZE) === 0) return { prefix, sealed: frame.subarray(prefix.length) };
  const size = readLeb128(frame, prefix.length);
  if (size === null || size.value !== frame.length - size.end) return null;
  return { prefix, sealed: frame.subarray(size.end) };
}
