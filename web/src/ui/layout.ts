// Arithmetic of the grid: the largest equal tiles that fit, in a shape that suits faces; where they would be too
// small to read a name on, fewer columns that scroll.

/** Sizes in CSS pixels. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Whether the rows are higher than the window. */
  readonly scrolls: boolean;
}

/** Widest shape of a tile, as width / height: that of the cameras. */
const ASPECT_MAX = 16 / 9;
/** Narrowest shape: upright on a phone, but on a wide screen upright tiles would cut off most of a picture. */
const ASPECT_MIN_UPRIGHT = 3 / 4;
const ASPECT_MIN_WIDE = 4 / 3;
/** Shape of the tiles of a grid that scrolls. */
const ASPECT_SCROLLED = 4 / 3;

/** Smallest tile on which a name, its lock and two marks can be read: two columns of the narrowest phones. */
const TILE_WIDTH_MIN = 144;
const TILE_HEIGHT_MIN = 100;
/** How much of the last row in sight is seen before one scrolls. */
const ROW_CUT_OFF = 0.45;
/** Width that is sought where a large window scrolls all the same. */
const TILE_WIDTH_SCROLLED = 200;
/** From this width on a window is large. */
export const LARGE_FROM = 700;

/** The grid of `count` tiles with the largest tiles in `width` x `height`, `gap` between them. */
export function gridFor(count: number, width: number, height: number, gap: number): Grid {
  const aspectMin = width > height ? ASPECT_MIN_WIDE : ASPECT_MIN_UPRIGHT;
  let best: Grid | null = null;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = Math.max(0, (width - gap * (columns - 1)) / columns);
    const cellHeight = Math.max(0, (height - gap * (rows - 1)) / rows);
    const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * ASPECT_MAX));
    const tileHeight = Math.floor(Math.min(cellHeight, cellWidth / aspectMin));
    if (tileWidth < TILE_WIDTH_MIN || tileHeight < TILE_HEIGHT_MIN) continue;
    if (best === null || tileWidth * tileHeight > best.tileWidth * best.tileHeight) {
      best = { columns, rows, tileWidth, tileHeight, scrolls: false };
    }
  }
  return best ?? scrolledGrid(count, width, height, gap);
}

function scrolledGrid(count: number, width: number, height: number, gap: number): Grid {
  const sought = width < LARGE_FROM ? TILE_WIDTH_MIN : TILE_WIDTH_SCROLLED;
  const columns = Math.min(Math.max(1, Math.floor((width + gap) / (sought + gap))), Math.max(1, count));
  const tileWidth = Math.max(0, Math.floor((width - gap * (columns - 1)) / columns));
  const usual = Math.floor(tileWidth / ASPECT_SCROLLED);
  const whole = Math.floor(height / (usual + gap));
  // A row that is cut off shows that there is more.
  const cut = Math.floor(height / (whole + ROW_CUT_OFF)) - gap;
  const tileHeight = whole === 0 || usual === 0 ? usual : Math.max(TILE_HEIGHT_MIN, cut);
  return { columns, rows: Math.ceil(Math.max(1, count) / columns), tileWidth, tileHeight, scrolls: true };
}

/** Whether a frame of RTP time `frame` is `since` or later, on a clock of 32 bits that wraps. */
export function isSince(frame: number, since: number): boolean {
  return ((frame - since) >>> 0) < 0x8000_0000;
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words[0];
  const last = words.length > 1 ? words.at(-1) : undefined;
  return [first, last]
    .map((word) => /[\p{L}\p{N}]\p{M}*/u.exec(word ?? '')?.[0] ?? '')
    .join('')
    .toLocaleUpperCase();
}
