import { expect, it } from 'vitest';
import { ownerHash } from './owner.ts';

it('the owner’s hash is the start of SHA-256 of the raw public key', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
  const raw = await crypto.subtle.exportKey('raw', pair.publicKey);
  const full = new Uint8Array(await crypto.subtle.digest('SHA-256', raw));
  expect(await ownerHash(pair.publicKey)).toEqual(full.slice(0, 16));
});
