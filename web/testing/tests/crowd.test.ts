// A real page among members without a browser, who send sound and pictures with this house's own crates: what they
// seal, a browser opens, decodes and shows; and what it seals, they open.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Crowd } from '../harness/crowd.ts';
import { Person } from '../harness/meeting.ts';
import { heardBy, newlyHeard } from '../harness/observe.ts';
import { Server } from '../harness/server.ts';
import { eventually } from '../harness/wait.ts';

/** Members besides the page: a call of four. */
const MEMBERS = 3;

/** How long they stay, in seconds: until a busy machine has shown them all. */
const STAY_SECONDS = 25;

describe('a page among members without a browser', () => {
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

  it('sees each of them encrypted and moving, hears them, and all they get from it can be opened', async () => {
    const ada = new Person(await visit(browser), 'Ada');
    await ada.join(await ada.createMeeting(server.url));
    const crowd = Crowd.join(ada.page.url(), { members: MEMBERS, seconds: STAY_SECONDS, joinEveryMs: 200 });
    try {
      for (let number = 1; number <= MEMBERS; number += 1) {
        const name = `Member ${number}`;
        await ada.lists(name);
        await ada.seesMoving(name);
      }
      await eventually(
        'the tone of a member',
        () => heardBy(ada.page),
        (heard) => newlyHeard(new Map(), heard) > 0,
      );
      // It fails unless every member connected and stayed, and opened what came once its key was known.
      for (const member of await crowd.leaves()) {
        expect(member.names).toContain('Ada');
        // Both tracks of Ada and of every other member.
        expect(member.tracks_opened).toBe(2 * MEMBERS);
      }
    } finally {
      await crowd.stop();
    }
    await ada.lists('Member 1', false);
  });
});
