// The receiver checks that RTP timestamps rise with the frame counter (docs/adr/0002). That rests on what a browser
// shows its receive transform: the sender's clock, moved by one offset as long as the source stays the same.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BentServer } from '../harness/bent_server.ts';
import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { Server } from '../harness/server.ts';
import { tappedFrames, type TappedFrame } from '../harness/tapped.ts';
import { sleep } from '../harness/wait.ts';

/** How long the call is recorded, in milliseconds. */
const RECORDED_MS = 8_000;

describe('RTP timestamps as transforms see them', () => {
  let server: Server;
  let browser: Browser;
  let bent: BentServer;
  let sent: TappedFrame[];
  let arrived: TappedFrame[];

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    bent = await BentServer.start('tap', server.url);
    const ada = new Person(await visit(browser), 'Ada');
    const link = await ada.createMeeting(bent.url);
    await ada.askToJoin();
    await ada.isInCall();
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await ben.seesMoving('Ada');
    await sleep(RECORDED_MS);
    arrived = (await tappedFrames(ben.page)).filter((frame) => frame.stage === 'arrived');
    sent = (await tappedFrames(ada.page)).filter((frame) => frame.stage === 'sealed');
  });

  afterAll(async () => {
    await browser?.close();
    await bent?.stop();
    await server?.stop();
  });

  it.each([
    ['audio', 200],
    ['video', 60],
  ] as const)('follow the sender of %s by an offset that is constant while the layer stays', (kind, pairsMin) => {
    const pairs = pairsOf(sent, arrived, kind);
    expect(pairs.length).toBeGreaterThan(pairsMin);
    const offsets = pairs.map(({ before, after }) => (after - before) >>> 0);
    const jumps = offsets.filter((offset, index) => index > 0 && offset !== offsets[index - 1]);
    // Video changes its layer now and then; each layer has a clock of its own in the browser.
    expect(jumps.length).toBeLessThanOrEqual(kind === 'audio' ? 0 : pairs.length / 10);
    // The control: the server did move them, so what is compared is not one number with itself.
    expect(offsets.at(-1)).not.toBe(0);
  });

  it.each([
    ['audio', 1],
    // The three layers of a picture are sealed one after the other, and a slot may go from one to the next.
    ['video', 3],
  ] as const)('of %s rise in the order in which the sender sealed', (kind, apart) => {
    const pairs = pairsOf(sent, arrived, kind);
    const steps = pairs.flatMap(({ place, after }) => {
      const next = pairs.find((one) => one.place >= place + apart);
      return next === undefined ? [] : [(next.after - after) | 0];
    });
    expect(steps.length).toBeGreaterThan(50);
    expect(steps.filter((step) => step <= 0)).toEqual([]);
  });
});

/** A frame that was sent and arrived. */
interface Pair {
  /** Its place among all frames that were sealed: they share one counter. */
  readonly place: number;
  /** The timestamp that the sender's transform saw. */
  readonly before: number;
  /** The timestamp that the receiver's transform saw. */
  readonly after: number;
}

/** Frames that were sent and arrived, in the order of sealing. */
function pairsOf(sent: readonly TappedFrame[], arrived: readonly TappedFrame[], kind: TappedFrame['kind']): Pair[] {
  const arrivals = new Map<string, number>();
  for (const frame of arrived) {
    if (frame.kind === kind && frame.timestamp !== null) arrivals.set(frame.bytes.toString('base64'), frame.timestamp);
  }
  const sealed = sent.filter((frame) => frame.kind === kind);
  return sealed.flatMap((frame, place) => {
    const after = arrivals.get(frame.bytes.toString('base64'));
    return frame.timestamp !== null && after !== undefined ? [{ place, before: frame.timestamp, after }] : [];
  });
}
