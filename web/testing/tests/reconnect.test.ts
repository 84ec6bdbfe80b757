// A call outlives what networks and people do to it: a broken WebSocket, a reload, a closed lid.
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { movement, pageClock } from '../harness/frames.ts';
import { Person } from '../harness/meeting.ts';
import { Namespace } from '../harness/namespace.ts';
import { heardBy, newlyHeard, numbers } from '../harness/observe.ts';
import { newMark, suspend, wake } from '../harness/processes.ts';
import { Relay } from '../harness/relay.ts';
import { Server } from '../harness/server.ts';
import { Overheard } from '../harness/signaling.ts';
import { eventually, sleep } from '../harness/wait.ts';

/** How soon a seat must be free: the server holds it for 30 s (`RESUME_WINDOW_MS`). In milliseconds. */
const LONG_SLEEP_MS = 45_000;

/**
 * The longest time that a picture may stand still where media is undisturbed, in milliseconds.
 *
 * Pictures are 100 ms apart and two cores are busy. A connection that is made anew takes longer.
 */
const UNDISTURBED_MS = 800;

describe('a call of two', () => {
  let server: Server;
  let relay: Relay;
  let browsers: Browser[];
  let ada: Person;
  let ben: Person;
  let adaHeard: Overheard;
  let benHeard: Overheard;
  let lid: string;

  beforeEach(async () => {
    Namespace.here();
    server = await Server.start({ capture: false, media: [Namespace.IPV4] });
    relay = await Relay.start(server.url);
    lid = newMark();
    browsers = await Promise.all([launch('granted', [lid]), launch()]);
    const [first, second] = browsers as [Browser, Browser];
    ada = new Person(await visit(first), 'Ada');
    ben = new Person(await visit(second), 'Ben');
    adaHeard = new Overheard(ada.page);
    benHeard = new Overheard(ben.page);
    const link = await ben.createMeeting(server.url);
    await ben.join(link);
    await ada.join(relay.link(link));
    await seeEachOther();
  });

  afterEach(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await relay?.stop();
    await server?.stop();
  });

  async function seeEachOther(): Promise<void> {
    await Promise.all([ada.seesMoving('Ben'), ben.seesMoving('Ada')]);
  }

  it.each([
    ['cut', 0],
    ['cut for five seconds', 5_000],
  ])('does not notice that a WebSocket was %s', async (_, lastsMs) => {
    await mark(ada, 'Ben');
    await mark(ben, 'Ada');
    const before = [await pageClock(ada.page), await pageClock(ben.page)] as const;
    const sound = [await heardBy(ada.page), await heardBy(ben.page)] as const;
    relay.block();
    if (lastsMs > 0) {
      await eventually('the break is said', () => ada.said(), (text) => /being restored/i.test(text));
      await sleep(lastsMs);
    }
    relay.mend();
    const resumed = await eventually(
      'the page is back on its seat',
      () => adaHeard.messages().find((message) => message.type === 'resumed'),
      (message) => message !== undefined,
    );
    const joined = adaHeard.messages().find((message) => message.type === 'joined');
    expect(resumed?.['seat']).toBe(joined?.['seat']);
    await seeEachOther();
    for (const [index, [person, name]] of ([[ada, 'Ben'], [ben, 'Ada']] as const).entries()) {
      const moved = await movement(person.page, name, before[index] ?? 0);
      expect(moved.worstGapMs, `${person.name} sees ${name} without a stop`).toBeLessThan(UNDISTURBED_MS);
      expect(newlyHeard(sound[index] ?? new Map(), await heardBy(person.page)), `${person.name} hears`).toBe(1);
      expect((await numbers(person.page)).connections, `${person.name} keeps the connection`).toBe(1);
      await expectSameTile(person, name);
    }
    const types = benHeard.messages().map(({ type }) => type);
    expect(types.filter((type) => type === 'participant_joined')).toHaveLength(1);
    expect(types).not.toContain('participant_left');
    await eventually('nothing is said any more', () => ada.said(), (text) => !/being restored/i.test(text));
  });

  it('lets somebody in again after a reload, on one tile, with the focus where it is needed', async () => {
    await ada.page.reload();
    await eventually('it is said', () => ada.said(), (text) => /in this meeting a moment ago/i.test(text));
    const join = ada.button('Join');
    await eventually('Join has the focus', () => join.evaluate((element) => element === document.activeElement), (is) => is);
    // The name is remembered: one press is enough.
    await ada.page.keyboard.press('Enter');
    await ada.isInCall();
    await seeEachOther();
    expect(await ben.tile('Ada').count()).toBe(1);
  });

  it('is still there after a sleep that was longer than a seat is held', async () => {
    // A laptop that sleeps is off the network too.
    relay.block();
    suspend(lid);
    await eventually('her seat is free', () => ben.tile('Ada').count(), (count) => count === 0, LONG_SLEEP_MS);
    relay.mend();
    wake(lid);
    await ada.isInCall();
    await seeEachOther();
    expect(await ben.tile('Ada').count()).toBe(1);
    expect(await ada.tile('Ben').count()).toBe(1);
  });
});

/** Marks a tile, so that another one in its place is found out. */
async function mark(person: Person, name: string): Promise<void> {
  await person.tile(name).evaluate((tile) => tile.setAttribute('data-marked', 'yes'));
}

async function expectSameTile(person: Person, name: string): Promise<void> {
  expect(await person.tile(name).count(), `${person.name} sees one tile of ${name}`).toBe(1);
  expect(await person.tile(name).getAttribute('data-marked'), `${person.name} sees the same tile`).toBe('yes');
}
