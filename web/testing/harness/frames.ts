// When the pictures on a page were presented: for counting them, and for the longest time that one stood still.
import type { WebPage } from './web_page.ts';

/** One picture that was put on the screen. */
export interface PresentedFrame {
  /** Milliseconds since the page began. */
  readonly atMs: number;
  /** How many this video has presented, this one included; jumps when the page was too busy to be told of one. */
  readonly count: number;
}

declare global {
  /** By the accessible name of the tile; only pages of a test have it. */
  var observedFrames: Map<string, PresentedFrame[]>;
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
  new MutationObserver(() => document.querySelectorAll('video').forEach(watch)).observe(document, {
    childList: true,
    subtree: true,
  });
  globalThis.observedFrames = kept;
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
