// What people see when the server ends: killed and started again, or stopped in good order.
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { Server } from '../harness/server.ts';
import { eventually } from '../harness/wait.ts';

const PASSWORD = 'correct horse battery staple';

describe('a call of two whose server', () => {
  let server: Server;
  let browser: Browser;
  let ada: Person;
  let ben: Person;
  let link: string;

  beforeEach(async () => {
    Namespace.here();
    server = await Server.start({ capture: false, media: [Namespace.IPV4] });
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
    ben = new Person(await visit(browser), 'Ben');
    link = await ada.createMeeting(server.url, PASSWORD);
    await ada.askToJoin(PASSWORD);
    await ada.isInCall();
    await ben.join(link, PASSWORD);
    await seeEachOther();
  });

  afterEach(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function seeEachOther(): Promise<void> {
    await Promise.all([ada.seesMoving('Ben'), ben.seesMoving('Ada')]);
  }

  it('is killed and started again meets again after one click of each', async () => {
    const { port } = server;
    await server.kill();
    await Promise.all(
      [ada, ben].map((person) =>
        eventually(`${person.name} is told`, () => person.said(), (text) => /connection.*(lost|restored)/i.test(text)),
      ),
    );
    server = await Server.start({ capture: false, port, media: [Namespace.IPV4] });
    await Promise.all([ada, ben].map((person) => person.button('Start the meeting again').waitFor()));
    for (const person of [ada, ben]) {
      expect(await person.said()).toMatch(/restarted and has forgotten/i);
      expect(await person.button('Leave').count()).toBe(0);
      expect(await person.button('New meeting').count()).toBe(1);
    }
    // At once: one of them is faster, and the other finds the room there.
    await Promise.all([ada, ben].map((person) => person.button('Start the meeting again').click()));
    await Promise.all([ada.isInCall(), ben.isInCall()]);
    await seeEachOther();
    for (const [person, name] of [[ada, 'Ben'], [ben, 'Ada']] as const) {
      expect(await person.tile(name).count()).toBe(1);
      expect(await person.address()).toBe(link);
      await person.page.getByRole('alert').filter({ hasText: /restarted/i }).waitFor({ state: 'detached' });
    }
  });

  it('is stopped goes on until everybody has left, and everybody is told', async () => {
    server.drain();
    await Promise.all(
      [ada, ben].map((person) =>
        eventually(`${person.name} is told`, () => person.said(), (text) => /being stopped/i.test(text)),
      ),
    );
    await seeEachOther();
    expect(server.isRunning()).toBe(true);
    await ada.button('Leave').click();
    await ben.button('Leave').click();
    await eventually('the server ends', () => server.isRunning(), (isRunning) => !isRunning);
    expect(server.exitCode()).toBe(0);
  });
});
