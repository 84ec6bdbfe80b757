// Real Firefox with a made-up camera and microphone, driven over WebDriver BiDi.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { BidiSession, field, list, string, type Json } from './bidi.ts';
import { firefoxBinary } from './environment.ts';
import { watchFrames } from './frames.ts';
import { watchPeerConnections } from './observe.ts';
import { eventually, PATIENCE_MS } from './wait.ts';
import type { Role, WebLocator, WebPage } from './web_page.ts';

/** How long Firefox may take to start or to end, in milliseconds. */
const START_MS = 30_000;

/** What makes Firefox fit for tests: made-up devices, questions answered with yes, and nothing asked of the network. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  // As Chromium's: two cores encode for all pages.
  'media.navigator.video.default_fps': 10,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
};

/** A running Firefox with a profile of its own. Close it after the test. */
export class Firefox {
  private readonly child: ChildProcess;
  private readonly profile: string;
  private readonly session: BidiSession;

  private constructor(child: ChildProcess, profile: string, session: BidiSession) {
    this.child = child;
    this.profile = profile;
    this.session = session;
  }

  /** Starts Firefox. It needs `Namespace`: on the loopback addresses alone it never connects its media. */
  static async launch(): Promise<Firefox> {
    const profile = mkdtempSync(path.join(tmpdir(), 'undertone-firefox-'));
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
    writeFileSync(path.join(profile, 'user.js'), `${lines.join('\n')}\n`);
    const options = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
    // Firefox wants a home that belongs to its user, and leaves a folder there.
    const environment = { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' };
    const child = spawn(firefoxBinary(), options, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    try {
      const failed = new Promise<never>((_, reject) => {
        child.once('error', (error) => reject(error));
        child.once('exit', (code) => reject(new Error(`Firefox ended with ${code}:\n${said}`)));
      });
      failed.catch(() => {});
      const address = (): string | null => /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1] ?? null;
      const listens = eventually('Firefox listens', address, (url) => url !== null, START_MS);
      const url = await Promise.race([listens, failed]);
      return new Firefox(child, profile, await BidiSession.open(url ?? ''));
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(profile, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Opens a page with cookies and storage of its own: a person, as the server sees it. */
  async visit({ withoutDevices = false }: { withoutDevices?: boolean } = {}): Promise<FirefoxPage> {
    const userContext = string(await this.session.command('browser.createUserContext'), 'userContext');
    // A window, because a tab that lies behind another draws nothing.
    const created = await this.session.command('browsingContext.create', { type: 'window', userContext });
    const page = new FirefoxPage(this.session, string(created, 'context'), userContext);
    await page.addInitScript(watchPeerConnections);
    await page.addInitScript(watchFrames);
    if (withoutDevices) await page.addInitScript(hideDevices);
    return page;
  }

  /** Ends the browser and removes its profile. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      const forced = setTimeout(() => this.child.kill('SIGKILL'), START_MS);
      await this.session.command('browser.close').catch(() => this.child.kill('SIGKILL'));
      await ended;
      clearTimeout(forced);
    }
    this.session.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** One page of Firefox. */
export class FirefoxPage implements WebPage {
  private readonly session: BidiSession;
  private readonly context: string;
  private readonly userContext: string;

  constructor(session: BidiSession, context: string, userContext: string) {
    this.session = session;
    this.context = context;
    this.userContext = userContext;
  }

  goto(url: string): Promise<unknown> {
    return this.command('browsingContext.navigate', { url, wait: 'complete' });
  }

  reload(): Promise<unknown> {
    return this.command('browsingContext.reload', { wait: 'complete' });
  }

  /** Runs a function in every document of this page before its own scripts. */
  async addInitScript(inPage: () => void): Promise<void> {
    const functionDeclaration = inPage.toString();
    await this.session.command('script.addPreloadScript', { functionDeclaration, contexts: [this.context] });
  }

  async evaluate<Result>(inPage: (argument: string) => Result | Promise<Result>, argument: string = ''): Promise<Result> {
    const functionDeclaration = `async (argument) => JSON.stringify((await (${inPage.toString()})(argument)) ?? null)`;
    return JSON.parse(await this.call(functionDeclaration, [{ type: 'string', value: argument }])) as Result;
  }

  getByRole(role: Role, options: { name?: string; exact?: boolean } = {}): FirefoxLocator {
    return new FirefoxLocator(this, null, role, options.name ?? null);
  }

  /** A picture of what can be seen, as PNG. */
  async screenshot(): Promise<Buffer> {
    return Buffer.from(string(await this.command('browsingContext.captureScreenshot', {}), 'data'), 'base64');
  }

  /** Closes the page and forgets its profile. */
  async close(): Promise<void> {
    await this.session.command('browser.removeUserContext', { userContext: this.userContext });
  }

  /** Says a command about this page. */
  command(method: string, params: Readonly<Record<string, Json>>): Promise<Json> {
    return this.session.command(method, { context: this.context, ...params });
  }

  /** Calls a function that returns text. */
  async call(functionDeclaration: string, args: readonly Json[]): Promise<string> {
    const answer = await this.session.command('script.callFunction', {
      functionDeclaration,
      arguments: args,
      awaitPromise: true,
      target: { context: this.context },
      // As after a click: sound may play, the clipboard may be written.
      userActivation: true,
    });
    if (field(answer, 'type') === 'success') return string(field(answer, 'result'), 'value');
    throw new Error(`In the page: ${string(field(answer, 'exceptionDetails'), 'text')}`);
  }
}

/** Elements of one role, and of one accessible name when it is given. */
class FirefoxLocator implements WebLocator {
  private readonly page: FirefoxPage;
  private readonly within: FirefoxLocator | null;
  private readonly role: Role;
  private readonly name: string | null;
  private readonly words: RegExp | null;

  constructor(
    page: FirefoxPage,
    within: FirefoxLocator | null,
    role: Role,
    name: string | null,
    words: RegExp | null = null,
  ) {
    this.page = page;
    this.words = words;
    this.within = within;
    this.role = role;
    this.name = name;
  }

  getByRole(role: Role, options: { name?: string } = {}): FirefoxLocator {
    return new FirefoxLocator(this.page, this, role, options.name ?? null);
  }

  filter({ hasText }: { hasText: RegExp }): FirefoxLocator {
    return new FirefoxLocator(this.page, this.within, this.role, this.name, hasText);
  }

  async click(): Promise<void> {
    const origin = { type: 'element', element: { sharedId: await this.steady() } };
    await this.page.command('input.performActions', {
      actions: [
        {
          type: 'pointer',
          id: 'mouse',
          actions: [
            { type: 'pointerMove', x: 0, y: 0, origin },
            { type: 'pointerDown', button: 0 },
            { type: 'pointerUp', button: 0 },
          ],
        },
      ],
    });
  }

  async fill(text: string): Promise<void> {
    await this.page.call(FILL, [{ sharedId: await this.visible() }, { type: 'string', value: text }]);
  }

  async waitFor({ state = 'visible' }: { state?: 'visible' | 'detached' } = {}): Promise<void> {
    if (state === 'visible') await this.visible();
    else await eventually(`${this.what()} goes`, () => this.count(), (count) => count === 0);
  }

  async isVisible(): Promise<boolean> {
    return (await this.firstVisible()) !== null;
  }

  async count(): Promise<number> {
    return (await this.find()).length;
  }

  async allInnerTexts(): Promise<string[]> {
    const found = await this.find();
    return Promise.all(found.map((sharedId) => this.text(sharedId)));
  }

  private what(): string {
    return `${this.role} ${this.name ?? ''}`;
  }

  /** Waits for one that a pointer meets where it stands: a page that is still being laid out moves it away. */
  private async steady(): Promise<string> {
    const found = await eventually(
      `${this.what()} can be clicked`,
      async () => {
        const sharedId = await this.firstVisible();
        if (sharedId === null) return null;
        const isSteady = await this.page.call(STEADY, [{ sharedId }]).catch(() => 'no');
        return isSteady === 'yes' ? sharedId : null;
      },
      (sharedId) => sharedId !== null,
    );
    return found ?? '';
  }

  /** Waits for one that can be seen. */
  private async visible(): Promise<string> {
    const found = await eventually(
      `there is ${this.what()}`,
      () => this.firstVisible(),
      (sharedId) => sharedId !== null,
      PATIENCE_MS,
    );
    return found ?? '';
  }

  private async firstVisible(): Promise<string | null> {
    for (const sharedId of await this.find()) {
      // It may have gone since it was found.
      const shown = await this.page.call(VISIBLE, [{ sharedId }]).catch(() => 'no');
      if (shown === 'yes') return sharedId;
    }
    return null;
  }

  private async find(): Promise<string[]> {
    const start = this.within === null ? null : await this.within.find();
    if (start?.length === 0) return [];
    const value = this.name === null ? { role: this.role } : { role: this.role, name: this.name };
    const answer = await this.page.command('browsingContext.locateNodes', {
      locator: { type: 'accessibility', value },
      ...(start === null ? {} : { startNodes: start.map((sharedId) => ({ sharedId })) }),
    });
    const found = list(answer, 'nodes').map((node) => string(node, 'sharedId'));
    const { words } = this;
    if (words === null) return found;
    const texts = await Promise.all(found.map((sharedId) => this.text(sharedId)));
    return found.filter((_, index) => words.test(texts[index] ?? ''));
  }

  private text(sharedId: string): Promise<string> {
    return this.page.call('(element) => element.innerText', [{ sharedId }]);
  }
}

/** Replaces the text of a field as typing does, as far as the page can tell. */
const FILL = `(element, text) => {
  element.focus();
  const prototype = element instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(prototype, 'value').set.call(element, text);
  element.dispatchEvent(new InputEvent('input', { bubbles: true }));
  element.dispatchEvent(new Event('change', { bubbles: true }));
  return '';
}`;

/** Whether an element takes room and is not hidden. */
const VISIBLE = `(element) => {
  element.scrollIntoView({ block: 'nearest' });
  const box = element.getBoundingClientRect();
  const isHidden = getComputedStyle(element).visibility !== 'visible';
  return box.width > 0 && box.height > 0 && !isHidden && !element.disabled ? 'yes' : 'no';
}`;

/** Whether an element stays where it is and nothing lies on it. */
const STEADY = `async (element) => {
  const place = () => element.getBoundingClientRect();
  const before = place();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const { x, y, width, height } = place();
  const isStill = x === before.x && y === before.y && width === before.width && height === before.height;
  return isStill && element.contains(document.elementFromPoint(x + width / 2, y + height / 2)) ? 'yes' : 'no';
}`;

/** Runs in the page: behaves like a machine without camera and microphone. */
function hideDevices(): void {
  const devices = navigator.mediaDevices;
  devices.getUserMedia = () => Promise.reject(new DOMException('Requested device not found', 'NotFoundError'));
  devices.enumerateDevices = () => Promise.resolve([]);
}
