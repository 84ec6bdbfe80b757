// Hints that a connection may be dead, or may work again: the browser's word on the network, a page that is looked
// at again, a computer that slept. They are hints only; each leads to a question to the server.

/** What is noticed. */
export interface NetworkEvents {
  /** The computer woke up, the page is looked at again, or the network changed. */
  woke(): void;
  /** The browser says whether it has a network. */
  online(isOnline: boolean): void;
}

/** How often the clock is looked at, in milliseconds. */
const LOOK_MS = 2_000;
/** A gap of so many milliseconds between two looks is a sleep: hidden pages are slowed down to once a second. */
const SLEEP_MS = 8_000;

/** Watches until the function that it returns is called. */
export function watchNetwork(events: NetworkEvents): () => void {
  const end = new AbortController();
  const { signal } = end;
  const online = (): void => events.online(navigator.onLine);
  addEventListener('online', online, { signal });
  addEventListener('offline', online, { signal });
  // Shown again out of the browser's memory of pages.
  addEventListener('pageshow', (event) => event.persisted && events.woke(), { signal });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && events.woke(), {
    signal,
  });
  const watch = new SleepWatch(() => Date.now());
  const timer = setInterval(() => watch.looks() && events.woke(), LOOK_MS);
  if (!navigator.onLine) events.online(false);
  return () => {
    end.abort();
    clearInterval(timer);
  };
}

/** Notices a sleep by the clock on the wall: the one for measuring stands still meanwhile on some systems. */
export class SleepWatch {
  private lookedAt: number;

  constructor(private readonly nowMs: () => number) {
    this.lookedAt = nowMs();
  }

  /** Whether the computer slept since the last look. */
  looks(): boolean {
    const now = this.nowMs();
    const gap = now - this.lookedAt;
    this.lookedAt = now;
    return gap >= SLEEP_MS;
  }
}
