// How a call sounds and looks to one page over a stretch of time, from the statistics that the browser keeps.
import { sleep } from './wait.ts';
import type { WebPage } from './web_page.ts';

/** Counters of one page's receivers at one moment, summed over the streams of one kind. */
interface Counters {
  readonly atMs: number;
  readonly audio: Readonly<Record<AudioCounter, number>>;
  readonly video: Readonly<Record<VideoCounter, number>>;
  /** By the number of the slot: how much later the sound is played than the picture, in milliseconds. */
  readonly soundBehindMs: Readonly<Record<string, number>>;
}

const AUDIO = ['totalSamplesReceived', 'concealedSamples', 'silentConcealedSamples', 'concealmentEvents'] as const;
type AudioCounter = (typeof AUDIO)[number];
const VIDEO = [
  'framesDecoded',
  'freezeCount',
  'totalFreezesDuration',
  'packetsReceived',
  'packetsLost',
  'retransmittedPacketsReceived',
  'nackCount',
  'pliCount',
] as const;
type VideoCounter = (typeof VIDEO)[number];

/** What one page received, over all streams that moved. */
export interface Quality {
  readonly seconds: number;
  /** Sound that was made up because packets were late or lost, in percent of all sound. */
  readonly concealedPercent: number;
  /** The part of it that was made up as silence: nothing was heard at all. */
  readonly silentConcealedPercent: number;
  readonly framesPerSecond: number;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly packetsLost: number;
  readonly retransmitted: number;
  readonly nacks: number;
  readonly keyFrameRequests: number;
  /** How far apart one participant's sound and picture are played, at worst; null where the browser does not say. */
  readonly lipsApartMs: number | null;
}

/** Watches a page's call for `seconds`. */
export async function watchQuality(page: WebPage, seconds: number): Promise<Quality> {
  const stretch = await Stretch.begin(page);
  for (let second = 0; second < seconds; second++) {
    await sleep(1_000);
    await stretch.lookAtLips();
  }
  return stretch.end();
}

/** A stretch of time on one page. */
export class Stretch {
  private readonly page: WebPage;
  private readonly before: Counters;
  private readonly apart: number[] = [];

  private constructor(page: WebPage, before: Counters) {
    this.page = page;
    this.before = before;
  }

  static async begin(page: WebPage): Promise<Stretch> {
    return new Stretch(page, await counters(page));
  }

  /** Notes how far apart sound and picture are played right now. */
  async lookAtLips(): Promise<void> {
    this.apart.push(...Object.values((await counters(this.page)).soundBehindMs).map(Math.abs));
  }

  /** What the page received since the beginning. */
  async end(): Promise<Quality> {
    const { before, apart } = this;
    const after = await counters(this.page);
    const audio = (name: AudioCounter): number => after.audio[name] - before.audio[name];
    const video = (name: VideoCounter): number => after.video[name] - before.video[name];
    const percent = (part: number): number => round((100 * part) / Math.max(1, audio('totalSamplesReceived')));
    const lasted = (after.atMs - before.atMs) / 1_000;
    apart.sort((one, other) => one - other);
    return {
      seconds: round(lasted),
      concealedPercent: percent(audio('concealedSamples')),
      silentConcealedPercent: percent(audio('silentConcealedSamples')),
      framesPerSecond: round(video('framesDecoded') / lasted),
      freezes: video('freezeCount'),
      frozenMs: Math.round(1_000 * video('totalFreezesDuration')),
      packetsLost: video('packetsLost'),
      retransmitted: video('retransmittedPacketsReceived'),
      nacks: video('nackCount'),
      keyFrameRequests: video('pliCount'),
      // The middle one: single samples jump when a report of the sender arrives.
      lipsApartMs: apart.length === 0 ? null : Math.round(apart[Math.floor(apart.length / 2)] ?? 0),
    };
  }
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

/** Reads the counters of all receivers of the page that have received anything. */
async function counters(page: WebPage): Promise<Counters> {
  const read = await page.evaluate(async () => {
    const streams: Record<string, string | number>[] = [];
    for (const connection of globalThis.observedPeerConnections) {
      if (connection.connectionState === 'closed') continue;
      const stats = await connection.getStats();
      stats.forEach((entry: Record<string, string | number>) => {
        if (entry['type'] === 'inbound-rtp' && Number(entry['packetsReceived']) > 0) streams.push({ ...entry });
      });
    }
    return { atMs: performance.now(), streams };
  });
  const sum = (kind: string, name: string): number =>
    read.streams.filter((one) => one['kind'] === kind).reduce((all, one) => all + Number(one[name] ?? 0), 0);
  const played = new Map(read.streams.map((one) => [String(one['mid']), Number(one['estimatedPlayoutTimestamp'])]));
  const soundBehindMs: Record<string, number> = {};
  for (const [mid, at] of played) {
    const picture = mid.startsWith('a') ? played.get(`v${mid.slice(1)}`) : undefined;
    // Within a minute: a stream that has stopped keeps its last time.
    if (picture !== undefined && Math.abs(picture - at) < 60_000) soundBehindMs[mid.slice(1)] = picture - at;
  }
  return {
    atMs: read.atMs,
    audio: Object.fromEntries(AUDIO.map((name) => [name, sum('audio', name)])) as Record<AudioCounter, number>,
    video: Object.fromEntries(VIDEO.map((name) => [name, sum('video', name)])) as Record<VideoCounter, number>,
    soundBehindMs,
  };
}
