// The page's end of a tapped worker: keeps what it shows until the test asks for it.
import type { TappedFrame } from '../harness/tapped.ts';

/** Begins to keep frames. */
export function keepTapped(): void {
  const kept: TappedFrame<Uint8Array>[] = [];
  new BroadcastChannel('undertone-tap').onmessage = ({ data }) => kept.push(data);
  globalThis.tapped = kept;
}
