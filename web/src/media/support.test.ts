import { describe, expect, it } from 'vitest';
import { supportProblem, type BrowserScope } from './support.ts';

/** Only whether it is there is looked at. */
const some = (): void => undefined;

const able: BrowserScope = {
  isSecureContext: true,
  RTCPeerConnection: some,
  RTCRtpScriptTransform: some,
  Worker: some,
  CompressionStream: some,
  DecompressionStream: some,
  crypto: { subtle: crypto.subtle },
};

describe('a browser', () => {
  it('with everything can hold a call', async () => {
    expect(await supportProblem(able)).toBeNull();
  });

  it.each([
    ['on plain HTTP', { isSecureContext: false, RTCRtpScriptTransform: undefined }, 'insecure_context'],
    ['without calls', { RTCPeerConnection: undefined }, 'no_webrtc'],
    ['without encoded transforms', { RTCRtpScriptTransform: undefined }, 'no_encoded_transform'],
    ['without workers', { Worker: undefined }, 'no_encoded_transform'],
    ['without deflate', { DecompressionStream: undefined }, 'no_deflate'],
    ['without cryptography', { crypto: undefined }, 'no_crypto'],
    ['without Ed25519', { crypto: { subtle: { generateKey: () => Promise.reject(new Error()) } } }, 'no_crypto'],
  ])('%s is told what it lacks', async (_, change, problem) => {
    expect(await supportProblem({ ...able, ...change })).toBe(problem);
  });
});
