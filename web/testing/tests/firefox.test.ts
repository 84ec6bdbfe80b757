// Firefox and Chromium in one call: each sees and hears the other, through the shipped page and the real server.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Firefox } from '../harness/firefox.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { heardBy, newlyHeard, numbers, total } from '../harness/observe.ts';
import { Server } from '../harness/server.ts';
import { eventually } from '../harness/wait.ts';
import type { WebPage } from '../harness/web_page.ts';

describe('Firefox and Chromium', () => {
  let chromium: Browser;
  let firefox: Firefox;
  let server: Server;

  beforeAll(async () => {
    Namespace.here();
    [chromium, firefox] = await Promise.all([launch(), Firefox.launch()]);
  });

  afterEach(async () => {
    for (const context of chromium.contexts()) await context.close();
    await server?.stop();
  });

  afterAll(async () => {
    await Promise.all([chromium?.close(), firefox?.close()]);
  });

  it.each([
    ['IPv4', Namespace.IPV4],
    ['IPv6', Namespace.IPV6],
  ])('meet over %s, three of them, and each sees and hears the others', async (_, media) => {
    server = await Server.start({ capture: false, media: [media] });
    const fox = new Person(await firefox.visit(), 'Fox');
    const ada = new Person(await visit(chromium), 'Ada');
    const ben = new Person(await visit(chromium), 'Ben');
    const link = await fox.createMeeting(server.url);
    await fox.askToJoin();
    await fox.isInCall();
    await Promise.all([ada.join(link), ben.join(link)]);
    const all: Person<WebPage>[] = [fox, ada, ben];
    await Promise.all(
      all.map(async (person) => {
        for (const other of all.filter((one) => one !== person)) await person.seesMoving(other.name);
        await hears(person, 2);
        await eventually(
          `${person.name} sends every picture in three sizes`,
          async () => (await numbers(person.page)).sent.filter((one) => one.kind === 'video'),
          (layers) => layers.length === 3 && layers.every((layer) => layer.frames > 0),
        );
        const { paths, received } = await numbers(person.page);
        expect(paths, person.name).toHaveLength(1);
        expect(paths[0], person.name).toMatchObject({ protocol: 'udp', remoteAddress: media, dtls: 'connected' });
        expect(total(received, 'video', 'frames'), `${person.name} decodes`).toBeGreaterThan(10);
      }),
    );
    expect(server.printed()).not.toMatch(/panicked/);
    await fox.page.close();
  });
});

/** Waits until a person hears as many others. */
async function hears(person: Person<WebPage>, others: number): Promise<void> {
  const before = await heardBy(person.page);
  const what = `${person.name} hears ${others}`;
  await eventually(what, () => heardBy(person.page), (now) => newlyHeard(before, now) === others);
}
