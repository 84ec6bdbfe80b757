// The vectors that the Rust crate reads and writes: both sides must agree.
import { describe, expect, it } from 'vitest';
import announcements from '../../../e2ee/vectors/announcements.json' with { type: 'json' };
import fragments from '../../../e2ee/vectors/fragments.json' with { type: 'json' };
import frames from '../../../e2ee/vectors/frames.json' with { type: 'json' };
import keyIds from '../../../e2ee/vectors/key_ids.json' with { type: 'json' };
import rfcFrames from '../../../e2ee/vectors/rfc9605_frames.json' with { type: 'json' };
import rfcHeaders from '../../../e2ee/vectors/rfc9605_headers.json' with { type: 'json' };
import secrets from '../../../e2ee/vectors/secrets.json' with { type: 'json' };
import { openAnnouncement, sealAnnouncement } from './announcement.ts';
import { fromBase64url, u16, type Bytes } from './bytes.ts';
import { codecOf, isKeyFrame } from './codec.ts';
import { makeFragment, parseFragment } from './fragment.ts';
import { encodeHeader, parseHeader } from './header.ts';
import { keyIdNumber, parseKeyId } from './kid.ts';
import { isTrackKind, type Track } from './messages.ts';
import { makePrefix, splitPrefix } from './prefix.ts';
import { RoomSecret } from './secret.ts';
import { deriveFrameKey, openFrame, sealFrame, SUITE_4, type Suite } from './sframe.ts';

const SUITE_5: Suite = { number: 5, hash: 'SHA-512', keyBits: 256 };
const nothing = () => undefined;

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

  it.each(secrets.rooms)('secrets of a room with password $password are the same', { timeout: 60_000 }, async (room) => {
    const secret = await RoomSecret.derive(unhex(room.link), room.password, nothing);
    const gate = await secret.gate();
    expect(hex(gate)).toBe(room.gate);
    expect(hex(new Uint8Array(await crypto.subtle.digest('SHA-256', gate)))).toBe(room.gate_hash);
    for (const { room: id, seat, salt, base_key: baseKey } of room.base_keys) {
      expect(hex(await secret.interimBaseKey(id, seat, unhex(salt)))).toBe(baseKey);
    }
    const full = secret as RoomSecret;
    for (const { generation, psk, mailbox } of room.generations) {
      expect(hex(await full.output('mls psk', u16(generation)))).toBe(psk);
      expect(hex(await full.output('mailbox', u16(generation)))).toBe(mailbox);
    }
  });

  it('key ids have the same numbers', () => {
    for (const { number, ...keyId } of keyIds.key_ids) {
      expect(keyIdNumber(keyId)).toBe(number);
      expect(parseKeyId(BigInt(number))).toEqual(keyId);
    }
    for (const number of keyIds.refused) expect(parseKeyId(BigInt(number))).toBeNull();
  });

  const place = { room: announcements.room, seat: announcements.seat };

  it.each(announcements.valid)('announcement of "$name" is sealed and opened', async ({ name, tracks, sealed }) => {
    const key = await announcementKey();
    const announcement = { ...place, salt: unhex(announcements.salt), name, tracks: tracks.map(asTrack) };
    expect(await openAnnouncement(key, unhex(sealed), place)).toEqual(announcement);
    const again = await sealAnnouncement(key, announcement, unhex(announcements.nonce));
    expect(typeof again === 'string' ? again : hex(again)).toBe(sealed);
  });

  it.each(announcements.refused)('announcement $text is refused as $reason', async ({ sealed, reason }) => {
    expect(await openAnnouncement(await announcementKey(), unhex(sealed), place)).toBe(reason);
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

async function announcementKey(): Promise<CryptoKey> {
  return (await RoomSecret.derive(unhex(announcements.link), null, nothing)).announcementKey();
}

function asTrack({ number, kind }: { number: number; kind: string }): Track {
  if (!isTrackKind(kind)) throw new Error('unknown kind in the vectors');
  return { number, kind };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function unhex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}

it('the room of the vectors is base64url', () => {
  expect(fromBase64url(announcements.room)).toHaveLength(16);
});
