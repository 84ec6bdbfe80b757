// The vectors that the Rust crate reads and writes: both sides must agree.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import fragments from '../../../e2ee/vectors/fragments.json' with { type: 'json' };
import frames from '../../../e2ee/vectors/frames.json' with { type: 'json' };
import keyIds from '../../../e2ee/vectors/key_ids.json' with { type: 'json' };
import rfcFrames from '../../../e2ee/vectors/rfc9605_frames.json' with { type: 'json' };
import rfcHeaders from '../../../e2ee/vectors/rfc9605_headers.json' with { type: 'json' };
import secrets from '../../../e2ee/vectors/secrets.json' with { type: 'json' };
import type { Bytes } from './bytes.ts';
import { codecOf, isKeyFrame } from './codec.ts';
import { makeFragment, parseFragment } from './fragment.ts';
import { encodeHeader, parseHeader } from './header.ts';
import { keyIdNumber, parseKeyId } from './kid.ts';
import { makePrefix, splitPrefix } from './prefix.ts';
import { deriveFrameKey, openFrame, sealFrame, SUITE_4, type Suite } from './sframe.ts';
import { initSync, Keys } from './wasm/e2ee.js';

initSync({ module: readFileSync(new URL('./wasm/e2ee_bg.wasm', import.meta.url)) });

const SUITE_5: Suite = { number: 5, hash: 'SHA-512', keyBits: 256 };

describe('RFC 9605', () => {
  it('all 289 headers are written and read', () => {
    expect(rfcHeaders.headers).toHaveLength(289);
    for (const [keyId = '', counter = '', encoded = ''] of rfcHeaders.headers) {
      const header = { keyId: BigInt(`0x${keyId}`), counter: BigInt(`0x${counter}`) };
      expect(hex(encodeHeader(header.keyId, header.counter))).toBe(encoded);
      expect(parseHeader(unhex(encoded))).toEqual({ ...header, length: encoded.length / 2 });
    }
  });

  it.each(rfcFrames.frames)('frame of suite $suite is sealed and opened', async (vector) => {
    const suite = vector.suite === 4 ? SUITE_4 : SUITE_5;
    const [keyId, counter] = [BigInt(`0x${vector.key_id}`), BigInt(`0x${vector.counter}`)];
    const metadata = unhex(vector.metadata);
    const sealing = await deriveFrameKey(unhex(vector.base_key), keyId, 'encrypt', suite);
    const opening = await deriveFrameKey(unhex(vector.base_key), keyId, 'decrypt', suite);
    expect(hex(sealing.salt)).toBe(vector.salt);
    expect(hex(await sealFrame(sealing, counter, metadata, unhex(vector.plaintext)))).toBe(vector.frame);
    const header = parseHeader(unhex(vector.frame));
    const opened = await openFrame(opening, counter, header?.length ?? 0, metadata, unhex(vector.frame));
    expect(opened && hex(new Uint8Array(opened))).toBe(vector.plaintext);
  });
});

describe('cross vectors', () => {
  it.each(fragments.valid)('fragment $text is read and written', ({ text, link, owner, ...flags }) => {
    const fragment = { ...flags, link: unhex(link), owner: unhex(owner) };
    expect(parseFragment(text)).toEqual(fragment);
    expect(parseFragment(`#${text}`)).toEqual(fragment);
    expect(makeFragment(fragment)).toBe(text);
  });

  it.each(fragments.refused)('fragment "$text" is $problem', ({ text, problem }) => {
    expect(parseFragment(text)).toBe(problem);
  });

  it.each(secrets.rooms)('gates of a room with password $password are the same', { timeout: 60_000 }, (room) => {
    const text = makeFragment({
      password: room.password !== null,
      lobby: false,
      generation: 0,
      link: unhex(room.link),
      owner: new Uint8Array(16),
    });
    const keys = new Keys(text, room.password ?? undefined);
    expect(hex(keys.gate())).toBe(room.gate);
    expect(hex(keys.gate_hash())).toBe(room.gate_hash);
  });

  it('key ids have the same numbers', () => {
    for (const { number, ...keyId } of keyIds.key_ids) {
      expect(keyIdNumber(keyId)).toBe(number);
      expect(parseKeyId(BigInt(number))).toEqual(keyId);
    }
    for (const number of keyIds.refused) expect(parseKeyId(BigInt(number))).toBeNull();
  });

  it.each(frames.frames)('$media_type frame $counter is sealed and opened', async (vector) => {
    const keyId = BigInt(keyIdNumber(frames));
    const codec = codecOf(vector.media_type);
    if (codec === null) throw new Error('unknown codec in the vectors');
    const plaintext = unhex(vector.plaintext);
    const prefix = makePrefix(codec, plaintext, vector);
    expect(prefix && hex(prefix)).toBe(vector.prefix);
    expect(isKeyFrame(codec, plaintext)).toBe(vector.is_key_frame);
    const sealing = await deriveFrameKey(unhex(frames.base_key), keyId, 'encrypt');
    const sealed = await sealFrame(sealing, BigInt(vector.counter), unhex(vector.prefix), plaintext);
    expect(vector.prefix + hex(sealed)).toBe(vector.frame);

    const split = splitPrefix(codec, unhex(vector.received));
    if (split === null) throw new Error('the prefix is not recognised');
    const header = parseHeader(split.sealed);
    expect(header).toMatchObject({ keyId, counter: BigInt(vector.counter) });
    const opening = await deriveFrameKey(unhex(frames.base_key), keyId, 'decrypt');
    const counter = BigInt(vector.counter);
    const opened = await openFrame(opening, counter, header?.length ?? 0, split.prefix, split.sealed);
    expect(opened && hex(new Uint8Array(opened))).toBe(vector.plaintext);
  });
});

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function unhex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}
