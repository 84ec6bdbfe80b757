// A call through a network that loses packets: sound and pictures go on, and what is lost is sent again.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { watchQuality } from '../harness/quality.ts';
import { Server } from '../harness/server.ts';
import { sleep } from '../harness/wait.ts';

/** Packets lost each way, in percent. */
const LOST_PERCENT = 5;

/** How long the call settles under loss and how long it is watched, in seconds. */
const SETTLES_SECONDS = 2;
const WATCHED_SECONDS = 8;

describe('a call that loses one packet in twenty each way', () => {
  let server: Server;
  let browser: Browser;
  let network: Namespace;
  let ada: Person;
  let ben: Person;

  beforeAll(async () => {
    network = Namespace.here();
    server = await Server.start({ capture: false, media: [Namespace.IPV4] });
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
    ben = new Person(await visit(browser), 'Ben');
    const link = await ada.createMeeting(server.url);
    await ada.join(link);
    await ben.join(link);
    await Promise.all([ada.seesMoving('Ben'), ben.seesMoving('Ada')]);
    network.lose(server.port, { up: LOST_PERCENT, down: LOST_PERCENT });
    await sleep(1_000 * SETTLES_SECONDS);
  });

  afterAll(async () => {
    network?.open();
    await browser?.close();
    await server?.stop();
  });

  it('goes on, sound and picture', async () => {
    const seen = await Promise.all([ada, ben].map(({ page }) => watchQuality(page, WATCHED_SECONDS)));
    // The control: packets were lost, in both directions.
    const [up = 0, down = 0] = network.dropped();
    expect(up).toBeGreaterThan(10);
    expect(down).toBeGreaterThan(10);
    for (const quality of seen) {
      // Without repair: 1.4 of 10 pictures per second, frozen for six of eight seconds.
      expect(quality.framesPerSecond).toBeGreaterThan(6);
      expect(quality.frozenMs).toBeLessThan(2_000);
      expect(quality.retransmitted).toBeGreaterThan(0);
      // About one packet in ten is gone after both ways; forward error correction may do better.
      expect(quality.concealedPercent).toBeLessThan(20);
      expect(quality.silentConcealedPercent).toBeLessThan(5);
    }
  });
});
