// How long pictures stand still when a call grows, when a WebSocket breaks and when the server starts again:
// `npm run measure:gaps -- growth cut restart`. All three unless said.
import type { Browser } from 'playwright-core';

import { launch, visit } from './harness/chromium.ts';
import { Crowd } from './harness/crowd.ts';
import { movement, pageClock } from './harness/frames.ts';
import { Person } from './harness/meeting.ts';
import { Namespace } from './harness/namespace.ts';
import { Stretch } from './harness/quality.ts';
import { Relay } from './harness/relay.ts';
import { Server } from './harness/server.ts';
import { Overheard } from './harness/signaling.ts';
import { eventually, sleep } from './harness/wait.ts';

/** How long a call is watched before and after something happens to it, in milliseconds. */
const WATCHED_MS = 6_000;

/**
 * Members without a browser in the growth: three who publish become twelve.
 *
 * Two pages are the most whose pictures two cores still decode when there are twelve.
 */
const FIRST = 1;
const FURTHER = 9;

type Table = Record<string, Record<string, number | string>>;

Namespace.here();
const wanted = process.argv.slice(2);
const isWanted = (what: string): boolean => wanted.length === 0 || wanted.includes(what);
const table: Table = {};
if (isWanted('growth')) await inCall(2, growth);
if (isWanted('cut')) await inCall(2, cut);
if (isWanted('restart')) await inCall(2, restart);
console.log('Of the worst page. Pictures are 100 ms apart.');
console.table(table);

interface Call {
  server: Server;
  readonly relay: Relay;
  readonly people: readonly Person[];
  readonly overheard: readonly Overheard[];
  link: string;
}

/** Brings so many pages into one call, the first of them through the relay, and runs `work`. */
async function inCall(pages: number, work: (call: Call) => Promise<void>): Promise<void> {
  const server = await Server.start({ capture: false, media: [Namespace.IPV4] });
  const relay = await Relay.start(server.url);
  const browser: Browser = await launch();
  const people: Person[] = [];
  const overheard: Overheard[] = [];
  const call: Call = { server, relay, people, overheard, link: '' };
  try {
    for (const name of ['Ada', 'Ben', 'Eve'].slice(0, pages)) {
      // Large enough for twelve tiles: a page pauses what is not on the screen.
      const page = await visit(browser, { viewport: { width: 1600, height: 1200 } });
      overheard.push(new Overheard(page));
      const person = new Person(page, name);
      if (call.link === '') call.link = await person.createMeeting(server.url);
      await person.join(people.length === 0 ? relay.link(call.link) : call.link);
      people.push(person);
    }
    await allSeeEachOther(people);
    await work(call);
  } finally {
    await browser.close();
    await relay.stop();
    await call.server.stop();
  }
}

async function allSeeEachOther(people: readonly Person[]): Promise<void> {
  await Promise.all(
    people.map(async (person) => {
      for (const other of people.filter((one) => one !== person)) await person.seesMoving(other.name);
    }),
  );
}

/** Each page's clock. */
function clocks(people: readonly Person[]): Promise<number[]> {
  return Promise.all(people.map(({ page }) => pageClock(page)));
}

/** The longest gap of any picture of these people on any page, between two readings of the clocks. */
async function worstGap(people: readonly Person[], from: readonly number[], to: readonly number[]): Promise<number> {
  const gaps: number[] = [];
  for (const [index, person] of people.entries()) {
    for (const other of people.filter((one) => one !== person)) {
      const moved = await movement(person.page, other.name, from[index] ?? 0, to[index] ?? null);
      gaps.push(moved.worstGapMs);
    }
  }
  return Math.max(...gaps);
}

/** Three stretches around what happens. */
async function around(name: string, people: readonly Person[], happens: () => Promise<void>): Promise<void> {
  const watched: [string, () => Promise<void>][] = [
    ['before', () => sleep(WATCHED_MS)],
    ['meanwhile', happens],
    ['after', () => sleep(WATCHED_MS)],
  ];
  for (const [when, lasts] of watched) {
    const from = await clocks(people);
    const stretches = await Promise.all(people.map(({ page }) => Stretch.begin(page)));
    await lasts();
    const seen = await Promise.all(stretches.map((stretch) => stretch.end()));
    const to = await clocks(people);
    table[`${name}: ${when}`] = {
      'lasted, ms': Math.round((to[0] ?? 0) - (from[0] ?? 0)),
      // By the decoder's clock: what the network and the server did.
      'freezes of decoded pictures': Math.max(...seen.map(({ freezes }) => freezes)),
      'frozen, ms': Math.max(...seen.map(({ frozenMs }) => frozenMs)),
      // By the screen's clock: a machine that is too slow to draw shows here.
      'longest gap between drawn pictures, ms': await worstGap(people, from, to),
      'sound made up, %': Math.max(...seen.map(({ concealedPercent }) => concealedPercent)),
    };
  }
}

async function growth({ people, overheard, link }: Call): Promise<void> {
  const crowds: Crowd[] = [];
  const join = async (members: number): Promise<void> => {
    crowds.push(Crowd.join(link, { members, seconds: 120, joinEveryMs: 300 }));
    const others = people.length - 1 + FIRST + (members === FIRST ? 0 : FURTHER);
    for (const { name, page } of people) {
      const tiles = page.locator('[data-e2ee="encrypted"]');
      await eventually(`${name} sees ${others}`, () => tiles.count(), (count) => count === others);
    }
  };
  try {
    await join(FIRST);
    await around('from 3 to 12 who publish', people, () => join(FURTHER));
    console.log(`The first page was offered more slots ${overheard[0]?.count('offer')} times.`);
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.stop()));
  }
}

async function cut({ people, overheard, relay }: Call): Promise<void> {
  await around('a WebSocket is cut', people, async () => {
    relay.cut();
    await eventually(
      'it is resumed',
      () => overheard[0]?.count('resumed') ?? 0,
      (count) => count > 0,
    );
  });
}

async function restart(call: Call): Promise<void> {
  const { people } = call;
  const { port } = call.server;
  await call.server.kill();
  await sleep(2_000);
  for (const { name, page } of people) console.log(`While the server is away, ${name} reads: ${await status(page)}`);
  call.server = await Server.start({ capture: false, port, media: [Namespace.IPV4] });
  const up = performance.now();
  await Promise.all(people.map((person) => person.button('Start the meeting again').waitFor()));
  const offered = performance.now();
  for (const { name, page } of people) console.log(`After the restart, ${name} reads: ${await status(page)}`);
  await Promise.all(people.map((person) => person.button('Start the meeting again').click()));
  const clicked = performance.now();
  await allSeeEachOther(people);
  table['a server is killed and started again'] = {
    'until the button, ms': Math.round(offered - up),
    'from the click until all see each other, ms': Math.round(performance.now() - clicked),
  };
}

/** What a page says in its live regions and headings. */
async function status(page: Person['page']): Promise<string> {
  const texts = await page.locator('[role="alert"], [role="status"], h1, h2').allInnerTexts();
  return texts.map((text) => text.trim()).filter((text) => text !== '').join(' | ');
}
