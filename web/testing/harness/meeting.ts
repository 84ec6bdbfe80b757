// A person in a meeting, who finds everything by role and accessible name, as the page promises.
import type { Locator, Page } from 'playwright-core';

import { eventually, PATIENCE_MS } from './wait.ts';

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
  | 'Turn camera on';

/** One page, used by one person. */
export class Person {
  readonly page: Page;
  readonly name: string;

  constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
    page.setDefaultTimeout(PATIENCE_MS);
  }

  /** Makes a meeting on the home page and returns its link. The person is then before joining. */
  async createMeeting(origin: string, password: string | null = null): Promise<string> {
    await this.page.goto(`${origin}/`);
    if (password !== null) await this.textbox('Meeting password').fill(password);
    await this.button('New meeting').click();
    await this.page.waitForURL(/\/r\/[\w-]+#[\w-]+$/);
    return this.page.url();
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
    if (this.page.url() !== link) await this.page.goto(link);
    await this.askToJoin(password);
    await this.isInCall();
  }

  /** Waits until the call is on the screen. */
  async isInCall(): Promise<void> {
    await this.button('Leave').waitFor();
  }

  button(name: ButtonName): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  textbox(name: 'Your name' | 'Meeting password'): Locator {
    return this.page.getByRole('textbox', { name });
  }

  /** What went wrong, in words. */
  alert(): Locator {
    return this.page.getByRole('alert').filter({ hasText: /\w/ });
  }

  /** The tile of another participant. */
  tile(name: string): Locator {
    return this.page.getByRole('group', { name, exact: true });
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
  async sees(name: string): Promise<TileState> {
    const tile = this.tile(name);
    if ((await tile.count()) === 0) return { e2ee: null, frames: 0, text: '' };
    return tile.first().evaluate((element) => {
      const marked = element.matches('[data-e2ee]') ? element : element.querySelector('[data-e2ee]');
      const video = element.querySelector('video');
      return {
        e2ee: marked?.getAttribute('data-e2ee') ?? null,
        frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
        text: element instanceof HTMLElement ? element.innerText : '',
      };
    });
  }
}
