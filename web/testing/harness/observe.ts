// What a test reads from a page without touching its work: connection statistics and what the videos show.
import type { WebPage } from './web_page.ts';

declare global {
  /** Every connection that the page has made; only pages of a test have it. */
  var observedPeerConnections: RTCPeerConnection[];
}

/** Numbers of one stream that the page sends or receives. */
export interface StreamNumbers {
  readonly mid: string;
  readonly kind: string;
  readonly rid: string;
  readonly ssrc: number;
  /** Where the browser sends packets again (RFC 4588); 0 when it does not. */
  readonly rtxSsrc: number;
  readonly packets: number;
  readonly frames: number;
  readonly audioEnergy: number;
  readonly keyFrameRequests: number;
}

/** The path that the page's media takes. */
export interface SelectedPath {
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly dtls: string;
  readonly srtpCipher: string;
}

/** Everything that a test reads from one page's connections. */
export interface Numbers {
  /** How many connections the page has ever made. */
  readonly connections: number;
  readonly states: readonly string[];
  readonly paths: readonly SelectedPath[];
  readonly sent: readonly StreamNumbers[];
  readonly received: readonly StreamNumbers[];
}

/** Runs in the page before its own scripts: remembers every connection, changes nothing about it. */
export function watchPeerConnections(): void {
  const kept: RTCPeerConnection[] = [];
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      kept.push(this);
    }
  };
  globalThis.observedPeerConnections = kept;
}

/** Reads the statistics of all connections of the page that are not closed. */
export function numbers(page: WebPage): Promise<Numbers> {
  return page.evaluate(async () => {
    const all = globalThis.observedPeerConnections;
    const paths: SelectedPath[] = [];
    const sent: StreamNumbers[] = [];
    const received: StreamNumbers[] = [];
    for (const connection of all.filter((one) => one.connectionState !== 'closed')) {
      const report = new Map<string, Record<string, string | number | undefined>>();
      const stats = await connection.getStats();
      stats.forEach((entry: Record<string, string | number>, id: string) => report.set(id, entry));
      for (const entry of report.values()) {
        const number = (key: string): number => Number(entry[key] ?? 0);
        const text = (key: string): string => String(entry[key] ?? '');
        if (entry['type'] === 'transport' && entry['selectedCandidatePairId'] !== undefined) {
          const pair = report.get(text('selectedCandidatePairId'));
          const remote = report.get(String(pair?.['remoteCandidateId']));
          paths.push({
            protocol: String(remote?.['protocol']),
            remoteAddress: String(remote?.['address']),
            remotePort: Number(remote?.['port']),
            dtls: text('dtlsState'),
            srtpCipher: text('srtpCipher'),
          });
        }
        if (entry['type'] !== 'outbound-rtp' && entry['type'] !== 'inbound-rtp') continue;
        const out = entry['type'] === 'outbound-rtp';
        (out ? sent : received).push({
          mid: text('mid'),
          kind: text('kind'),
          rid: text('rid'),
          ssrc: number('ssrc'),
          rtxSsrc: number('rtxSsrc'),
          packets: number(out ? 'packetsSent' : 'packetsReceived'),
          frames: number(out ? 'framesEncoded' : 'framesDecoded'),
          audioEnergy: number('totalAudioEnergy'),
          keyFrameRequests: number('pliCount') + number('firCount'),
        });
      }
    }
    return { connections: all.length, states: all.map((one) => one.connectionState), paths, sent, received };
  });
}

/** The sum of one number over streams of one kind. */
export function total(
  streams: readonly StreamNumbers[],
  kind: 'audio' | 'video',
  field: 'packets' | 'frames' | 'audioEnergy',
): number {
  return streams.filter((stream) => stream.kind === kind).reduce((sum, stream) => sum + stream[field], 0);
}

/** What the page's connectivity checks carry in clear: the server's and its own ICE user names (RFC 8445, 7.2.2). */
export async function connectivityUserName(page: WebPage): Promise<string> {
  const descriptions = await page.evaluate(() => {
    const connection = globalThis.observedPeerConnections.at(-1);
    return [connection?.remoteDescription?.sdp, connection?.localDescription?.sdp];
  });
  return descriptions.map((sdp) => /a=ice-ufrag:(\S+)/.exec(sdp ?? '')?.[1] ?? 'none').join(':');
}

/** Energy of each received audio stream, by its m-line. */
export async function heardBy(page: WebPage): Promise<Map<string, number>> {
  const { received } = await numbers(page);
  const heard = received.filter((stream) => stream.kind === 'audio');
  return new Map(heard.map((stream) => [stream.mid, stream.audioEnergy]));
}

/** How many streams have gained energy that one can hear: decoders add a little comfort noise. */
export function newlyHeard(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  return [...after].filter(([mid, energy]) => energy - (before.get(mid) ?? 0) > 1e-4).length;
}
