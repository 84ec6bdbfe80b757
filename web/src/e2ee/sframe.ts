// SFrame on WebCrypto (RFC 9605 section 4.4): keys that cannot be taken out,
// nonces from the counter, the header and our prefix bound to every frame.
import { concat, utf8, type Bytes } from './bytes.ts';
import { encodeHeader } from './header.ts';

/** One of the suites of RFC 9605 table 1. */
export interface Suite {
  readonly number: number;
  readonly hash: 'SHA-256' | 'SHA-512';
  readonly keyBits: 128 | 256;
}

/** AES_128_GCM_SHA256_128: the one we use. */
export const SUITE_4: Suite = { number: 4, hash: 'SHA-256', keyBits: 128 };

/** Length of the authentication tag in bytes. */
export const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;
const TAG_BITS = 8 * TAG_LENGTH;

/** The key of one key id: it seals or it opens, never both. */
export interface FrameKey {
  readonly keyId: bigint;
  readonly key: CryptoKey;
  readonly salt: Bytes;
}

/** Derives the key of `keyId` from its base key (RFC 9605 section 4.4.2). */
export async function deriveFrameKey(
  baseKey: Bytes,
  keyId: bigint,
  usage: 'encrypt' | 'decrypt',
  suite: Suite = SUITE_4,
): Promise<FrameKey> {
  const material = await crypto.subtle.importKey('raw', baseKey, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const hkdf = (purpose: string) => ({
    name: 'HKDF',
    hash: suite.hash,
    salt: new Uint8Array(),
    info: label(purpose, keyId, suite),
  });
  const [key, salt] = await Promise.all([
    crypto.subtle.deriveKey(
      hkdf('SFrame 1.0 Secret key '),
      material,
      { name: 'AES-GCM', length: suite.keyBits },
      false,
      [usage],
    ),
    crypto.subtle.deriveBits(hkdf('SFrame 1.0 Secret salt '), material, 8 * NONCE_LENGTH),
  ]);
  return { keyId, key, salt: new Uint8Array(salt) };
}

/** Seals `plaintext`: header ‖ ciphertext ‖ tag. One counter is used once. */
export async function sealFrame(
  key: FrameKey,
  counter: bigint,
  metadata: Uint8Array,
  plaintext: BufferSource,
): Promise<Bytes> {
  const header = encodeHeader(key.keyId, counter);
  const sealed = await crypto.subtle.encrypt(parameters(key, counter, header, metadata), key.key, plaintext);
  return concat(header, new Uint8Array(sealed));
}

/** Opens `sealed`, whose header has `headerLength` bytes and says `counter`; null when it is not authentic. */
export async function openFrame(
  key: FrameKey,
  counter: bigint,
  headerLength: number,
  metadata: Uint8Array,
  sealed: Bytes,
): Promise<ArrayBuffer | null> {
  const header = sealed.subarray(0, headerLength);
  try {
    return await crypto.subtle.decrypt(
      parameters(key, counter, header, metadata),
      key.key,
      sealed.subarray(headerLength),
    );
  } catch {
    return null;
  }
}

function parameters(key: FrameKey, counter: bigint, header: Uint8Array, metadata: Uint8Array): AesGcmParams {
  return {
    name: 'AES-GCM',
    iv: nonce(key.salt, counter),
    additionalData: concat(header, metadata),
    tagLength: TAG_BITS,
  };
}

/** The salt with the counter laid over its end (section 4.4.3). */
function nonce(salt: Bytes, counter: bigint): Bytes {
  const bytes = salt.slice();
  const view = new DataView(bytes.buffer);
  const place = NONCE_LENGTH - 8;
  view.setBigUint64(place, view.getBigUint64(place) ^ counter);
  return bytes;
}

function label(purpose: string, keyId: bigint, suite: Suite): Bytes {
  const numbers = new DataView(new ArrayBuffer(10));
  numbers.setBigUint64(0, keyId);
  numbers.setUint16(8, suite.number);
  return concat(utf8(purpose), new Uint8Array(numbers.buffer));
}
