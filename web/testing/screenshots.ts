// Pictures of every screen for people to look at: `npm run screenshots -- <folder> [phone desktop desktop-dark]`.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';

import { launch, visit, type Visitor } from './harness/chromium.ts';
import { Person } from './harness/meeting.ts';
import { photographTrouble } from './screenshots_trouble.ts';
import { Server } from './harness/server.ts';
import { sleep } from './harness/wait.ts';

/** Takes one picture of a page, under a name. */
export type Take = (page: Page, name: string) => Promise<unknown>;

/** The sizes and schemes that are looked at. */
const LOOKS: readonly { name: string; visitor: Visitor }[] = [
  { name: 'phone', visitor: { viewport: { width: 390, height: 844 }, colorScheme: 'light' } },
  { name: 'desktop', visitor: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } },
  { name: 'desktop-dark', visitor: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } },
];

const PASSWORD = 'swordfish';

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where the pictures go: npm run screenshots -- <folder>');
mkdirSync(folder, { recursive: true });

for (const look of LOOKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const take: Take = (page, name) => page.screenshot({ path: path.join(folder, `${look.name}-${name}.png`) });
  const server = await Server.start({ capture: false });
  const browser = await launch();
  try {
    await photograph(server, browser, look.visitor, take);
  } finally {
    await browser.close();
    await server.stop();
  }
  await photographTrouble(look.visitor, take);
}

async function photograph(server: Server, browser: Browser, visitor: Visitor, take: Take): Promise<void> {
  const ada = new Person(await visit(browser, visitor), 'Ada');
  await ada.page.goto(server.url);
  await ada.button('New meeting').waitFor();
  await take(ada.page, '1-home');
  const link = await ada.createMeeting(server.url, PASSWORD);
  await ada.textbox('Your name').fill('Ada');
  await sleep(1_500);
  await take(ada.page, '2-before-joining');
  await ada.askToJoin(PASSWORD);
  await ada.isInCall();
  await sleep(500);
  await take(ada.page, '3-alone');
  const others = [new Person(await visit(browser), 'Benedikt'), new Person(await visit(browser), 'Chiamaka Okonkwo')];
  for (const other of others) await other.join(link, PASSWORD);
  for (const other of others) {
    await ada.seesMoving(other.name, 10);
  }
  await take(ada.page, '4-call');
  await ada.page.getByRole('button', { name: 'Participants' }).click();
  await ada.page.getByRole('button', { name: 'Lock meeting' }).click();
  await ada.page.locator('.hint', { hasText: 'Locked' }).waitFor();
  await take(ada.page, '4-participants');
  await ada.page.getByRole('button', { name: 'Remove Benedikt from meeting' }).click();
  await sleep(500);
  await take(ada.page, '4-removing');
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove from meeting' }).click();
  const removed = sure(others[0]).page;
  await removed.getByText('You were removed from the meeting').waitFor();
  await take(ada.page, '4-removed-others');
  await take(removed, '4-removed-oneself');
  await ada.page.getByRole('button', { name: 'Unlock meeting' }).click();
  const security = ada.page.getByRole('button', { name: /security/i });
  if ((await security.count()) > 0) {
    await security.first().click();
    await sleep(500);
    await take(ada.page, '5-security');
  }
  for (const other of others) await other.page.context().close();
  // The removal has changed it.
  const next = await ada.address();
  await ada.page.goto('about:blank');
  await ada.page.goto(next);
  await ada.askToJoin('wrong');
  await ada.alert().first().waitFor();
  await take(ada.page, '6-wrong-password');
  await ada.page.goto('about:blank');
  await ada.page.goto(next.slice(0, -6));
  await ada.alert().first().waitFor();
  await take(ada.page, '7-broken-link');
}

function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There is nothing.');
  return value;
}
