// Why a microphone or camera is not there, told from what the browser throws.

/** Why a device cannot be used. */
export type DeviceProblem = 'denied' | 'missing' | 'busy' | 'vanished' | 'unavailable' | 'unknown';

/** Reads an error of `getUserMedia`. Source: Media Capture and Streams, section 10.2. */
export function deviceProblem(error: unknown): DeviceProblem {
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : null;
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    case 'TypeError':
      return 'unavailable';
    default:
      return 'unknown';
  }
}
