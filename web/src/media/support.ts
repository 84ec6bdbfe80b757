// Whether this browser can hold an encrypted call at all. There is no other way to fall back to.

/** What is missing. */
export type SupportProblem = 'insecure_context' | 'no_webrtc' | 'no_encoded_transform' | 'no_crypto' | 'no_deflate';

/** The part of the global scope that is looked at. */
export interface BrowserScope {
  readonly isSecureContext: boolean;
  readonly RTCPeerConnection?: unknown;
  readonly RTCRtpScriptTransform?: unknown;
  readonly Worker?: unknown;
  readonly CompressionStream?: unknown;
  readonly DecompressionStream?: unknown;
  readonly crypto?: { readonly subtle?: Pick<SubtleCrypto, 'generateKey'> | undefined } | undefined;
}

/** The first thing that is missing, or null when nothing is. */
export async function supportProblem(scope: BrowserScope): Promise<SupportProblem | null> {
  if (!scope.isSecureContext) return 'insecure_context';
  if (typeof scope.RTCPeerConnection !== 'function') return 'no_webrtc';
  if (typeof scope.RTCRtpScriptTransform !== 'function' || typeof scope.Worker !== 'function') {
    return 'no_encoded_transform';
  }
  if (typeof scope.CompressionStream !== 'function' || typeof scope.DecompressionStream !== 'function') {
    return 'no_deflate';
  }
  try {
    const key = await scope.crypto?.subtle?.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
    return key === undefined ? 'no_crypto' : null;
  } catch {
    return 'no_crypto';
  }
}
