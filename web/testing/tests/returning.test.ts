// What breaks is mended without anybody's doing: connections to the server, paths of media, closed lids, rooms that grow.
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Crowd } from '../harness/crowd.ts';
import { movement, pageClock } from '../harness/frames.ts';
import { Person } from '../harness/meeting.ts';
import { heardBy, newlyHeard, numbers } from '../harness/observe.ts';
import { newMark, suspend, wake } from '../harness/processes.ts';
import { Relay } from '../harness/relay.ts';
import { Server } from '../harness/server.ts';
import { Overheard } from '../harness/signaling.ts';
import { eventually } from '../harness/wait.ts';

/** How soon a seat must be free: the server holds it for 30 s (`RESUME_WINDOW_MS`). In milliseconds. */
const SEAT_IS_FREE_MS = 45_000;

/**
 * The longest time that a picture may stand still where media is undisturbed, in milliseconds.
 *
 * Pictures are 100 ms apart and the machine is busy. A connection that is made anew takes longer.
 */
const UNDISTURBED_MS = 900;

/** Members without a browser who come into a call of two: more than the first slots are for. */
const NEWCOMERS = 6;

describe('somebody in a call', () => {
  let server: Server;
  let browsers: Browser[];
  let relay: Relay;
  let ada: Person;
  let ben: Person;
  let adasWords: Overheard;
  let bensWords: Overheard;
  let bensLid: string;
  let link: string;

  beforeEach(async () => {
    server = await Server.start({ capture: false });
    relay = await Relay.start(server.url);
    bensLid = newMark();
    browsers = await Promise.all([launch(), launch('granted', [bensLid])]);
    const [adas, bens] = browsers as [Browser, Browser];
    ada = new Person(await visit(adas), 'Ada');
    adasWords = new Overheard(ada.page);
    link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    ben = new Person(await visit(bens), 'Ben');
    bensWords = new Overheard(ben.page);
    // Only Ben's way to the server can be cut. His media does not go there.
    await ben.join(relay.link(link));
    await seeEachOther();
    for (const [person, name] of [[ada, 'Ben'], [ben, 'Ada']] as const) {
      await person.tile(name).evaluate((tile) => tile.setAttribute('data-test', 'kept'));
    }
  });

  afterEach(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await relay?.stop();
    await server?.stop();
  });

  async function seeEachOther(): Promise<void> {
    await Promise.all([ada.seesMoving('Ben'), ben.seesMoving('Ada')]);
  }

  async function expectSameTiles(): Promise<void> {
    for (const [person, name] of [[ada, 'Ben'], [ben, 'Ada']] as const) {
      expect(await person.tile(name).count(), `${person.name} sees one tile of ${name}`).toBe(1);
      expect(await person.tile(name).getAttribute('data-test'), 'it is the same one').toBe('kept');
    }
  }

  it('whose connection to the server breaks sees on, says so in words, and is back in the same seat', async () => {
    const clocks = [await pageClock(ada.page), await pageClock(ben.page)] as const;
    const sound = [await heardBy(ada.page), await heardBy(ben.page)] as const;
    relay.block();
    const status = ben.page.getByRole('status').filter({ hasText: /being restored/i });
    await status.waitFor();
    await seeEachOther();
    relay.mend();
    const resumed = await eventually(
      'the seat is back',
      () => bensWords.messages().find(({ type }) => type === 'resumed'),
      (message) => message !== undefined,
    );
    const joined = bensWords.messages().filter(({ type }) => type === 'joined');
    expect(joined.map((message) => message['seat'])).toEqual([resumed?.['seat']]);
    await status.waitFor({ state: 'detached' });
    await ada.button('Mute microphone').click();
    await ben.reads('Ada', /muted/i);
    await seeEachOther();
    for (const [index, [person, name]] of ([[ada, 'Ben'], [ben, 'Ada']] as const).entries()) {
      expect((await numbers(person.page)).connections, `${person.name}'s media was not touched`).toBe(1);
      const { worstGapMs } = await movement(person.page, name, clocks[index] ?? 0);
      expect(worstGapMs, `${person.name} sees ${name} without a stop`).toBeLessThan(UNDISTURBED_MS);
      expect(newlyHeard(sound[index] ?? new Map(), await heardBy(person.page)), `${person.name} heard`).toBe(1);
    }
    expect([adasWords.count('participant_joined'), adasWords.count('participant_left')]).toEqual([1, 0]);
    await expectSameTiles();
  });

  it('whose media is cut off gets a new path in the same seat, and sees who was there', async () => {
    await ben.page.evaluate(() => globalThis.observedPeerConnections.at(-1)?.close());
    await eventually('another path is connected', () => numbers(ben.page), ({ states }) => states.at(-1) === 'connected');
    await seeEachOther();
    // It takes less than a second, so Ada reads nothing of it; her page was told all the same.
    const told = adasWords.messages().filter(({ type }) => type === 'presence');
    expect(told.map((message) => message['presence'])).toEqual(['away', 'here']);
    expect((await numbers(ben.page)).states).toEqual(['closed', 'connected']);
    expect(bensWords.count('joined')).toBe(1);
    await expectSameTiles();
  });

  it('who sleeps for longer than a seat is held has a new seat, and is told', async () => {
    // A laptop that sleeps is off the network, too.
    relay.block();
    suspend(bensLid);
    await eventually('Ben has gone', () => ada.tile('Ben').count(), (count) => count === 0, SEAT_IS_FREE_MS);
    await ada.lists('Ben', false);
    relay.mend();
    wake(bensLid);
    await eventually('Ben is in again', () => bensWords.count('joined'), (count) => count === 2);
    await ben.page.getByRole('status').filter({ hasText: /back in the meeting/i }).waitFor();
    await seeEachOther();
    await ada.lists('Ben');
    expect(await ada.tile('Ben').count(), 'there is one tile of him').toBe(1);
    expect(await ben.tile('Ada').count(), 'there is one tile of her').toBe(1);
  });

  it('is not disturbed while the room grows beyond its first slots, and sees everybody', async () => {
    const crowd = Crowd.join(link, { members: NEWCOMERS, seconds: 60, joinEveryMs: 100 });
    try {
      await eventually('more slots are offered', () => bensWords.count('offer'), (count) => count > 0);
      for (let number = 1; number <= NEWCOMERS; number++) {
        for (const person of [ada, ben]) await person.seesMoving(`Member ${number}`, 1);
      }
      await seeEachOther();
      for (const person of [ada, ben]) {
        const { connections, states } = await numbers(person.page);
        expect([connections, states]).toEqual([1, ['connected']]);
      }
      await expectSameTiles();
    } finally {
      await crowd.stop();
    }
  });
});
