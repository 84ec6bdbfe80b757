// When the pictures on a page were presented: for counting them, and for the longest time that one stood still.
import type { WebPage } from './web_page.ts';

/** One picture that was put on the screen. */
export interface PresentedFrame {
  /** Milliseconds since the page began. */
  readonly atMs: number;
  /** How many this video has presented, this one included; jumps when the page was too busy to be told of one. */
  readonly count: number;
}

/** From when on a tile was marked as what. */
export interface Mark {
  /** Milliseconds since the page began. */
  readonly atMs: number;
  /** `encrypted`, `waiting` or `failed`. */
  readonly mark: string;
}

declare global {
  /** By the accessible name of the tile; only pages of a test have it. */
  var observedFrames: Map<string, PresentedFrame[]>;
  /** The same for what each tile was marked as. */
  var observedMarks: Map<string, Mark[]>;
  /** When a tile went, in milliseconds since 1970: the last time for each name. */
  var observedEnds: Map<string, number>;
}

/** Runs in the page before its own scripts: keeps when each tile's video presented a frame. */
export function watchFrames(): void {
  const kept = new Map<string, PresentedFrame[]>();
  const watched = new WeakSet<HTMLVideoElement>();
  const watch = (video: HTMLVideoElement): void => {
    if (watched.has(video)) return;
    watched.add(video);
    let count = 0;
    let presented = 0;
    const look = (_: number, { presentationTime, presentedFrames }: VideoFrameCallbackMetadata): void => {
      const name = video.closest('[role="group"]')?.getAttribute('aria-label') ?? '';
      const frames = kept.get(name) ?? [];
      // Another element in the same tile counts from zero again, and so may the browser after another stream.
      count += presentedFrames > presented ? presentedFrames - presented : 1;
      presented = presentedFrames;
      frames.push({ atMs: presentationTime, count });
      kept.set(name, frames);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  const marks = new Map<string, Mark[]>();
  const ends = new Map<string, number>();
  let there = new Set<string>();
  const note = (marked: Element): void => {
    const name = marked.closest('[role="group"]')?.getAttribute('aria-label') ?? '';
    const known = marks.get(name) ?? [];
    const mark = marked.getAttribute('data-e2ee') ?? '';
    if (known.at(-1)?.mark !== mark) known.push({ atMs: performance.now(), mark });
    marks.set(name, known);
  };
  new MutationObserver(() => {
    document.querySelectorAll('video').forEach(watch);
    document.querySelectorAll('[data-e2ee]').forEach(note);
    const names = new Set([...document.querySelectorAll('[role="group"]')].map((tile) => tile.getAttribute('aria-label') ?? ''));
    for (const name of there) if (!names.has(name)) ends.set(name, Date.now());
    there = names;
  }).observe(document, { childList: true, subtree: true, attributeFilter: ['data-e2ee'] });
  globalThis.observedFrames = kept;
  globalThis.observedMarks = marks;
  globalThis.observedEnds = ends;
}

/** How the video of one tile moved over a stretch of time. */
export interface Movement {
  readonly frames: number;
  readonly seconds: number;
  /** The longest time without a new picture, in milliseconds, the ends of the stretch included. */
  readonly worstGapMs: number;
}

/** The page's own clock, in milliseconds, for `movement`. */
export function pageClock(page: WebPage): Promise<number> {
  return page.evaluate(() => performance.now());
}

/** How the video on the tile of `name` moved from `fromMs` to `toMs` of the page's clock, or until now. */
export async function movement(
  page: WebPage,
  name: string,
  fromMs: number,
  toMs: number | null = null,
): Promise<Movement> {
  const { frames, nowMs } = await page.evaluate(
    (tile) => ({ frames: globalThis.observedFrames.get(tile) ?? [], nowMs: performance.now() }),
    name,
  );
  return movementOf(frames, fromMs, toMs ?? nowMs);
}

/** The same, from frames that were read before. */
export function movementOf(frames: readonly PresentedFrame[], fromMs: number, toMs: number): Movement {
  const times = frames.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs && atMs <= toMs);
  const ends = [fromMs, ...times, toMs];
  const gaps = ends.slice(1).map((atMs, index) => atMs - (ends[index] ?? atMs));
  return { frames: times.length, seconds: (toMs - fromMs) / 1_000, worstGapMs: Math.round(Math.max(...gaps)) };
}

/** How long, in milliseconds, the tile of `name` was marked as anything but encrypted since `fromMs` of the page's clock. */
export async function closedFor(page: WebPage, name: string, fromMs: number): Promise<number> {
  const { marks, nowMs } = await page.evaluate(
    (tile) => ({ marks: globalThis.observedMarks.get(tile) ?? [], nowMs: performance.now() }),
    name,
  );
  let closedMs = 0;
  for (const [index, { atMs, mark }] of marks.entries()) {
    const untilMs = marks[index + 1]?.atMs ?? nowMs;
    if (mark !== 'encrypted') closedMs += Math.max(0, untilMs - Math.max(atMs, fromMs));
  }
  return Math.round(closedMs);
}
