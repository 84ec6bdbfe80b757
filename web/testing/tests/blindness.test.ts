// The server cannot hear: nothing that an encoder made is found on the wire or inside the SFU.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BentServer } from '../harness/bent_server.ts';
import { crossing } from '../harness/capture.ts';
import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { connectivityUserName } from '../harness/observe.ts';
import { mediaPackets } from '../harness/rtp.ts';
import { countFound, samplesOf } from '../harness/search.ts';
import { Server } from '../harness/server.ts';
import { framesOf, tappedFrames, type TappedFrame } from '../harness/tapped.ts';
import { sleep } from '../harness/wait.ts';
import { Wire } from '../harness/wire.ts';

/** How long the call is recorded, in milliseconds. */
const RECORDED_MS = 8_000;

/** Most samples that are looked for, of each kind: more would say no more. */
const SAMPLES_MAX = 20_000;

describe('a normal call whose encoders are tapped', () => {
  let server: Server;
  let browser: Browser;
  let bent: BentServer;
  let frames: TappedFrame[];
  let wire: Buffer[];
  let edge: { readonly in: Buffer[]; readonly out: Buffer[] };
  let userName: string;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    bent = await BentServer.start('tap', server.url);
    const tcpdump = await Wire.open(server.port);
    const tapped = new Person(await visit(browser), 'Tapped');
    const link = await tapped.createMeeting(bent.url, 'swordfish');
    await tapped.askToJoin('swordfish');
    await tapped.isInCall();
    const ben = new Person(await visit(browser), 'Ben');
    const eve = new Person(await visit(browser, { withoutDevices: true }), 'Eve');
    for (const other of [ben, eve]) {
      await other.join(link.replace(bent.url, server.url), 'swordfish');
      await other.seesMoving('Tapped');
    }
    await sleep(RECORDED_MS);
    frames = await tappedFrames(tapped.page);
    userName = await connectivityUserName(tapped.page);
    // What was tapped last is given time to arrive.
    await sleep(1_000);
    wire = (await tcpdump.close()).map((datagram) => datagram.payload);
    const captured = server.captured();
    edge = { in: crossing(captured, 'in'), out: crossing(captured, 'out') };
  });

  afterAll(async () => {
    await browser?.close();
    await bent?.stop();
    await server?.stop();
  });

  it.each(['audio', 'video'] as const)('shows the tap enough %s to search for, before and after sealing', (kind) => {
    expect(samplesOf(framesOf(frames, 'plain', kind), SAMPLES_MAX).length).toBeGreaterThan(100);
    expect(samplesOf(framesOf(frames, 'sealed', kind), SAMPLES_MAX).length).toBeGreaterThan(100);
  });

  it('is really what was captured: media, in both directions, on the wire and at the edge', () => {
    expect(mediaPackets(wire).length).toBeGreaterThan(500);
    expect(mediaPackets(edge.in).length).toBeGreaterThan(200);
    expect(mediaPackets(edge.out).length).toBeGreaterThan(200);
    expect(countFound([Buffer.from(userName)], wire), 'the connectivity checks, in clear').toBe(1);
  });

  it.each(['audio', 'video'] as const)('leaves no %s that an encoder made on the wire', (kind) => {
    expect(countFound(samplesOf(framesOf(frames, 'plain', kind), SAMPLES_MAX), wire)).toBe(0);
  });

  it.each(['audio', 'video'] as const)('shows the SFU sealed %s only, in and out', (kind) => {
    const plain = samplesOf(framesOf(frames, 'plain', kind), SAMPLES_MAX);
    const sealed = samplesOf(framesOf(frames, 'sealed', kind), SAMPLES_MAX);
    for (const packets of [edge.in, edge.out]) {
      expect(countFound(plain, packets)).toBe(0);
      // The control: sealed frames are what the SFU does see, so the search can find.
      expect(countFound(sealed, packets)).toBeGreaterThan(sealed.length / 20);
    }
  });

  it('keeps even the sealed frames from the wire, where SRTP covers them', () => {
    expect(countFound(samplesOf(framesOf(frames, 'sealed'), SAMPLES_MAX), wire)).toBe(0);
  });
});
