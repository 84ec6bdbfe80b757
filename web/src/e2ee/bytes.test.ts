import { expect, it } from 'vitest';
import { concat, equal, fromBase64url, toBase64url } from './bytes.ts';
import { makeLink } from './fragment.ts';

it('bytes of every length survive base64url', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
    expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
  }
});

it('padding, foreign characters, spare bits and impossible lengths are refused', () => {
  for (const text of ['AA==', 'A', 'AAAAA', 'A+', 'A/', 'AB', 'AAB', ' AA', 'AA\n', 'ÄA']) {
    expect(fromBase64url(text), text).toBeNull();
  }
});

it('byte strings are joined and compared', () => {
  const joined = concat(new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3]));
  expect(equal(joined, new Uint8Array([1, 2, 3]))).toBe(true);
  expect(equal(joined, new Uint8Array([1, 2]))).toBe(false);
  expect(equal(joined, new Uint8Array([1, 2, 4]))).toBe(false);
});

it('a new link is 16 bytes and not the last one', () => {
  expect(makeLink()).toHaveLength(16);
  expect(makeLink()).not.toEqual(makeLink());
});
