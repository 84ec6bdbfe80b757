// What breaks is mended without anybody's doing: connections to the server, paths of media, rooms that grow.
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Cuttable } from '../harness/cuttable.ts';
import { Person } from '../harness/meeting.ts';
import { numbers } from '../harness/observe.ts';
import { Server } from '../harness/server.ts';
import { Overheard } from '../harness/signaling.ts';
import { eventually } from '../harness/wait.ts';

describe('somebody in a call', () => {
  let server: Server;
  let browser: Browser;
  let way: Cuttable;
  let ada: Person;
  let ben: Person;
  let adasWords: Overheard;
  let bensWords: Overheard;
  let link: string;

  beforeEach(async () => {
    server = await Server.start({ capture: false });
    way = await Cuttable.open(server.port);
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
    adasWords = new Overheard(ada.page);
    link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    bensWords = new Overheard(ben.page);
    // Only Ben's way to the server can be cut.
    await ben.join(link.replace(server.url, way.url));
    await ben.seesMoving('Ada');
    await ben.tile('Ada').evaluate((tile) => tile.setAttribute('data-test', 'kept'));
  });

  afterEach(async () => {
    await browser?.close();
    way?.close();
    await server?.stop();
  });

  /** The types of what the server said to Ben. */
  function heardByBen(): string[] {
    return bensWords.received.map((text) => /^\{"type":"(\w+)"/.exec(text)?.[1] ?? '');
  }

  async function hasKeptHisTiles(): Promise<void> {
    expect(await ben.tile('Ada').getAttribute('data-test'), 'the tile is the same one').toBe('kept');
  }

  it('whose connection to the server breaks sees on, says so in words, and is back in the same seat', async () => {
    way.cut();
    const status = ben.page.getByRole('status').filter({ hasText: /being restored/i });
    await status.waitFor();
    await ben.seesMoving('Ada');
    expect((await numbers(ben.page)).states).toEqual(['connected']);
    expect(await ada.tile('Ben').count(), 'the others see no change').toBe(1);
    way.mend();
    await eventually('the seat is back', heardByBen, (types) => types.includes('resumed'));
    await status.waitFor({ state: 'detached' });
    await ada.button('Mute microphone').click();
    await ben.reads('Ada', /muted/i);
    await ben.seesMoving('Ada');
    expect((await numbers(ben.page)).connections, 'media was not touched').toBe(1);
    expect(heardByBen().filter((type) => type === 'joined')).toHaveLength(1);
    await hasKeptHisTiles();
  });

  it('whose media is cut off gets a new path in the same seat, and sees who was there', async () => {
    await ben.page.evaluate(() => globalThis.observedPeerConnections.at(-1)?.close());
    await eventually('another path is connected', () => numbers(ben.page), ({ states }) => states.at(-1) === 'connected');
    await ben.seesMoving('Ada');
    // It takes less than a second, so Ada reads nothing of it; her page was told all the same.
    const told = adasWords.received.filter((text) => text.startsWith('{"type":"presence"'));
    expect(told.map((text) => /"presence":"(\w+)"/.exec(text.slice(10))?.[1])).toEqual(['away', 'here']);
    expect((await numbers(ben.page)).states).toEqual(['closed', 'connected']);
    expect(heardByBen().filter((type) => type === 'joined')).toHaveLength(1);
    await hasKeptHisTiles();
  });

  it('who comes back too late has a new seat, and is told', async () => {
    way.cut();
    await ada.lists('Ben', false);
    way.mend();
    await eventually('Ben is in again', heardByBen, (types) => types.filter((type) => type === 'joined').length === 2);
    await ben.page.getByRole('status').filter({ hasText: /back in the meeting/i }).waitFor();
    await ben.seesMoving('Ada');
    await ada.lists('Ben');
    expect(await ada.tile('Ben').count(), 'there is one tile of him').toBe(1);
  });

  it('is not disturbed while the room grows beyond its first slots', async () => {
    const others: Person[] = [];
    for (const name of ['Cleo', 'Dan', 'Eve', 'Finn']) {
      const other = new Person(await visit(browser, { withoutDevices: true }), name);
      await other.join(link);
      others.push(other);
    }
    await eventually('more slots are offered', heardByBen, (types) => types.includes('offer'));
    for (const person of [ben, ...others]) await person.seesMoving('Ada', 1);
    for (const name of ['Cleo', 'Dan', 'Eve', 'Finn']) await ben.lists(name);
    const { connections, states } = await numbers(ben.page);
    expect([connections, states]).toEqual([1, ['connected']]);
    await hasKeptHisTiles();
  });
});
