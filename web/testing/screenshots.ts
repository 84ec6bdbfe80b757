// Pictures of every screen for people to look at: `npm run screenshots -- <folder>`.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';

import { launch, visit, type Visitor } from './harness/chromium.ts';
import { Person } from './harness/meeting.ts';
import { Server } from './harness/server.ts';
import { sleep } from './harness/wait.ts';

/** The sizes and schemes that are looked at. */
const LOOKS: readonly { name: string; visitor: Visitor }[] = [
  { name: 'phone', visitor: { viewport: { width: 390, height: 844 }, colorScheme: 'light' } },
  { name: 'desktop', visitor: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } },
  { name: 'desktop-dark', visitor: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } },
];

const PASSWORD = 'swordfish';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where the pictures go: npm run screenshots -- <folder>');
mkdirSync(folder, { recursive: true });

const server = await Server.start({ capture: false });
try {
  for (const look of LOOKS) {
    const browser = await launch();
    await photograph(browser, look.name, look.visitor);
    await browser.close();
  }
} finally {
  await server.stop();
}

async function photograph(browser: Browser, look: string, visitor: Visitor): Promise<void> {
  const ada = new Person(await visit(browser, visitor), 'Ada');
  const take = (name: string): Promise<Buffer> =>
    ada.page.screenshot({ path: path.join(folder as string, `${look}-${name}.png`) });
  await ada.page.goto(server.url);
  await ada.button('New meeting').waitFor();
  await take('1-home');
  const link = await ada.createMeeting(server.url, PASSWORD);
  await ada.textbox('Your name').fill('Ada');
  await sleep(1_500);
  await take('2-before-joining');
  await ada.askToJoin(PASSWORD);
  await ada.isInCall();
  await sleep(500);
  await take('3-alone');
  const others = [new Person(await visit(browser), 'Benedikt'), new Person(await visit(browser), 'Chiamaka Okonkwo')];
  for (const other of others) await other.join(link, PASSWORD);
  for (const other of others) {
    await ada.seesMoving(other.name, 10);
  }
  await take('4-call');
  const security = ada.page.getByRole('button', { name: /security/i });
  if ((await security.count()) > 0) {
    await security.first().click();
    await sleep(500);
    await take('5-security');
  }
  for (const other of others) await other.page.context().close();
  await ada.page.goto('about:blank');
  await ada.page.goto(link);
  await ada.askToJoin('wrong');
  await ada.alert().first().waitFor();
  await take('6-wrong-password');
  await ada.page.goto('about:blank');
  await ada.page.goto(link.slice(0, -6));
  await ada.alert().first().waitFor();
  await take('7-broken-link');
}
