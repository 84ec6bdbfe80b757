// Offers and answers travel as raw deflate (RFC 1951), because tens of slots of SDP are 20 to 120 kB of repetition.
import { SDP_BYTES_MAX } from './generated.ts';

/** Inflates an SDP. Fails when the bytes are damaged, too many, or not UTF-8. */
export async function inflateSdp(deflated: Uint8Array<ArrayBuffer>): Promise<string> {
  const reader = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let sdp = '';
  let length = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    length += chunk.value.length;
    if (length > SDP_BYTES_MAX) {
      await reader.cancel();
      throw new RangeError('the offer is too large');
    }
    sdp += decoder.decode(chunk.value, { stream: true });
  }
  return sdp + decoder.decode();
}

/** Deflates an SDP. */
export async function deflateSdp(sdp: string): Promise<Uint8Array<ArrayBuffer>> {
  const deflated = new Blob([sdp]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(deflated).arrayBuffer());
}
