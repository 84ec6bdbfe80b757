// What a test's person needs of a page, in any browser. Chromium's pages are Playwright's; Firefox's are in `firefox.ts`.

/** Roles by which people find things on the page. */
export type Role = 'alert' | 'button' | 'group' | 'list' | 'listitem' | 'textbox';

/** Something on a page that may not be there yet. */
export interface WebLocator {
  /** Waits until there is one that can be seen, and clicks it. */
  click(): Promise<void>;
  /** Waits for a text field and replaces what stands in it. */
  fill(text: string): Promise<void>;
  /** Waits until one can be seen, or until none is there. */
  waitFor(options?: { state?: 'visible' | 'detached' }): Promise<void>;
  /** Those of them that hold such text. */
  filter(options: { hasText: RegExp }): WebLocator;
  /** Those that lie within them. */
  getByRole(role: Role, options?: { name?: string; exact?: boolean }): WebLocator;
  isVisible(): Promise<boolean>;
  count(): Promise<number>;
  allInnerTexts(): Promise<string[]>;
}

/** A page in a browser, with a profile of its own. */
export interface WebPage {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  getByRole(role: Role, options: { name?: string; exact?: boolean }): WebLocator;
  /** Runs a function in the page. It sees nothing of the test but its argument. */
  evaluate<Result>(inPage: () => Result | Promise<Result>): Promise<Result>;
  evaluate<Result>(inPage: (argument: string) => Result | Promise<Result>, argument: string): Promise<Result>;
}
