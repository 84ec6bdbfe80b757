// Which way media takes: UDP where it works, TCP where a firewall drops UDP.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Firefox } from '../harness/firefox.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { numbers } from '../harness/observe.ts';
import { Server } from '../harness/server.ts';
import { eventually } from '../harness/wait.ts';
import type { WebPage } from '../harness/web_page.ts';

/** How soon media must be there after joining when UDP is dropped, in milliseconds: the page waits about one second. */
const OVER_TCP_MS = 8_000;

/** How soon a call must go on when UDP is dropped in the middle of it, in milliseconds: browsers take some to notice. */
const MIDWAY_MS = 30_000;

describe('media between Firefox, Chromium and the server', () => {
  let chromium: Browser;
  let firefox: Firefox;
  let network: Namespace;
  let server: Server;
  let ada: Person;
  let fox: Person<WebPage>;

  beforeAll(async () => {
    network = Namespace.here();
    [chromium, firefox] = await Promise.all([launch(), Firefox.launch()]);
  });

  beforeEach(async () => {
    server = await Server.start({ capture: false, media: [Namespace.IPV4, Namespace.IPV6] });
    ada = new Person(await visit(chromium), 'Ada');
    fox = new Person(await firefox.visit(), 'Fox');
  });

  afterEach(async () => {
    network?.open();
    for (const context of chromium.contexts()) await context.close();
    await server?.stop();
  });

  afterAll(async () => {
    await Promise.all([chromium?.close(), firefox?.close()]);
  });

  async function meet(): Promise<void> {
    const link = await ada.createMeeting(server.url);
    await ada.join(link);
    await fox.join(link);
  }

  async function seeEachOther(): Promise<void> {
    await Promise.all([ada.seesMoving('Fox'), fox.seesMoving('Ada')]);
  }

  async function expectPaths(protocol: 'tcp' | 'udp', patienceMs?: number): Promise<void> {
    await Promise.all(
      [ada, fox].map((person) =>
        eventually(
          `${person.name}'s media goes over ${protocol}`,
          async () => (await numbers(person.page)).paths,
          (paths) => paths.length === 1 && paths[0]?.protocol === protocol && paths[0].dtls === 'connected',
          patienceMs,
        ),
      ),
    );
  }

  it('goes over UDP where it can', async () => {
    await meet();
    await seeEachOther();
    await expectPaths('udp');
  });

  it('goes over TCP within seconds where UDP is dropped, and the page says so', async () => {
    network.dropUdp(server.port);
    await meet();
    await expectPaths('tcp', OVER_TCP_MS);
    await seeEachOther();
    expect(Math.max(...network.dropped()), 'UDP was tried').toBeGreaterThan(0);
    for (const person of [ada, fox]) {
      const { paths } = await numbers(person.page);
      expect(paths[0]?.remotePort).toBe(server.port);
      const connection = person.page.getByRole('button', { name: 'Connection: over TCP' });
      await connection.click();
      await eventually('it is said', () => person.said(), (text) => /UDP is blocked here/.test(text));
    }
  });

  it('goes on over TCP when UDP is dropped in the middle of a call', async () => {
    await meet();
    await seeEachOther();
    network.dropUdp(server.port);
    await expectPaths('tcp', MIDWAY_MS);
    await seeEachOther();
    expect(await ada.tile('Fox').count()).toBe(1);
    expect(await fox.tile('Ada').count()).toBe(1);
  });
});
