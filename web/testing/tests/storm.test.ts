// Fifty come at once while two talk: nobody's picture goes black for it, and all who came know each other.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { storm } from '../harness/crowd.ts';
import { closedFor, movement, pageClock } from '../harness/frames.ts';
import { Person } from '../harness/meeting.ts';
import { Server } from '../harness/server.ts';
import { sleep } from '../harness/wait.ts';

const MEMBERS = 50;

/** How long they may take to know each other on a busy machine, in seconds. */
const STAY_SECONDS = 60;

/** How long the two are watched before anything happens, in milliseconds: what their pictures do by themselves. */
const CALM_MS = 6_000;

describe('two who talk while fifty come at once', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start({ capture: false });
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('see each other all the time, and so do they when the fifty have left', async () => {
    const ada = new Person(await visit(browser), 'Ada');
    const ben = new Person(await visit(browser), 'Ben');
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    await ben.join(link);
    const views = [[ada, 'Ben'], [ben, 'Ada']] as const;
    for (const [person, name] of views) await person.seesMoving(name);
    const still = async (clocks: readonly number[]): Promise<number[]> =>
      Promise.all(views.map(async ([person, name], index) => (await movement(person.page, name, clocks[index] ?? 0)).worstGapMs));
    const clocksNow = (): Promise<number[]> => Promise.all(views.map(([person]) => pageClock(person.page)));

    const refused = (): Promise<string[]> => Promise.all(views.map(([person]) => refusals(person)));

    const refusedBefore = await refused();
    const calm = await clocksNow();
    await sleep(CALM_MS);
    const stillBefore = await still(calm);
    const clocks = await clocksNow();
    const report = await storm(link, MEMBERS, STAY_SECONDS);
    const stillDuring = await still(clocks);

    expect(report.entered_after_ms).toHaveLength(MEMBERS);
    expect(report.ended).toEqual([]);
    expect(report.alarms).toBe(0);
    // Each knows the other 49, Ada and Ben.
    expect(report.names_min).toBe(MEMBERS + 1);
    // How long pictures stand still says as much of the machine as of keys: it is printed, not judged.
    console.log(
      `${MEMBERS} came in within ${report.entered_after_ms.at(-1)} ms, by ${report.epoch} epochs. ` +
        `Longest still picture: ${stillDuring.join(' and ')} ms; before, ${stillBefore.join(' and ')} ms.\n` +
        `Refused before: ${refusedBefore.join(' | ')}. Refused after: ${(await refused()).join(' | ')}.`,
    );
    for (const [index, [person, name]] of views.entries()) {
      expect(await closedFor(person.page, name, clocks[index] ?? 0), `${person.name} on ${name}`).toBe(0);
      await person.lists('Guest 1', false);
      await person.seesMoving(name);
    }
  });
});

/** What a person's Security panel says was refused: frames for want of a key among others. */
async function refusals(person: Person): Promise<string> {
  const button = person.page.getByRole('button', { name: 'Security' });
  await button.click();
  // Counters come once in two seconds.
  await sleep(2_500);
  const text = await person.page.locator('#panel-security .counters').innerText();
  await button.click();
  return text.replaceAll('\n', ' ');
}
