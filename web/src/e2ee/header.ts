// The SFrame header: key id and counter in 1 to 17 bytes (RFC 9605 section 4.3).
import type { Bytes } from './bytes.ts';

/** A parsed header. */
export interface Header {
  readonly keyId: bigint;
  readonly counter: bigint;
  /** Length in bytes. */
  readonly length: number;
}

const EXTENDED = 0x08;
const FIELD = 0x07;

/** The bytes of a header. Both numbers have at most 64 bits. */
export function encodeHeader(keyId: bigint, counter: bigint): Bytes {
  const keyIdBytes = minimalBytes(keyId);
  const counterBytes = minimalBytes(counter);
  const config = (nibble(keyId, keyIdBytes) << 4) | nibble(counter, counterBytes);
  return new Uint8Array([config, ...keyIdBytes, ...counterBytes]);
}

/**
 * Reads the header at the start of `bytes`; null when it is cut, or when a
 * number takes more bytes than it needs: then two headers would mean the same,
 * and the standard forbids it.
 */
export function parseHeader(bytes: Uint8Array): Header | null {
  const config = bytes[0];
  if (config === undefined) return null;
  const keyId = readField(config >> 4, bytes, 1);
  if (keyId === null) return null;
  const counter = readField(config & 0x0f, bytes, keyId.end);
  if (counter === null) return null;
  return { keyId: keyId.value, counter: counter.value, length: counter.end };
}

function readField(nibbleBits: number, bytes: Uint8Array, start: number): { value: bigint; end: number } | null {
  if ((nibbleBits & EXTENDED) === 0) return { value: BigInt(nibbleBits & FIELD), end: start };
  const end = start + (nibbleBits & FIELD) + 1;
  if (end > bytes.length) return null;
  let value = 0n;
  for (const byte of bytes.subarray(start, end)) value = (value << 8n) | BigInt(byte);
  return minimalBytes(value).length === end - start ? { value, end } : null;
}

/** Values up to 7 stand in the config byte and take none. */
function minimalBytes(value: bigint): number[] {
  const bytes: number[] = [];
  if (value <= BigInt(FIELD)) return bytes;
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn));
  return bytes;
}

function nibble(value: bigint, bytes: readonly number[]): number {
  return bytes.length === 0 ? Number(value) : EXTENDED | (bytes.length - 1);
}
