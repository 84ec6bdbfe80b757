// The server's own capture at the core's edge (build feature `capture`): what the SFU sees once SRTP is off.

/** Which way a datagram crossed the edge. */
export type Direction = 'in' | 'out';

/** One RTP or RTCP packet in clear, as the SFU handles it. */
export interface CapturedDatagram {
  readonly direction: Direction;
  /** Microseconds since some start of the server's choosing. */
  readonly micros: number;
  readonly bytes: Buffer;
}

/** Bytes before each record: u8 direction (0 in, 1 out), u64 microseconds, u32 length, all big-endian. */
const RECORD_HEADER = 13;

/** Parses a capture file; a record that is still being written at the end is left out. */
export function parseCapture(file: Buffer): CapturedDatagram[] {
  const records: CapturedDatagram[] = [];
  let offset = 0;
  while (offset + RECORD_HEADER <= file.length) {
    const direction = file.readUInt8(offset);
    if (direction > 1) throw new Error(`The capture has a direction ${direction} at byte ${offset}.`);
    const micros = Number(file.readBigUInt64BE(offset + 1));
    const start = offset + RECORD_HEADER;
    const end = start + file.readUInt32BE(offset + 9);
    if (end > file.length) break;
    records.push({ direction: direction === 0 ? 'in' : 'out', micros, bytes: file.subarray(start, end) });
    offset = end;
  }
  return records;
}

/** The packets that crossed the edge in one direction. */
export function crossing(datagrams: readonly CapturedDatagram[], direction: Direction): Buffer[] {
  return datagrams.filter((datagram) => datagram.direction === direction).map((datagram) => datagram.bytes);
}
