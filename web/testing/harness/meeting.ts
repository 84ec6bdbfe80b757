// A person in a meeting, who finds everything by role and accessible name, as the page promises.
import type { Locator, Page } from 'playwright-core';

import { PATIENCE_MS } from './wait.ts';

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

  /** Whose names the list of participants holds. */
  async participants(): Promise<string> {
    const list = this.page.getByRole('list', { name: 'Participants' });
    return (await list.count()) === 0 ? '' : list.first().innerText();
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
