// What a person meets before the call: missing devices, refused permissions, an old browser, no mouse.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit, type Devices } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { Server } from '../harness/server.ts';
import { eventually } from '../harness/wait.ts';

/** Most presses of Tab that a control may be away from the start of a page. */
const TABS_MAX = 25;

describe('before joining', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
  });

  afterEach(async () => {
    await browser?.close();
  });

  afterAll(async () => {
    await server?.stop();
  });

  async function open(devices: Devices): Promise<Person> {
    browser = await launch(devices);
    return new Person(await visit(browser), 'Ada');
  }

  it.each([
    ['without a camera and a microphone', 'missing', /no (camera|microphone)|not found|found no/i],
    ['with a refused permission', 'refused', /permission|allow|refused|denied|blocked/i],
  ] as const)('a person %s is told so in words and can still join', async (_, devices, words) => {
    const ada = await open(devices);
    await ada.createMeeting(server.url);
    await ada.page.getByText(words).first().waitFor();
    await ada.askToJoin();
    await ada.isInCall();
  });

  it('a browser that cannot encrypt is told so before joining', async () => {
    const ada = await open('granted');
    await ada.page.addInitScript(() => {
      Reflect.deleteProperty(globalThis, 'RTCRtpScriptTransform');
    });
    // The link was made elsewhere: this browser might not be able to make one.
    const able = new Person(await visit(browser), 'Able');
    const link = await able.createMeeting(server.url);
    await ada.page.goto(link);
    await ada.alert().first().waitFor();
    expect(await ada.alert().first().innerText()).toMatch(/browser/i);
    const join = ada.button('Join');
    expect((await join.count()) === 0 || (await join.isDisabled())).toBe(true);
  });

  it('a link that was cut on its way is told apart from a meeting', async () => {
    const ada = await open('granted');
    const link = await ada.createMeeting(server.url);
    await ada.page.goto('about:blank');
    await ada.page.goto(link.slice(0, -8));
    await ada.alert().first().waitFor();
    expect(await ada.button('Join').count()).toBe(0);
  });

  it('a meeting that the server does not know is said to have ended', async () => {
    const ada = await open('granted');
    const link = await ada.createMeeting(server.url);
    await ada.page.goto('about:blank');
    // Another room id of the same length; the rest of the link is sound.
    const other = link.replace(/\/r\/[\w-]{22}/, `/r/${Buffer.alloc(16, 7).toString('base64url')}`);
    await ada.page.goto(other);
    await ada.askToJoin();
    await ada.alert().first().waitFor();
    expect(await ada.button('Leave').count()).toBe(0);
  });

  it('everything up to the call can be done by keyboard alone', async () => {
    const ada = await open('granted');
    await ada.page.goto(server.url);
    await tabTo(ada.page, 'button', 'New meeting');
    await ada.page.keyboard.press('Enter');
    await ada.page.waitForURL(/\/r\//);
    await ada.textbox('Your name').waitFor();
    await tabTo(ada.page, 'textbox', 'Your name');
    await ada.page.keyboard.type('Ada');
    await tabTo(ada.page, 'button', 'Join');
    await ada.page.keyboard.press('Enter');
    await ada.isInCall();
    for (const name of ['Mute microphone', 'Turn camera off', 'Copy invite link', 'Leave'] as const) {
      await tabTo(ada.page, 'button', name);
    }
    await ada.page.keyboard.press('Enter');
    await ada.button('Leave').waitFor({ state: 'detached' });
  });

  it('the invite link that is copied opens the same meeting', async () => {
    const ada = await open('granted');
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    await ada.button('Copy invite link').click();
    const clipboard = (): Promise<string> => ada.page.evaluate(() => navigator.clipboard.readText());
    const copied = await eventually('a link is copied', clipboard, (text) => text !== '');
    expect(copied).toBe(link);
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(copied);
    await ben.tile('Ada').waitFor();
    await ada.tile('Ben').waitFor();
  });

  it('nothing scrolls sideways at 320 pixels', async () => {
    browser = await launch();
    const ada = new Person(await visit(browser, { viewport: { width: 320, height: 640 } }), 'Ada');
    await ada.page.goto(server.url);
    await expectNoSidewaysScroll(ada.page);
    await ada.createMeeting(server.url);
    await ada.textbox('Your name').waitFor();
    await expectNoSidewaysScroll(ada.page);
    await ada.askToJoin();
    await ada.isInCall();
    await expectNoSidewaysScroll(ada.page);
  });
});

/** Presses Tab until the control of this role and name has the focus. */
async function tabTo(page: Page, role: 'button' | 'textbox', name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  for (let presses = 0; presses <= TABS_MAX; presses++) {
    const [there] = await wanted.all();
    if ((await there?.evaluate((element) => element === document.activeElement)) === true) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${TABS_MAX} presses of Tab do not reach the ${role} ${name}.`);
}

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  expect(content).toBeLessThanOrEqual(window);
}
