// The receiver checks that RTP timestamps rise with the frame counter (docs/adr/0002). That rests on what a browser
// shows its receive transform: the sender's clock, moved by one offset as long as the source stays the same.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BentServer } from '../harness/bent_server.ts';
import { launch, visit } from '../harness/chromium.ts';
import { Firefox } from '../harness/firefox.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { Server } from '../harness/server.ts';
import { tappedFrames, type TappedFrame } from '../harness/tapped.ts';
import { sleep } from '../harness/wait.ts';
import type { WebPage } from '../harness/web_page.ts';

/** How long the call is recorded, in milliseconds. */
const RECORDED_MS = 8_000;

/** Every direction between the two kinds of browser. */
const DIRECTIONS = [
  ['Chromium', 'Chromium'],
  ['Chromium', 'Firefox'],
  ['Firefox', 'Chromium'],
  ['Firefox', 'Firefox'],
] as const;
type Kind = (typeof DIRECTIONS)[number][number];

describe('RTP timestamps that transforms see', () => {
  let server: Server;
  let bent: BentServer;
  let chromium: Browser;
  let firefox: Firefox;
  const sent = new Map<Kind, TappedFrame[]>();
  const arrived = new Map<Kind, TappedFrame[]>();

  // One call of four: of each kind of browser one that sends and one that only watches.
  beforeAll(async () => {
    Namespace.here();
    server = await Server.start({ capture: false, media: [Namespace.IPV4] });
    bent = await BentServer.start('tap', server.url);
    [chromium, firefox] = await Promise.all([launch(), Firefox.launch()]);
    const open = (kind: Kind, withoutDevices: boolean): Promise<WebPage> =>
      kind === 'Chromium' ? visit(chromium, { withoutDevices }) : firefox.visit({ withoutDevices });
    const senders = new Map<Kind, Person<WebPage>>();
    let link: string | null = null;
    for (const kind of ['Chromium', 'Firefox'] as const) {
      const sender = new Person(await open(kind, false), `${kind} sends`);
      link ??= await sender.createMeeting(bent.url);
      await sender.join(link);
      senders.set(kind, sender);
    }
    const receivers = new Map<Kind, Person<WebPage>>();
    for (const kind of ['Chromium', 'Firefox'] as const) {
      const receiver = new Person(await open(kind, true), `${kind} watches`);
      await receiver.join(link ?? '');
      for (const { name } of senders.values()) await receiver.seesMoving(name);
      receivers.set(kind, receiver);
    }
    await sleep(RECORDED_MS);
    for (const [kind, { page }] of receivers) {
      arrived.set(kind, (await tappedFrames(page)).filter((frame) => frame.stage === 'arrived'));
    }
    for (const [kind, { page }] of senders) {
      sent.set(kind, (await tappedFrames(page)).filter((frame) => frame.stage === 'sealed'));
    }
  });

  afterAll(async () => {
    await Promise.all([chromium?.close(), firefox?.close()]);
    await bent?.stop();
    await server?.stop();
  });

  /** Frames that were sent and arrived. */
  function pairs(sender: Kind, receiver: Kind, kind: TappedFrame['kind']): Pair[] {
    return pairsOf(sent.get(sender) ?? [], arrived.get(receiver) ?? [], kind);
  }

  describe.each(DIRECTIONS)('from %s to %s', (sender, receiver) => {
    it.each([
      ['audio', 200],
      ['video', 60],
    ] as const)('follow the sender of %s by an offset that is constant while the layer stays', (kind, pairsMin) => {
      const matched = pairs(sender, receiver, kind);
      expect(matched.length).toBeGreaterThan(pairsMin);
      const offsets = matched.map(({ before, after }) => (after - before) >>> 0);
      const jumps = offsets.filter((offset, index) => index > 0 && offset !== offsets[index - 1]);
      // Video changes its layer now and then; each layer has a clock of its own in the browser.
      expect(jumps.length).toBeLessThanOrEqual(kind === 'audio' ? 0 : matched.length / 10);
      // The control: the server did move them, so what is compared is not one number with itself.
      expect(offsets.at(-1)).not.toBe(0);
    });

    it.each([
      ['audio', 1],
      // The three layers of a picture are sealed one after the other, and a slot may go from one to the next.
      ['video', 3],
    ] as const)('of %s rise in the order in which the sender sealed', (kind, apart) => {
      const matched = pairs(sender, receiver, kind);
      const steps = matched.flatMap(({ place, after }) => {
        const next = matched.find((one) => one.place >= place + apart);
        return next === undefined ? [] : [(next.after - after) | 0];
      });
      expect(steps.length).toBeGreaterThan(50);
      expect(steps.filter((step) => step <= 0)).toEqual([]);
    });
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
