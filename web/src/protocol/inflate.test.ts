import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateSdp } from './inflate.ts';

function deflated(bytes: Buffer | string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(deflateRawSync(bytes));
}

describe('a deflated offer', () => {
  it('comes out as it went in', async () => {
    const sdp = `v=0\r\n${'a=rtpmap:111 opus/48000/2\r\n'.repeat(900)}s=Grüße\r\n`;
    expect(await inflateSdp(deflated(sdp))).toBe(sdp);
  });

  it('that is cut off is refused', async () => {
    const bytes = deflated('v=0\r\n'.repeat(100));
    await expect(inflateSdp(bytes.slice(0, -3))).rejects.toThrow();
  });

  it('that grows beyond all measure is refused before it fills the memory', async () => {
    await expect(inflateSdp(deflated(Buffer.alloc(50_000_000)))).rejects.toThrow('too large');
  });

  it('that is not UTF-8 is refused', async () => {
    await expect(inflateSdp(deflated(Buffer.from([0x76, 0xff, 0xfe])))).rejects.toThrow();
  });
});
