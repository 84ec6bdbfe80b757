// Pictures of what goes wrong and of what is much: breaks, losses, firewalls, crowds, and a server that ends.
import type { Browser } from 'playwright-core';

import { ROOM_MEMBERS_MAX } from '../src/protocol/generated.ts';
import { launch, visit, type Visitor } from './harness/chromium.ts';
import { Crowd } from './harness/crowd.ts';
import { Person } from './harness/meeting.ts';
import { Namespace } from './harness/namespace.ts';
import { numbers } from './harness/observe.ts';
import { Relay } from './harness/relay.ts';
import { Server } from './harness/server.ts';
import { BareClient, Overheard } from './harness/signaling.ts';
import { eventually, sleep } from './harness/wait.ts';
import type { Take } from './screenshots.ts';

/** Packets that the lossy call loses each way, in percent: enough that the page says so. */
const LOST_PERCENT = 20;

/** How long a scene has to settle before its picture is taken, in milliseconds. */
const SETTLE_MS = 1_500;

/** One call of two, Ada behind a relay, and what the scenes do to it. */
interface Scene {
  server: Server;
  readonly relay: Relay;
  readonly network: Namespace;
  readonly browser: Browser;
  readonly ada: Person;
  readonly ben: Person;
  readonly overheard: Overheard;
  readonly link: string;
  readonly take: (name: string) => Promise<unknown>;
}

/** Photographs every scene as `visitor` sees it. */
export async function photographTrouble(visitor: Visitor, take: Take): Promise<void> {
  const network = Namespace.here();
  const browser = await launch();
  const server = await Server.start({ capture: false, media: [Namespace.IPV4] });
  const relay = await Relay.start(server.url);
  const ada = new Person(await visit(browser, visitor), 'Ada');
  const ben = new Person(await visit(browser), 'Benedikt');
  const overheard = new Overheard(ben.page);
  let scene: Scene | null = null;
  try {
    const link = await ben.createMeeting(server.url);
    await ben.join(link);
    await ada.join(relay.link(link));
    await ada.seesMoving('Benedikt');
    const takeAda = (name: string): Promise<unknown> => take(ada.page, name);
    scene = { server, relay, network, browser, ada, ben, overheard, link, take: takeAda };
    await reconnecting(scene);
    await lossy(scene);
    await overTcp(scene);
    await twelve(scene);
    await full(scene, visitor, take);
    await stopping(scene);
    await restarted(scene);
  } finally {
    network.open();
    await browser.close();
    await relay.stop();
    await server.stop();
    await scene?.server.stop();
  }
}

async function says(person: Person, words: RegExp): Promise<void> {
  await eventually(`${person.name} reads ${words}`, () => person.said(), (text) => words.test(text));
}

async function reconnecting({ ada, relay, take }: Scene): Promise<void> {
  relay.block();
  await says(ada, /being restored/i);
  await sleep(SETTLE_MS);
  await take('8-reconnecting');
  relay.mend();
  await eventually('it is back', () => ada.said(), (text) => !/being restored/i.test(text));
}

async function lossy({ ada, network, server, take }: Scene): Promise<void> {
  network.lose(server.port, { up: LOST_PERCENT, down: LOST_PERCENT });
  await says(ada, /poor/i);
  await sleep(SETTLE_MS);
  await take('9-lossy');
  network.open();
}

async function overTcp({ ada, network, server, take }: Scene): Promise<void> {
  network.dropUdp(server.port);
  await eventually(
    'media goes over TCP',
    async () => (await numbers(ada.page)).paths,
    (paths) => paths[0]?.protocol === 'tcp',
  );
  await ada.seesMoving('Benedikt');
  await ada.page.getByRole('button', { name: 'Connection' }).click();
  await sleep(SETTLE_MS);
  await take('10-udp-blocked');
  await ada.page.keyboard.press('Escape');
  network.open();
}

async function twelve({ ada, link, take }: Scene): Promise<void> {
  const crowd = Crowd.join(link, { members: 10, seconds: 120, joinEveryMs: 200 });
  try {
    const tiles = ada.page.locator('[data-e2ee="encrypted"]');
    await eventually('Ada sees eleven others', () => tiles.count(), (count) => count === 11);
    await sleep(SETTLE_MS);
    await take('11-twelve');
  } finally {
    await crowd.stop();
  }
}

async function full({ server, overheard, browser, link }: Scene, visitor: Visitor, take: Take): Promise<void> {
  const hello = await overheard.hello();
  const bare: BareClient[] = [];
  // Seats of the crowd may still be held, so nobody knows how many are free.
  for (let isFull = false; !isFull && bare.length < ROOM_MEMBERS_MAX; ) {
    const client = await BareClient.open(server.url);
    client.say(hello);
    const answered = (): boolean => client.received.some(({ type }) => type === 'joined' || type === 'error');
    await eventually('the server answers', answered, (is) => is);
    isFull = client.received.some(({ type }) => type === 'error');
    bare.push(client);
  }
  const late = new Person(await visit(browser, { ...visitor, withoutDevices: true }), 'Late');
  await late.page.goto(link);
  await late.askToJoin();
  await says(late, /full/i);
  await sleep(SETTLE_MS);
  await take(late.page, '12-full');
  await late.page.context().close();
  for (const client of bare) client.close();
}

async function stopping({ ada, server, take }: Scene): Promise<void> {
  server.drain();
  await says(ada, /being stopped/i);
  await sleep(SETTLE_MS);
  await take('13-stopping');
}

async function restarted(scene: Scene): Promise<void> {
  const { ada, server, take } = scene;
  await server.kill();
  await sleep(SETTLE_MS);
  await take('14-server-away');
  scene.server = await Server.start({ capture: false, port: server.port, media: [Namespace.IPV4] });
  await ada.button('Start the meeting again').waitFor();
  await sleep(SETTLE_MS);
  await take('15-restarted');
}
