// How well media gets through, told from what the browser counts: who is hard to hear or see, and whether one is
// oneself. A word is worth more than a number here, and it must not flicker.

/** What has been counted of one slot since its connection began. */
export interface SlotCounts {
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Samples of sound, and those of them that had to be made up. */
  readonly samples: number;
  readonly samplesConcealed: number;
  /** How long the picture stood still, in seconds. */
  readonly frozenSeconds: number;
}

/** What has been counted of one connection. */
export interface Sample {
  /** By mid. */
  readonly slots: ReadonlyMap<string, SlotCounts>;
  /** Share of what one sent that was lost lately, from 0 to 1, as the server reports it; null when it does not. */
  readonly lostSending: number | null;
  readonly roundTripMs: number | null;
  /** What the selected path runs over. */
  readonly protocol: 'udp' | 'tcp' | null;
}

/** How well media gets through. */
export interface Quality {
  /** Slots that are hard to hear or see. */
  readonly poorSlots: ReadonlySet<string>;
  /** What one sends, or everything that one receives, gets through badly. */
  readonly isOwnPoor: boolean;
  readonly protocol: Sample['protocol'];
  readonly roundTripMs: number | null;
  readonly lostSending: number | null;
  /** Share of the packets of the last period that did not arrive, over all slots; null when there were none. */
  readonly lostReceiving: number | null;
}

/** How often to look, in milliseconds. */
export const LOOK_MS = 2_000;

/** From this share of lost packets on sound is hurt in spite of repair, and pictures stand still. */
const LOST_FROM = 0.08;
/** From this share of made-up samples on words are lost. */
const CONCEALED_FROM = 0.08;
/** From this many seconds of a standing picture in one period on people notice. */
const FROZEN_FROM_SECONDS = 0.6;
/** From this round trip on people talk into each other. */
const ROUND_TRIP_FROM_MS = 800;
/** Fewer packets than these in a period say nothing. */
const PACKETS_MIN = 20;
/** So many bad looks in a row make it poor, and so many good ones make it well: no flicker, and slower to trust. */
const BAD_LOOKS = 2;
const GOOD_LOOKS = 4;

const NOTHING: SlotCounts = { packetsReceived: 0, packetsLost: 0, samples: 0, samplesConcealed: 0, frozenSeconds: 0 };

/** Says it of one connection, look by look. */
export class QualityMeter {
  private before: ReadonlyMap<string, SlotCounts> = new Map();
  private readonly slots = new Map<string, Hysteresis>();
  private readonly sending = new Hysteresis();

  /** Takes what was counted until now. */
  look(sample: Sample): Quality {
    const poorSlots = new Set<string>();
    let fed = 0;
    let expectedInAll = 0;
    let lostInAll = 0;
    for (const [mid, now] of sample.slots) {
      const period = since(this.before.get(mid) ?? NOTHING, now);
      const expected = period.packetsReceived + period.packetsLost;
      expectedInAll += expected;
      lostInAll += period.packetsLost;
      if (expected > 0) fed += 1;
      const slot = this.slots.get(mid) ?? new Hysteresis();
      this.slots.set(mid, slot);
      if (slot.takes(isBad(period, expected))) poorSlots.add(mid);
    }
    this.before = sample.slots;
    const { lostSending, roundTripMs, protocol } = sample;
    const isSendingBad = (lostSending ?? 0) >= LOST_FROM || (roundTripMs ?? 0) >= ROUND_TRIP_FROM_MS;
    const isSendingPoor = this.sending.takes(isSendingBad);
    // Where everybody is hard to hear, the reason is on this side.
    const isReceivingPoor = fed > 1 && poorSlots.size >= fed;
    const lostReceiving = expectedInAll === 0 ? null : lostInAll / expectedInAll;
    return { poorSlots, isOwnPoor: isSendingPoor || isReceivingPoor, protocol, roundTripMs, lostSending, lostReceiving };
  }
}

class Hysteresis {
  private isPoor = false;
  private contrary = 0;

  /** Takes one look; returns whether it is poor now. */
  takes(looksPoor: boolean): boolean {
    this.contrary = looksPoor === this.isPoor ? 0 : this.contrary + 1;
    if (this.contrary >= (this.isPoor ? GOOD_LOOKS : BAD_LOOKS)) {
      this.isPoor = looksPoor;
      this.contrary = 0;
    }
    return this.isPoor;
  }
}

function isBad(period: SlotCounts, expected: number): boolean {
  if (expected >= PACKETS_MIN && period.packetsLost / expected >= LOST_FROM) return true;
  if (period.samples > 0 && period.samplesConcealed / period.samples >= CONCEALED_FROM) return true;
  // A camera that was off counts as one long freeze when it comes back; no period is longer than itself.
  return period.frozenSeconds >= FROZEN_FROM_SECONDS && period.frozenSeconds <= (2 * LOOK_MS) / 1_000;
}

/** Counters may go back where a late packet arrives after all. */
function since(before: SlotCounts, now: SlotCounts): SlotCounts {
  const grown = (key: keyof SlotCounts): number => Math.max(0, now[key] - before[key]);
  return {
    packetsReceived: grown('packetsReceived'),
    packetsLost: grown('packetsLost'),
    samples: grown('samples'),
    samplesConcealed: grown('samplesConcealed'),
    frozenSeconds: grown('frozenSeconds'),
  };
}

/** Reads a report of `getStats`. Source: Identifiers for WebRTC's Statistics API. */
export function readReport(report: Iterable<readonly [string, unknown]>): Sample {
  const entries = new Map<string, Entry>();
  for (const [id, entry] of report) if (isEntry(entry)) entries.set(id, entry);
  const slots = new Map<string, SlotCounts>();
  let lostSending: number | null = null;
  let roundTripMs: number | null = null;
  for (const entry of entries.values()) {
    if (entry['type'] === 'inbound-rtp' && typeof entry['mid'] === 'string') slots.set(entry['mid'], counts(entry));
    if (entry['type'] !== 'remote-inbound-rtp') continue;
    lostSending = largest(lostSending, entry['fractionLost']);
    const seconds = entry['roundTripTime'];
    roundTripMs = largest(roundTripMs, typeof seconds === 'number' ? seconds * 1_000 : null);
  }
  const pair = selectedPair(entries);
  const seconds = pair?.['currentRoundTripTime'];
  const local = entries.get(text(pair?.['localCandidateId']));
  const protocol = local?.['protocol'];
  return {
    slots,
    lostSending,
    roundTripMs: roundTripMs ?? (typeof seconds === 'number' ? seconds * 1_000 : null),
    protocol: protocol === 'udp' || protocol === 'tcp' ? protocol : null,
  };
}

type Entry = Readonly<Record<string, unknown>>;

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null;
}

function counts(entry: Entry): SlotCounts {
  // Silence that is made up is no loss: nothing was said.
  const concealed = number(entry['concealedSamples']) - number(entry['silentConcealedSamples']);
  return {
    packetsReceived: number(entry['packetsReceived']),
    packetsLost: number(entry['packetsLost']),
    samples: number(entry['totalSamplesReceived']),
    samplesConcealed: concealed,
    frozenSeconds: number(entry['totalFreezesDuration']),
  };
}

/** Firefox has no `transport` entries, and marks the pair instead. */
function selectedPair(entries: ReadonlyMap<string, Entry>): Entry | undefined {
  for (const entry of entries.values()) {
    if (entry['type'] === 'transport' && entry['selectedCandidatePairId'] !== undefined) {
      return entries.get(text(entry['selectedCandidatePairId']));
    }
  }
  return [...entries.values()].find((entry) => entry['type'] === 'candidate-pair' && entry['selected'] === true);
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function largest(known: number | null, value: unknown): number | null {
  if (typeof value !== 'number') return known;
  return known === null ? value : Math.max(known, value);
}
