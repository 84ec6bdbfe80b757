// Just enough of RTP to count packets, on the wire (headers stay in clear under SRTP) and at the core's edge.

/** What the first bytes of an RTP packet say. Source: RFC 3550, section 5.1. */
export interface RtpHeader {
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly ssrc: number;
  /** Bytes of header, contributing sources and extensions. */
  readonly headerLength: number;
  /** Bytes of padding; 0 on the wire, where SRTP covers its length. */
  readonly paddingLength: number;
}

/** Reads the header of an RTP packet in clear, or null when the datagram is something else. */
export function parseRtp(packet: Buffer): RtpHeader | null {
  const first = packet[0] ?? 0;
  const second = packet[1] ?? 0;
  // RFC 7983 gives the range of first bytes to RTP and RTCP; RFC 5761, section 4, gives the second byte to RTCP.
  if (packet.length < 12 || first < 128 || first > 191 || (second >= 192 && second <= 223)) return null;
  let headerLength = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (packet.length < headerLength + 4) return null;
    headerLength += 4 + 4 * packet.readUInt16BE(headerLength + 2);
  }
  return {
    payloadType: second & 0x7f,
    sequenceNumber: packet.readUInt16BE(2),
    ssrc: packet.readUInt32BE(8),
    headerLength,
    paddingLength: (first & 0x20) === 0 ? 0 : (packet.at(-1) ?? 0),
  };
}

/** The payload of an RTP packet in clear, without its padding; empty for a probe that is padding alone. */
export function rtpPayload(packet: Buffer): Buffer {
  const header = parseRtp(packet);
  if (header === null) return packet.subarray(0, 0);
  return packet.subarray(header.headerLength, Math.max(header.headerLength, packet.length - header.paddingLength));
}

/** The RTP packets among `packets` that carry media of one of these sources (of any source when none is given). */
export function mediaPackets(packets: readonly Buffer[], ssrcs: readonly number[] | null = null): Buffer[] {
  return packets.filter((packet) => {
    const header = parseRtp(packet);
    return header !== null && rtpPayload(packet).length > 0 && (ssrcs === null || ssrcs.includes(header.ssrc));
  });
}
