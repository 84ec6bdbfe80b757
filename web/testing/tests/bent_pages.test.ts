// Pages that were bent to forget encryption send nothing; one with the wrong key opens nothing.
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BentServer } from '../harness/bent_server.ts';
import { crossing } from '../harness/capture.ts';
import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { numbers, total } from '../harness/observe.ts';
import { mediaPackets, parseRtp, rtpPayload } from '../harness/rtp.ts';
import { countFound, SAMPLE_LENGTH } from '../harness/search.ts';
import { Server } from '../harness/server.ts';
import { framesOf, tappedFrames } from '../harness/tapped.ts';
import { eventually, sleep } from '../harness/wait.ts';
import { Wire } from '../harness/wire.ts';

/** How long a page that should send nothing is watched, in milliseconds. */
const WATCHED_MS = 5_000;

/** The longest VP8 payload descriptor, in bytes (RFC 7741, section 4.2). */
const VP8_DESCRIPTOR_MAX = 6;

/** The shortest end of a packet that proves something, in bytes. */
const END_MIN = 4;

declare global {
  /** Set by the page that attaches late, at the moment when it does. */
  var packetsBeforeAttachment: number | undefined;
}

describe('a page that is bent', () => {
  let server: Server;
  let bent: BentServer | null = null;
  let browser: Browser;

  beforeEach(async () => {
    server = await Server.start();
    browser = await launch();
  });

  afterEach(async () => {
    await browser?.close();
    await bent?.stop();
    bent = null;
    await server?.stop();
  });

  it('to attach no transform sends no media packet at all', async () => {
    bent = await BentServer.start('no-transform', server.url);
    const wire = await Wire.open(server.port);
    const bare = new Person(await visit(browser), 'Bare');
    const link = await bare.createMeeting(bent.url);
    await bare.askToJoin();
    await bare.isInCall();
    await connected(bare);
    await sleep(WATCHED_MS);

    const seen = await counts(server, await wire.close());
    expect(seen).toEqual({ onTheWire: 0, atTheEdge: 0, byTheServer: 0 });
    const { sent } = await numbers(bare.page);
    expect(total(sent, 'audio', 'packets') + total(sent, 'video', 'packets')).toBe(0);

    // The control: the shipped page in the same room, counted by the same code.
    const control = await Wire.open(server.port);
    const ben = new Person(await visit(browser), 'Ben');
    await ben.join(link.replace(bent.url, server.url));
    await bare.seesMoving('Ben', 30);
    const counted = await counts(server, await control.close());
    expect(counted.onTheWire).toBeGreaterThan(50);
    expect(counted.atTheEdge).toBeGreaterThan(50);
    expect(counted.byTheServer).toBeGreaterThan(50);
    const bens = (await numbers(ben.page)).sent;
    expect(total(bens, 'audio', 'packets')).toBeGreaterThan(0);
    expect(total(bens, 'video', 'packets')).toBeGreaterThan(0);

    // And still nothing of the bent page: everything that came in is Ben's.
    const ssrcs = new Set(bens.flatMap((stream) => [stream.ssrc, stream.rtxSsrc]));
    for (const packet of mediaPackets(crossing(server.captured(), 'in'))) {
      expect(ssrcs).toContain(parseRtp(packet)?.ssrc);
    }
    const tile = await ben.sees('Bare');
    expect(tile).toMatchObject({ e2ee: 'waiting', frames: 0 });
  });

  it('to attach its transforms late sends nothing before and only sealed frames after', async () => {
    bent = await BentServer.start('late-transform', server.url);
    const late = new Person(await visit(browser), 'Late');
    const link = await late.createMeeting(bent.url);
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await late.askToJoin();
    await late.isInCall();
    await ben.join(link.replace(bent.url, server.url));
    const before = await eventually(
      'the transforms are attached',
      () => late.page.evaluate(() => globalThis.packetsBeforeAttachment),
      (packets) => packets !== undefined,
    );
    expect(before, 'packets sent while connected and without a transform').toBe(0);
    await ben.seesMoving('Late', 20);

    const { sent } = await numbers(late.page);
    const packets = mediaPackets(crossing(server.captured(), 'in'), sent.map((stream) => stream.ssrc));
    const frames = await tappedFrames(late.page);
    const ends = packets.map(endOf).filter((end) => end.length >= END_MIN);
    expect(ends.length).toBeGreaterThan(50);
    // Every packet is the end of a piece of a sealed frame, none of a frame as the encoder made it.
    expect(countFound(ends, framesOf(frames, 'sealed'))).toBe(ends.length);
    expect(countFound(ends, framesOf(frames, 'plain'))).toBe(0);
  });

  it('to come in with the secret of another room behind the right gate is turned away, and everybody is told', async () => {
    const ada = new Person(await visit(browser), 'Ada');
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    bent = await BentServer.start('wrong-key', server.url);
    const mallory = new Person(await visit(browser), 'Mallory');
    await mallory.page.goto(bent.link(link));
    await mallory.askToJoin();
    await eventually(
      'Ada is told of the intruder',
      () => ada.page.locator('body').innerText(),
      (text) => text.includes("Somebody tried to come in without this meeting’s secret"),
    );
    await sleep(WATCHED_MS);
    for (const person of [mallory, ada]) {
      expect(await person.page.locator('[data-e2ee="encrypted"]').count()).toBe(0);
      const { received } = await numbers(person.page);
      expect(total(received, 'video', 'frames')).toBe(0);
      expect(total(received, 'audio', 'audioEnergy')).toBe(0);
    }
    await meetsBen(link);
  });

  it('to use wrong keys for media alone opens nothing, and says why', async () => {
    const ada = new Person(await visit(browser), 'Ada');
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    bent = await BentServer.start('wrong-media-key', server.url);
    const mallory = new Person(await visit(browser), 'Mallory');
    await mallory.page.goto(bent.link(link));
    await mallory.askToJoin();
    await mallory.isInCall();
    await eventually(
      'media reaches the page with the wrong keys',
      async () => (await numbers(mallory.page)).received,
      (received) => total(received, 'video', 'packets') > 50 && total(received, 'audio', 'packets') > 50,
    );
    await sleep(WATCHED_MS);

    for (const [person, name] of [
      [mallory, 'Ada'],
      [ada, 'Mallory'],
    ] as const) {
      const tile = await person.sees(name);
      expect(tile).toMatchObject({ e2ee: 'failed', frames: 0 });
      expect(tile.text, `${person.name} is told why`).toMatch(/key|changed/);
      expect(await person.page.locator('[data-e2ee="encrypted"]').count()).toBe(0);
      const { received } = await numbers(person.page);
      expect(total(received, 'video', 'packets')).toBeGreaterThan(0);
      expect(total(received, 'video', 'frames')).toBe(0);
      expect(total(received, 'audio', 'audioEnergy')).toBe(0);
    }
    await meetsBen(link);
  });

  /** The control: somebody with the right keys, in the same call, counted by the same code. */
  async function meetsBen(link: string): Promise<void> {
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await ben.seesMoving('Ada');
    expect(total((await numbers(ben.page)).received, 'video', 'frames')).toBeGreaterThan(0);
    await eventually(
      'Ben hears Ada',
      async () => total((await numbers(ben.page)).received, 'audio', 'audioEnergy'),
      (energy) => energy > 0,
    );
  }
});

/** The last bytes of a packet's payload, without what may be its VP8 payload descriptor. */
function endOf(packet: Buffer): Buffer {
  return rtpPayload(packet).subarray(VP8_DESCRIPTOR_MAX).subarray(-SAMPLE_LENGTH);
}

/** Waits until a page has a path for its media. */
async function connected(person: Person): Promise<void> {
  await eventually(
    `${person.name} is connected`,
    async () => (await numbers(person.page)).states,
    (states) => states.includes('connected'),
  );
}

/** Media packets that went to the server so far, by three witnesses. */
async function counts(
  server: Server,
  wire: Awaited<ReturnType<Wire['close']>>,
): Promise<{ onTheWire: number; atTheEdge: number; byTheServer: number }> {
  const toServer = wire.filter((datagram) => datagram.destinationPort === server.port);
  return {
    // Padding is told from media only where SRTP is off, so here it counts too.
    onTheWire: toServer.filter((datagram) => parseRtp(datagram.payload) !== null).length,
    atTheEdge: mediaPackets(crossing(server.captured(), 'in')).length,
    byTheServer: await server.mediaPacketsReceived(),
  };
}
