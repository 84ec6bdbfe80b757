import { describe, expect, it } from 'vitest';
import { QualityMeter, readReport, type Sample, type SlotCounts } from './quality.ts';

describe('a slot', () => {
  it('is poor after two periods of loss, and well after four without', () => {
    const watch = watching();
    expect(watch.period({ v0: { packetsReceived: 90, packetsLost: 10 } })).toEqual([]);
    expect(watch.period({ v0: { packetsReceived: 90, packetsLost: 10 } })).toEqual(['v0']);
    for (let look = 0; look < 3; look += 1) expect(watch.period({ v0: { packetsReceived: 100 } })).toEqual(['v0']);
    expect(watch.period({ v0: { packetsReceived: 100 } })).toEqual([]);
  });

  it('does not flicker between good and bad periods', () => {
    const watch = watching();
    for (let look = 0; look < 10; look += 1) {
      expect(watch.period({ v0: { packetsReceived: 90, packetsLost: look % 2 === 0 ? 10 : 0 } })).toEqual([]);
    }
  });

  it.each<[string, Partial<SlotCounts>]>([
    ['whose sound is made up', { packetsReceived: 100, samples: 96_000, samplesConcealed: 20_000 }],
    ['whose picture stands still', { packetsReceived: 100, frozenSeconds: 1.2 }],
  ])('%s is poor', (_, counts) => {
    const watch = watching();
    watch.period({ s: counts });
    expect(watch.period({ s: counts })).toEqual(['s']);
  });

  it.each<[string, Partial<SlotCounts>]>([
    ['in which next to nothing is sent', { packetsReceived: 4, packetsLost: 4 }],
    ['whose camera was off for a minute', { packetsReceived: 100, frozenSeconds: 60 }],
    ['that loses little', { packetsReceived: 97, packetsLost: 3 }],
  ])('%s is not poor', (_, counts) => {
    const watch = watching();
    for (let look = 0; look < 5; look += 1) expect(watch.period({ s: counts })).toEqual([]);
  });

  it('whose lost packets arrive after all is not counted below zero', () => {
    const meter = new QualityMeter();
    meter.look(sample({ v0: { packetsReceived: 100, packetsLost: 50 } }));
    expect(meter.look(sample({ v0: { packetsReceived: 150, packetsLost: 0 } })).lostReceiving).toBe(0);
  });
});

describe("one's own connection", () => {
  it('is poor when the server misses what one sends', () => {
    const meter = new QualityMeter();
    meter.look(sample({}, { lostSending: 0.2 }));
    expect(meter.look(sample({}, { lostSending: 0.2 })).isOwnPoor).toBe(true);
  });

  it('is poor when everybody else is, and not when one of them is', () => {
    const bad = { packetsReceived: 50, packetsLost: 50 };
    const all = watching();
    all.period({ v0: bad, v1: bad });
    all.period({ v0: bad, v1: bad });
    expect(all.last.isOwnPoor).toBe(true);
    const one = watching();
    one.period({ v0: bad, v1: { packetsReceived: 100 } });
    one.period({ v0: bad, v1: { packetsReceived: 100 } });
    expect(one.last.isOwnPoor).toBe(false);
  });
});

describe('a report of the browser', () => {
  it('is read by mid, with the protocol of the path that was selected', () => {
    const read = readReport([
      ['i', { type: 'inbound-rtp', mid: 'a0', packetsReceived: 9, packetsLost: 1, concealedSamples: 7, silentConcealedSamples: 3 }],
      ['r', { type: 'remote-inbound-rtp', fractionLost: 0.25, roundTripTime: 0.04 }],
      ['t', { type: 'transport', selectedCandidatePairId: 'p' }],
      ['p', { type: 'candidate-pair', localCandidateId: 'l' }],
      ['l', { type: 'local-candidate', protocol: 'tcp' }],
    ]);
    expect(read.slots.get('a0')).toMatchObject({ packetsReceived: 9, packetsLost: 1, samplesConcealed: 4 });
    expect(read).toMatchObject({ lostSending: 0.25, roundTripMs: 40, protocol: 'tcp' });
  });

  it('without a transport entry has the pair that is marked', () => {
    const read = readReport([
      ['p', { type: 'candidate-pair', selected: true, localCandidateId: 'l', currentRoundTripTime: 0.01 }],
      ['l', { type: 'local-candidate', protocol: 'udp' }],
    ]);
    expect(read).toMatchObject({ protocol: 'udp', roundTripMs: 10 });
  });

  it('of something else says nothing', () => {
    expect(readReport([['x', null], ['y', { type: 'inbound-rtp' }]])).toEqual({
      slots: new Map(),
      lostSending: null,
      roundTripMs: null,
      protocol: null,
    });
  });
});

type Counts = Readonly<Record<string, Partial<SlotCounts>>>;

const NOTHING = { packetsReceived: 0, packetsLost: 0, samples: 0, samplesConcealed: 0, frozenSeconds: 0 };

function sample(counts: Counts, change: Partial<Sample> = {}): Sample {
  const slots = new Map(Object.entries(counts).map(([mid, slot]) => [mid, { ...NOTHING, ...slot }]));
  return { slots, lostSending: null, roundTripMs: null, protocol: 'udp', ...change };
}

/** Feeds a meter with what was counted in each period. */
function watching(): { period: (counts: Counts) => string[]; last: ReturnType<QualityMeter['look']> } {
  const meter = new QualityMeter();
  const totals = new Map<string, SlotCounts>();
  const watch = {
    last: meter.look(sample({})),
    period: (counts: Counts): string[] => {
      for (const [mid, slot] of Object.entries(counts)) {
        const before = totals.get(mid) ?? NOTHING;
        const sum = (key: keyof SlotCounts): number => before[key] + (slot[key] ?? 0);
        totals.set(mid, {
          packetsReceived: sum('packetsReceived'),
          packetsLost: sum('packetsLost'),
          samples: sum('samples'),
          samplesConcealed: sum('samplesConcealed'),
          frozenSeconds: sum('frozenSeconds'),
        });
      }
      watch.last = meter.look(sample(Object.fromEntries(totals)));
      return [...watch.last.poorSlots];
    },
  };
  return watch;
}
