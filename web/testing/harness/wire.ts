// What crosses the wire, seen by tcpdump on the loopback interface: an independent witness.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';

import { INSIDE } from './namespace.ts';
import { eventually } from './wait.ts';

/** How long tcpdump may take to open the interface or to end, in milliseconds. */
const TCPDUMP_MS = 10_000;

/** The four bytes that start a capture with microseconds, written on a little-endian machine. */
const PCAP_MAGIC = 0xa1b2c3d4;

/** One UDP datagram as it was on the wire. */
export interface WireDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

/** What to do when tcpdump does not run. */
const REMEDY =
  'This test watches the wire with tcpdump: install it (`apt-get install tcpdump`) ' +
  'and run the tests as root, with passwordless sudo, or where user namespaces are allowed.';

/** A running tcpdump. */
export class Wire {
  private readonly child: ChildProcess;
  private readonly chunks: Buffer[];
  private readonly ended: Promise<void>;

  private constructor(child: ChildProcess, chunks: Buffer[], ended: Promise<void>) {
    this.child = child;
    this.chunks = chunks;
    this.ended = ended;
  }

  /** Starts to capture the packets from and to `port` on the loopback interface: UDP datagrams unless said otherwise. */
  static async open(port: number, what: 'udp' | 'everything' = 'udp'): Promise<Wire> {
    // The kernel and -U hand out each datagram at once, -B keeps 16 MiB of bursts, -w - writes to us and not to a file.
    const options = ['-i', 'lo', '--immediate-mode', '-U', '-n', '-s', '0', '-B', '16384', '-w', '-'];
    const tcpdump = ['tcpdump', ...options, ...(what === 'udp' ? ['udp'] : []), 'port', String(port)];
    const command = mayCapture() ? tcpdump : ['sudo', '-n', ...tcpdump];
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`${REMEDY} (${error.message})`)));
      child.once('exit', (code) => reject(new Error(`${REMEDY} (it ended with ${code}: ${said.trim()})`)));
    });
    const listens = eventually('tcpdump listens', () => said, (text) => text.includes('listening on'), TCPDUMP_MS);
    await Promise.race([listens, failed]);
    failed.catch(() => {});
    return new Wire(child, chunks, ended);
  }

  /** Ends the capture and returns the datagrams that it holds. */
  async close(): Promise<WireDatagram[]> {
    return parsePcap(await this.closeRaw());
  }

  /** Ends the capture and returns its file. */
  async closeRaw(): Promise<Buffer> {
    if (this.child.exitCode === null) {
      if (mayCapture()) this.child.kill('SIGINT');
      else execFileSync('sudo', ['-n', 'kill', '-INT', String(this.child.pid)]);
    }
    await this.ended;
    return Buffer.concat(this.chunks);
  }
}

/** Whether tcpdump may listen as we are: root everywhere, anybody in a network namespace of their own. */
function mayCapture(): boolean {
  return process.getuid?.() === 0 || process.env[INSIDE] !== undefined;
}

/** Parses a classic pcap file of Ethernet frames (the loopback interface has them too) into UDP datagrams. */
export function parsePcap(file: Buffer): WireDatagram[] {
  if (file.length < 24 || file.readUInt32LE(0) !== PCAP_MAGIC) throw new Error('This is no little-endian pcap file.');
  if (file.readUInt32LE(20) !== 1) throw new Error(`The capture has link type ${file.readUInt32LE(20)}, not Ethernet.`);
  const datagrams: WireDatagram[] = [];
  let offset = 24;
  while (offset + 16 <= file.length) {
    const end = offset + 16 + file.readUInt32LE(offset + 8);
    if (end > file.length) break;
    const datagram = parseFrame(file.subarray(offset + 16, end));
    if (datagram !== null) datagrams.push(datagram);
    offset = end;
  }
  return datagrams;
}

function parseFrame(frame: Buffer): WireDatagram | null {
  const type = frame.readUInt16BE(12);
  let udp: number;
  if (type === 0x0800 && frame.readUInt8(14 + 9) === 17) udp = 14 + 4 * (frame.readUInt8(14) & 0x0f);
  else if (type === 0x86dd && frame.readUInt8(14 + 6) === 17) udp = 14 + 40;
  else return null;
  const length = frame.readUInt16BE(udp + 4);
  return {
    sourcePort: frame.readUInt16BE(udp),
    destinationPort: frame.readUInt16BE(udp + 2),
    payload: frame.subarray(udp + 8, udp + length),
  };
}
