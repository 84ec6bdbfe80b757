// A person in a meeting, who finds everything by role and accessible name, as the page promises.
import type { Page } from 'playwright-core';

import { eventually } from './wait.ts';
import type { Role, WebPage } from './web_page.ts';

/** Frames that must follow before a video is believed to move: half a second of the made-up camera. */
const FRAMES_THAT_MOVE = 5;

/** What a tile shows about one participant. */
export interface TileState {
  /** `encrypted`, `waiting` or `failed`; null when there is no such tile. */
  readonly e2ee: string | null;
  /** Frames that its video has shown. */
  readonly frames: number;
  /** Everything that is written on it. */
  readonly text: string;
}

/** The button on the home page, the room and the buttons in the call. */
export type ButtonName =
  | 'New meeting'
  | 'Join'
  | 'Leave'
  | 'Copy invite link'
  | 'Mute microphone'
  | 'Unmute microphone'
  | 'Turn camera off'
  | 'Turn camera on'
  | 'Start the meeting again';

/** One page, used by one person: of Chromium unless said otherwise. */
export class Person<Kind extends WebPage = Page> {
  readonly page: Kind;
  readonly name: string;

  constructor(page: Kind, name: string) {
    this.page = page;
    this.name = name;
  }

  /** Makes a meeting on the home page and returns its link. The person is then before joining. */
  async createMeeting(origin: string, password: string | null = null): Promise<string> {
    await this.page.goto(`${origin}/`);
    if (password !== null) await this.textbox('Meeting password').fill(password);
    await this.button('New meeting').click();
    return eventually('there is a link', () => this.address(), (url) => /\/r\/[\w-]+#[\w-]+$/.test(url));
  }

  /** Fills in what is asked before joining and presses Join. Does not wait for the call. */
  async askToJoin(password: string | null = null): Promise<void> {
    await this.textbox('Your name').fill(this.name);
    // The creator's page knows the password that was typed a moment ago and may not ask again.
    if (password !== null && (await this.textbox('Meeting password').isVisible())) {
      await this.textbox('Meeting password').fill(password);
    }
    await this.button('Join').click();
  }

  /** Opens a link and joins the call. */
  async join(link: string, password: string | null = null): Promise<void> {
    if ((await this.address()) !== link) await this.page.goto(link);
    await this.askToJoin(password);
    await this.isInCall();
  }

  /** Waits until the call is on the screen. */
  async isInCall(): Promise<void> {
    try {
      await this.button('Leave').waitFor();
    } catch (error) {
      throw new Error(`${this.name} is not in the call. The page says: ${await this.said()}`, { cause: error });
    }
  }

  /** What stands in the address bar. */
  address(): Promise<string> {
    return this.page.evaluate(() => location.href);
  }

  /** Everything that is written on the page. */
  said(): Promise<string> {
    return this.page.evaluate(() => document.body.innerText);
  }

  button(name: ButtonName): ReturnType<Kind['getByRole']> {
    return this.find('button', { name, exact: true });
  }

  textbox(name: 'Your name' | 'Meeting password'): ReturnType<Kind['getByRole']> {
    return this.find('textbox', { name });
  }

  /** What went wrong, in words. */
  alert(): ReturnType<Kind['getByRole']> {
    return this.find('alert', {}).filter({ hasText: /\w/ }) as ReturnType<Kind['getByRole']>;
  }

  /** The tile of another participant. */
  tile(name: string): ReturnType<Kind['getByRole']> {
    return this.find('group', { name, exact: true });
  }

  /** Waits until the list of participants holds, or does not hold, `name`. */
  async lists(name: string, isThere: boolean = true): Promise<void> {
    const people = this.page.getByRole('list', { name: 'Participants' }).getByRole('listitem');
    await eventually(
      `${name} is on ${this.name}'s list: ${isThere}`,
      () => people.allInnerTexts(),
      (lines) => lines.length > 0 && lines.some((line) => line.includes(name)) === isThere,
    );
  }

  /** Waits until the tile of `name` is marked as encrypted and has shown `frames` further frames. */
  async seesMoving(name: string, frames: number = FRAMES_THAT_MOVE): Promise<void> {
    const before = await this.sees(name);
    // A video that was just made counts from zero again.
    await eventually(
      `${this.name} sees ${name} move`,
      () => this.sees(name),
      (tile) => tile.e2ee === 'encrypted' && (tile.frames > before.frames + frames || tile.frames < before.frames),
    );
  }

  /** Waits until what is written on the tile of `name` matches, or does not match, `words`. */
  async reads(name: string, words: RegExp, isThere: boolean = true): Promise<void> {
    const what = `${this.name} reads ${words} on the tile of ${name}: ${isThere}`;
    await eventually(what, () => this.sees(name), (tile) => words.test(tile.text) === isThere);
  }

  /** What is on the tile of `name` right now. */
  sees(name: string): Promise<TileState> {
    return this.page.evaluate((wanted) => {
      const tile = document.querySelector<HTMLElement>(`[role="group"][aria-label="${CSS.escape(wanted)}"]`);
      if (tile === null) return { e2ee: null, frames: 0, text: '' };
      const marked = tile.matches('[data-e2ee]') ? tile : tile.querySelector('[data-e2ee]');
      const played = tile.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      // A headless Firefox counts no frame as played, however many it presents.
      const presented = globalThis.observedFrames.get(wanted)?.at(-1)?.count ?? 0;
      return { e2ee: marked?.getAttribute('data-e2ee') ?? null, frames: played || presented, text: tile.innerText };
    }, name);
  }

  private find(role: Role, options: { name?: string; exact?: boolean }): ReturnType<Kind['getByRole']> {
    return this.page.getByRole(role, options) as ReturnType<Kind['getByRole']>;
  }
}
