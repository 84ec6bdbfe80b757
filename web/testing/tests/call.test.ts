// Three people in three browsers' profiles, in a room with a password, through the shipped page and the real server.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MEDIA_MEMBERS_MAX } from '../../src/protocol/generated.ts';
import { crossing } from '../harness/capture.ts';
import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { heardBy, newlyHeard, numbers } from '../harness/observe.ts';
import { mediaPackets } from '../harness/rtp.ts';
import { Server } from '../harness/server.ts';
import { BareClient, Overheard } from '../harness/signaling.ts';
import { eventually, sleep } from '../harness/wait.ts';

const PASSWORD = 'correct horse battery staple';

/** How long silence and stillness are watched before they are believed, in milliseconds. */
const STILLNESS_MS = 3_000;

describe('a call of three in a room with a password', () => {
  let server: Server;
  let browser: Browser;
  let link: string;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  let overheard: Overheard;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
    overheard = new Overheard(ada.page);
    link = await ada.createMeeting(server.url, PASSWORD);
    await ada.askToJoin(PASSWORD);
    await ada.isInCall();
    ben = new Person(await visit(browser), 'Ben');
    await ben.join(link, PASSWORD);
    eve = new Person(await visit(browser), 'Ève');
    await eve.join(link, PASSWORD);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Each person with the two whom it should see. */
  function views(): [Person, Person[]][] {
    const all = [ada, ben, eve];
    return all.map((person) => [person, all.filter((other) => other !== person)]);
  }

  /** Packets with a person's pictures that have reached the server. */
  async function videoPackets(person: Person): Promise<number> {
    const { sent } = await numbers(person.page);
    const ssrcs = sent.filter((stream) => stream.kind === 'video').map((stream) => stream.ssrc);
    return mediaPackets(crossing(server.captured(), 'in'), ssrcs).length;
  }

  it('shows every other video, moving, under the right name and marked as encrypted', async () => {
    for (const [person, others] of views()) {
      for (const other of others) {
        await person.seesMoving(other.name);
      }
      const tiles = await person.page.locator('[data-e2ee="encrypted"]').count();
      expect(tiles, `${person.name} sees two others`).toBe(2);
    }
  });

  it('sends every picture in three sizes', async () => {
    for (const [person] of views()) {
      await eventually(
        `${person.name} sends all layers`,
        async () => (await numbers(person.page)).sent.filter((stream) => stream.kind === 'video'),
        (layers) => layers.length === 3 && layers.every((layer) => layer.frames > 0),
      );
    }
  });

  it('lets everybody hear the two others', async () => {
    for (const [person] of views()) {
      const before = await heardBy(person.page);
      await eventually(`${person.name} hears two others`, () => heardBy(person.page), (now) => newlyHeard(before, now) === 2);
    }
  });

  it("sends all media over one path, by UDP to the server's port", async () => {
    for (const [person] of views()) {
      const { paths } = await numbers(person.page);
      expect(paths.length).toBe(1);
      expect(paths[0]).toMatchObject({
        protocol: 'udp',
        remoteAddress: '127.0.0.1',
        remotePort: server.port,
        dtls: 'connected',
      });
    }
  });

  it('lists everybody', async () => {
    for (const [person] of views()) {
      for (const name of ['Ada', 'Ben', 'Ève']) {
        await person.lists(name);
      }
    }
  });

  it('tells the server neither a name nor the link nor the password', () => {
    const said = [...overheard.sent, ...overheard.received].join('\n');
    const { pathname, hash } = new URL(link);
    // The control: what the server must know is found by the same search.
    expect(said).toContain(pathname.split('/').at(-1));
    expect(said).not.toContain(hash.slice(1));
    for (const secret of ['Ada', 'Ben', 'Ève', PASSWORD]) {
      expect(said).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(said).not.toContain(Buffer.from(secret).toString('base64url'));
    }
  });

  it('shows the others that a microphone is muted, and they hear nothing of it', async () => {
    await ada.button('Mute microphone').click();
    for (const other of [ben, eve]) {
      await other.reads('Ada', /muted/i);
    }
    // What was on its way may still arrive.
    await sleep(1_000);
    const silent = await heardBy(ben.page);
    await sleep(STILLNESS_MS);
    expect(newlyHeard(silent, await heardBy(ben.page)), 'only Ève is heard').toBe(1);
    await ada.button('Unmute microphone').click();
    await eventually('Ben hears both again', () => heardBy(ben.page), (heard) => newlyHeard(silent, heard) === 2);
    await ben.reads('Ada', /muted/i, false);
  });

  it('shows the others that a camera is off, and sends no frame of it', async () => {
    await ben.button('Turn camera off').click();
    for (const other of [ada, eve]) {
      await other.reads('Ben', /camera.*off/i);
    }
    await sleep(1_000);
    // Probes of the bandwidth are padding without media and may go on.
    const before = await videoPackets(ben);
    const control = await videoPackets(ada);
    await sleep(STILLNESS_MS);
    expect(await videoPackets(ben)).toBe(before);
    expect(await videoPackets(ada)).toBeGreaterThan(control);
    await ben.button('Turn camera on').click();
    await ada.seesMoving('Ben');
  });

  it('shows the others who leaves and who comes back', async () => {
    await eve.button('Leave').click();
    for (const other of [ada, ben]) {
      await other.tile('Ève').waitFor({ state: 'detached' });
      await other.lists('Ève', false);
    }
    await eve.page.goto('about:blank');
    await eve.join(link, PASSWORD);
    for (const other of [ada, ben]) {
      await other.seesMoving('Ève');
      await eve.seesMoving(other.name);
    }
  });

  it('survives a reload of a page', async () => {
    await ben.page.reload();
    await ben.join(link, PASSWORD);
    await ada.seesMoving('Ben');
    await ben.seesMoving('Ada');
    expect(await ada.page.getByRole('group', { name: 'Ben', exact: true }).count()).toBe(1);
  });

  it('refuses a wrong password with an alert, and lets in with the right one', async () => {
    await eve.button('Leave').click();
    const late = new Person(await visit(browser, { withoutDevices: true }), 'Late');
    await late.page.goto(link);
    await late.askToJoin('not the password');
    await late.alert().waitFor();
    expect(await late.alert().first().innerText()).toMatch(/password/i);
    expect(await late.button('Leave').count()).toBe(0);
    await late.askToJoin(PASSWORD);
    await late.isInCall();
    await late.page.context().close();
  });

  it('tells one more than may come that the meeting is full', async () => {
    const hello = await overheard.hello();
    const bare: BareClient[] = [];
    for (const gone of ['Late', 'Ève']) await ada.lists(gone, false);
    while (bare.length < MEDIA_MEMBERS_MAX - 2) bare.push(await BareClient.join(server.url, hello));
    const late = new Person(await visit(browser, { withoutDevices: true }), 'Late');
    await late.page.goto(link);
    await late.askToJoin(PASSWORD);
    await late.alert().waitFor();
    expect(await late.alert().first().innerText()).toMatch(/full/i);
    expect(await late.button('Leave').count()).toBe(0);
    for (const client of bare) client.close();
    await late.page.context().close();
  });

  it('writes down neither who was there nor where', async () => {
    const room = new URL(link).pathname.split('/').at(-1) ?? '';
    const written = `${server.printed()}\n${JSON.stringify((await server.metrics()).samples)}`;
    // The control: what an operator may read is there.
    expect(written).toContain(String(server.port));
    expect(written).toContain('undertone_signaling_joins_total');
    for (const secret of [room, 'Ada', 'Ben', 'Ève', PASSWORD]) expect(written).not.toContain(secret);
  });

  it('goes on undisturbed after all of that', async () => {
    await ada.seesMoving('Ben');
    expect(server.isRunning()).toBe(true);
    expect(server.printed()).not.toMatch(/panicked/);
  });
});
