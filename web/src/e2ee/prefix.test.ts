import { expect, it } from 'vitest';
import type { Bytes } from './bytes.ts';
import { codecOf, isKeyFrame, vp8Dimensions, type Codec } from './codec.ts';
import { makePrefix, splitPrefix } from './prefix.ts';

it('media types are known in any case and others are not', () => {
  expect(codecOf('video/VP8')).toBe('vp8');
  expect(codecOf('AUDIO/OPUS')).toBe('opus');
  for (const unknown of ['audio/red', 'video/H264', '', undefined, 3]) expect(codecOf(unknown)).toBeNull();
});

it('VP9 key frames are told apart', () => {
  const firsts: [number, boolean][] = [
    [0x82, true],
    [0x86, false],
    [0x88, false],
    [0xb0, true],
    [0xb2, false],
    [0x02, false],
  ];
  for (const [first, key] of firsts) expect(isKeyFrame('vp9', new Uint8Array([first]))).toBe(key);
});

it('an AV1 key frame begins with a sequence header', () => {
  const frames: [number[], boolean][] = [
    [[0x0a, 0x01, 0x00, 0x32, 0x00], true],
    [[0x12, 0x00, 0x0a, 0x01, 0x00], true],
    [[0x16, 0x00, 0x00, 0x0a], true],
    [[0x12, 0x00, 0x32, 0x00], false],
    [[0x12, 0x05, 0x0a], false],
    [[0x12], false],
    [[0x12, 0xff, 0xff, 0xff, 0xff, 0x00], false],
    [[], false],
  ];
  for (const [frame, key] of frames) expect(isKeyFrame('av1', new Uint8Array(frame)), frame.join()).toBe(key);
});

it('a VP8 key frame without its header has no prefix', () => {
  expect(makePrefix('vp8', new Uint8Array([0x10, 0, 0]), { temporal: 0, spatial: 0 })).toBeNull();
  expect(vp8Dimensions(new Uint8Array([0x11, 0, 0, 0x9d, 1, 0x2a, 0, 0, 0, 0]))).toBeNull();
});

it('the size written by an AV1 depacketizer is taken off', () => {
  const split = splitPrefix('av1', new Uint8Array([0x36, 0x20, 0x02, 0xaa, 0xbb]));
  expect(split).toEqual({ prefix: bytes(0x34, 0x20), sealed: bytes(0xaa, 0xbb) });
});

it('foreign prefixes are refused', () => {
  const frames: [Codec, number[]][] = [
    ['vp8', []],
    ['vp8', [0x31, 0x00]],
    ['vp8', [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0]],
    ['vp8', [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x01]],
    ['av1', []],
    ['av1', [0x12, 0x00]],
    ['av1', [0x31, 0x00]],
    ['av1', [0x34]],
    ['av1', [0x34, 0x00, 0x00]],
    ['av1', [0x34, 0x21, 0x00]],
    ['av1', [0x32, 0x02, 0xaa]],
    ['av1', [0x32, 0x80]],
  ];
  for (const [codec, frame] of frames) expect(splitPrefix(codec, bytes(...frame)), frame.join()).toBeNull();
});

function bytes(...values: number[]): Bytes {
  return new Uint8Array(values);
}
