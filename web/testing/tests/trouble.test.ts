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

  it('meets somebody who reloads the page by name, with the focus on the way back', async () => {
    await adaIsIn();
    await ada.page.reload();
    await eventually('it is said', () => said(ada.page), (text) => /in this meeting a moment ago/i.test(text));
    expect(await ada.textbox('Your name').inputValue()).toBe('Ada');
    await ada.page.keyboard.press('Enter');
    await ada.isInCall();
    await ada.button('Leave').click();
    await ada.page.reload();
    await ada.button('Join').waitFor();
    expect(await said(ada.page), 'who left on purpose is a newcomer').not.toMatch(/a moment ago/i);
  });

  it('says that sound and picture cannot reach the server', async () => {
    // Like a firewall: the offered candidates lead to a port where nobody answers, and TCP leads nowhere.
    await ada.page.addInitScript(() => {
      globalThis.RTCPeerConnection = class extends RTCPeerConnection {
        override addIceCandidate(): Promise<void> {
          return Promise.resolve();
        }

        override setRemoteDescription({ type, sdp }: RTCSessionDescriptionInit): Promise<void> {
          const blocked = sdp?.replaceAll(/(a=candidate:\S+ \d+ udp \d+ \S+) \d+/gi, '$1 9') ?? '';
          return super.setRemoteDescription({ type, sdp: blocked });
        }
      };
    });
    await adaIsIn();
    await eventually('it is said', () => said(ada.page), (text) => /cannot reach/i.test(text));
    const open = `open port ${server.port} for UDP and TCP`;
    expect(await said(ada.page), 'and what has to be opened').toContain(open);
  });

  it('ends the media of a page whose certificate is not the announced one, and of nobody else', async () => {
    const link = await adaIsIn();
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await ben.seesMoving('Ada');
    const mallory = new Person(await visit(browser, { withoutDevices: true }), 'Mallory');
    // The answer that the server reads names another certificate than the one that is shown in DTLS.
    await mallory.page.addInitScript(() => {
      const Native = globalThis.RTCPeerConnection;
      globalThis.RTCPeerConnection = class extends Native {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          let honest: RTCSessionDescriptionInit | undefined;
          Reflect.set(this, 'createAnswer', async () => {
            honest = await super.createAnswer();
            const other = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'A7').join(':')}`;
            return { type: 'answer', sdp: honest.sdp?.replaceAll(/a=fingerprint:sha-256 [\dA-F:]+/g, other) };
          });
          Reflect.set(this, 'setLocalDescription', () => super.setLocalDescription(honest));
        }
      };
    });
    const overheard = new Overheard(mallory.page);
    await mallory.page.goto(link);
    await mallory.askToJoin();
    await eventually(
      'Mallory is told',
      () => overheard.received.map((text) => text.slice(0, 300)),
      (received) => received.some((text) => text.includes('"fingerprint_mismatch"')),
    );
    const { samples } = await server.metrics();
    const counted = samples.filter(({ labels, value }) => labels['reason'] === 'fingerprint_mismatch' && value > 0);
    expect(counted.length, 'it is counted by its reason').toBeGreaterThan(0);
    await ben.seesMoving('Ada');
  });

  it('says that a device vanished', async () => {
    await ada.page.addInitScript(() => {
      globalThis.observedTracks = [];
      const devices = navigator.mediaDevices;
      const getUserMedia = devices.getUserMedia.bind(devices);
      devices.getUserMedia = async (constraints) => {
        const stream = await getUserMedia(constraints);
        globalThis.observedTracks.push(...stream.getTracks());
        return stream;
      };
    });
    const link = await adaIsIn();
    const ben = new Person(await visit(browser, { withoutDevices: true }), 'Ben');
    await ben.join(link);
    await ben.seesMoving('Ada');
    await ada.page.evaluate(() => {
      // Unplugged for good: the page finds no other camera.
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
      const camera = globalThis.observedTracks.findLast((track) => track.kind === 'video');
      camera?.stop();
      camera?.dispatchEvent(new Event('ended'));
    });
    await eventually('it is said', () => said(ada.page), (text) => /camera was disconnected/i.test(text));
    await ben.reads('Ada', /camera.*off/i);
  });

  it('offers a button where the browser holds back the sound', async () => {
    await ada.page.addInitScript(() => {
      // oxlint-disable-next-line typescript/unbound-method -- it is called for an element below
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
