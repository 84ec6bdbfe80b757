// The offer travels as raw deflate (RFC 1951), because thirteen slots of SDP are 20 kB of repetition.

/** Largest offer in bytes once inflated: 91 kB were measured for 57 slots; we are offered 13. */
const OFFER_BYTES_MAX = 131_072;

/** Inflates an SDP. Fails when the bytes are damaged, too many, or not UTF-8. */
export async function inflateSdp(deflated: Uint8Array<ArrayBuffer>): Promise<string> {
  const reader = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let sdp = '';
  let length = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    length += chunk.value.length;
    if (length > OFFER_BYTES_MAX) {
      await reader.cancel();
      throw new RangeError('the offer is too large');
    }
    sdp += decoder.decode(chunk.value, { stream: true });
  }
  return sdp + decoder.decode();
}
