// The witnesses themselves: what counts zero elsewhere must be able to count.
import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { crossing, parseCapture } from '../harness/capture.ts';
import { Metrics } from '../harness/metrics.ts';
import { mediaPackets, parseRtp, rtpPayload } from '../harness/rtp.ts';
import { countFound, SAMPLE_LENGTH, samplesOf } from '../harness/search.ts';
import { sleep } from '../harness/wait.ts';
import { Wire } from '../harness/wire.ts';

describe('the search', () => {
  it('finds what is there, at every offset, and nothing else', () => {
    const frame = randomBytes(10 * SAMPLE_LENGTH);
    const samples = samplesOf([frame], 100);
    expect(samples.length).toBeGreaterThan(5);
    for (let offset = 0; offset < 8; offset++) {
      expect(countFound(samples, [Buffer.concat([randomBytes(offset), frame, randomBytes(3)])])).toBe(samples.length);
    }
    expect(countFound(samples, [randomBytes(100_000)])).toBe(0);
    const changed = Buffer.from(frame.map((byte, index) => (index % SAMPLE_LENGTH === 15 ? byte ^ 1 : byte)));
    expect(countFound(samples, [changed])).toBe(0);
  });

  it('takes no sample that would be found anywhere', () => {
    const ramp = Buffer.from(Array.from({ length: 160 }, (_, index) => index % 4));
    expect(samplesOf([Buffer.alloc(160), ramp], 100)).toEqual([]);
  });
});

describe('the capture of the core', () => {
  it('is read record by record, without the one that is still being written', () => {
    const begun = record(1, Buffer.from('three')).subarray(0, 15);
    const file = Buffer.concat([record(0, Buffer.from('one')), record(1, Buffer.from('two')), begun]);
    const records = parseCapture(file);
    expect(crossing(records, 'in')).toEqual([Buffer.from('one')]);
    expect(crossing(records, 'out')).toEqual([Buffer.from('two')]);
  });
});

describe('the reader of RTP', () => {
  it('finds the payload behind extensions and before padding', () => {
    const packet = Buffer.from('b1e4000100000002000000030000aaaabede000110ff0000112233440002', 'hex');
    expect(parseRtp(packet)).toEqual({
      payloadType: 100,
      sequenceNumber: 1,
      ssrc: 3,
      headerLength: 24,
      paddingLength: 2,
    });
    expect(rtpPayload(packet).toString('hex')).toBe('11223344');
    expect(mediaPackets([packet], [3]).length).toBe(1);
    expect(mediaPackets([packet], [4]).length).toBe(0);
  });

  it('takes neither RTCP nor STUN nor DTLS nor bare padding for media', () => {
    const rtcp = Buffer.from('80c8000600000001000000000000000000000000', 'hex');
    const stun = Buffer.from('000100002112a442000000000000000000000000', 'hex');
    const dtls = Buffer.from('16fefd0000000000000000002000000000000000', 'hex');
    const padding = Buffer.from('a06400010000000200000003000004', 'hex');
    padding[14] = 3;
    expect(mediaPackets([rtcp, stun, dtls, padding])).toEqual([]);
  });
});

describe('the reader of metrics', () => {
  it('adds up samples by name and labels, and knows what it does not find', () => {
    const metrics = Metrics.parse('# HELP a b\na_total{reason="x",kind="k"} 2\na_total{reason="y"} 3\nb 1.5e3\n');
    expect(metrics.sum('a_total')).toBe(5);
    expect(metrics.sum('a_total', { reason: 'x' })).toBe(2);
    expect(metrics.sum('b')).toBe(1_500);
    expect(() => metrics.sum('c')).toThrow(/a_total, b/);
  });
});

describe('the wire', () => {
  it('shows datagrams to and from a port', async () => {
    const receiver = createSocket('udp4');
    await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', () => resolve()));
    const { port } = receiver.address();
    const wire = await Wire.open(port);
    const sender = createSocket('udp4');
    const payload = randomBytes(700);
    await new Promise<void>((resolve) => sender.send(payload, port, '127.0.0.1', () => resolve()));
    await sleep(500);
    const datagrams = await wire.close();
    sender.close();
    receiver.close();
    const arrived = datagrams.filter((datagram) => datagram.destinationPort === port);
    expect(arrived.map((datagram) => datagram.payload)).toEqual([payload]);
  });
});

/** A record of the core's capture. */
function record(direction: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt8(direction, 0);
  head.writeBigUInt64BE(5n, 1);
  head.writeUInt32BE(bytes.length, 9);
  return Buffer.concat([head, bytes]);
}
