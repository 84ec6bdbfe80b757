// What goes wrong in the middle of a call is said in words, to those whom it concerns.
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { Server } from '../harness/server.ts';
import { Overheard } from '../harness/signaling.ts';
import { eventually } from '../harness/wait.ts';

declare global {
  /** Tracks that the page got from its devices; only a page of a test has it. */
  var observedTracks: MediaStreamTrack[];
}

describe('in a call', () => {
  let server: Server;
  let browser: Browser;
  let ada: Person;

  beforeEach(async () => {
    server = await Server.start({ capture: false });
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
  });

  afterEach(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Ada makes a meeting and is in it; returns the link. */
  async function adaIsIn(): Promise<string> {
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    return link;
  }

  it('shows oneself mirrored, muted and speaking, and the level of the microphone before', async () => {
    await ada.createMeeting(server.url);
    const meter = ada.page.getByRole('meter');
    await eventually('the level moves', () => meter.getAttribute('aria-valuenow'), (level) => Number(level) > 0);
    await ada.askToJoin();
    await ada.isInCall();
    const own = ada.tile('Ada');
    await eventually('Ada sees herself', () => ada.sees('Ada'), (tile) => tile.frames > 5);
    expect((await ada.sees('Ada')).e2ee, 'nothing of it was ever encrypted').toBe(null);
    const video = own.locator('video');
    expect(await video.evaluate((element) => (element instanceof HTMLVideoElement ? element.muted : null))).toBe(true);
    expect(await video.evaluate((element) => new DOMMatrix(getComputedStyle(element).transform).a)).toBe(-1);
    await eventually('Ada sees that she speaks', () => own.innerText(), (text) => /speaking/i.test(text));
  });

  it('says what the server can and cannot see', async () => {
    await adaIsIn();
    await ada.page.getByRole('button', { name: 'Security' }).click();
    const text = await ada.page.getByRole('region', { name: 'Security' }).innerText();
    expect(text).toMatch(/cannot see/i);
    expect(text).toMatch(/can see/i);
  });

  it('says that the connection is lost, and after a restart that the meeting has ended', async () => {
    await adaIsIn();
    const { port } = server;
    await server.stop();
    await eventually('the loss is said', () => said(ada.page), (text) => /connection/i.test(text) && /lost/i.test(text));
    server = await Server.start({ capture: false, port });
    await eventually('the end is said', () => said(ada.page), (text) => /ended/i.test(text));
    expect(await ada.button('Leave').count()).toBe(0);
    await ada.button('New meeting').click();
    await ada.page.waitForURL((url) => url.pathname === '/' || url.pathname.startsWith('/r/'));
  });

  it('says that sound and picture cannot reach the server', async () => {
    // Like a firewall: the offered candidates lead to a port where nobody answers.
    await ada.page.addInitScript(() => {
      const { setRemoteDescription } = RTCPeerConnection.prototype;
      RTCPeerConnection.prototype.setRemoteDescription = function blocked(description) {
        const sdp = description.sdp?.replaceAll(/(a=candidate:\S+ \d+ udp \d+ \S+) \d+/gi, '$1 9') ?? '';
        return Reflect.apply(setRemoteDescription, this, [{ type: description.type, sdp }]);
      };
    });
    await adaIsIn();
    await eventually('it is said', () => said(ada.page), (text) => /cannot reach|unreachable|firewall/i.test(text));
  });

  it('ends the media of a page whose certificate is not the announced one, and of nobody else', async () => {
    const link = await adaIsIn();
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await eventually('Ben sees Ada', () => ben.sees('Ada'), (tile) => tile.e2ee === 'encrypted' && tile.frames > 5);
    const mallory = new Person(await visit(browser, { withoutDevices: true }), 'Mallory');
    // The answer that the server reads names another certificate than the one that is shown in DTLS.
    await mallory.page.addInitScript(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function bent(data) {
        const other = String(data).replaceAll(/(a=fingerprint:sha-256 )(..)/g, (_, name: string, byte: string) => name + (byte === 'AA' ? 'BB' : 'AA'));
        send.call(this, other);
      };
    });
    const overheard = new Overheard(mallory.page);
    await mallory.page.goto(link);
    await mallory.askToJoin();
    await eventually('Mallory is told', () => overheard.received.map((text) => text.slice(0, 300)).join('\n'), (text) => text.includes('"fingerprint_mismatch"'), 20_000);
    const metrics = await server.metrics();
    const counted = metrics.samples.filter((sample) => sample.labels['reason'] === 'fingerprint_mismatch' && sample.value > 0);
    expect(counted.length, 'it is counted by its reason').toBeGreaterThan(0);
    const { frames } = await ben.sees('Ada');
    await eventually('Ben still sees Ada', () => ben.sees('Ada'), (tile) => tile.e2ee === 'encrypted' && tile.frames > frames + 5);
  });

  it('says that a device vanished', async () => {
    await ada.page.addInitScript(() => {
      globalThis.observedTracks = [];
      const { getUserMedia } = MediaDevices.prototype;
      MediaDevices.prototype.getUserMedia = async function observed(constraints) {
        const stream = await getUserMedia.call(this, constraints);
        globalThis.observedTracks.push(...stream.getTracks());
        return stream;
      };
    });
    const link = await adaIsIn();
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await eventually('Ben sees Ada', () => ben.sees('Ada'), (tile) => tile.frames > 5);
    await ada.page.evaluate(() => {
      // Unplugged for good: the page finds no other camera.
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
      const camera = globalThis.observedTracks.findLast((track) => track.kind === 'video');
      camera?.stop();
      camera?.dispatchEvent(new Event('ended'));
    });
    await eventually('it is said', () => said(ada.page), (text) => /camera/i.test(text) && /disconnected|vanished|gone/i.test(text));
    await eventually('Ben sees that the camera is off', () => ben.sees('Ada'), (tile) => /camera.*off/i.test(tile.text));
  });

  it('offers a button where the browser holds back the sound', async () => {
    await ada.page.addInitScript(() => {
      const { play } = HTMLMediaElement.prototype;
      let isAllowed = false;
      addEventListener('pointerdown', (event) => {
        isAllowed ||= event.target instanceof HTMLElement && /sound/i.test(event.target.innerText);
      });
      HTMLMediaElement.prototype.play = function held() {
        if (this instanceof HTMLAudioElement && !isAllowed) {
          return Promise.reject(new DOMException('play() needs a gesture', 'NotAllowedError'));
        }
        return play.call(this);
      };
    });
    await adaIsIn();
    const button = ada.page.getByRole('button', { name: /sound/i });
    await button.click();
    await button.waitFor({ state: 'detached' });
  });
});

/** Everything that is written on a page. */
function said(page: Page): Promise<string> {
  return page.locator('body').innerText();
}
