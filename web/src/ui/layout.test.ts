import { describe, expect, it } from 'vitest';
import { gridFor, initials, isSince } from './layout.ts';

const PHONE = [374, 716] as const;
const SMALL_PHONE = [304, 500] as const;
const SIDEWAYS = [828, 268] as const;
const DESKTOP = [1256, 668] as const;

describe('the grid', () => {
  it.each([
    [1, PHONE, 1],
    [2, PHONE, 1],
    [3, PHONE, 1],
    [5, PHONE, 2],
    [12, PHONE, 2],
    [24, PHONE, 2],
    [5, SMALL_PHONE, 2],
    [24, SMALL_PHONE, 2],
    [1, DESKTOP, 1],
    [2, DESKTOP, 2],
    [3, DESKTOP, 2],
    [4, DESKTOP, 2],
    [5, DESKTOP, 3],
    [24, DESKTOP, 6],
  ])('of %i tiles in %j has %i columns', (count, [width, height], columns) => {
    expect(gridFor(count, width, height, 6).columns).toBe(columns);
  });

  it('scrolls on a phone when a room is full, and on no desktop', () => {
    expect(gridFor(5, ...SMALL_PHONE, 6).scrolls).toBe(false);
    expect(gridFor(10, ...PHONE, 6).scrolls).toBe(false);
    expect(gridFor(24, ...PHONE, 6).scrolls).toBe(true);
    expect(gridFor(24, ...DESKTOP, 12).scrolls).toBe(false);
  });

  it('has room for every tile, never sticks out sideways, and scrolls only upwards and downwards', () => {
    for (let count = 1; count <= 24; count += 1) {
      for (let width = 120; width <= 2000; width += 163) {
        for (let height = 80; height <= 1200; height += 97) {
          const { columns, rows, tileWidth, tileHeight, scrolls } = gridFor(count, width, height, 8);
          expect(columns * rows).toBeGreaterThanOrEqual(count);
          expect(columns * tileWidth + (columns - 1) * 8).toBeLessThanOrEqual(width);
          if (!scrolls) expect(rows * tileHeight + (rows - 1) * 8).toBeLessThanOrEqual(height);
        }
      }
    }
  });

  it('keeps names readable from the narrowest phone on', () => {
    for (let count = 1; count <= 24; count += 1) {
      for (const [width, height] of [SMALL_PHONE, PHONE, SIDEWAYS, DESKTOP]) {
        const { tileWidth, tileHeight } = gridFor(count, width, height, 6);
        expect(tileWidth).toBeGreaterThanOrEqual(144);
        expect(tileHeight).toBeGreaterThanOrEqual(100);
      }
    }
  });

  it('cuts little off a picture on a wide screen, and has upright tiles on a phone', () => {
    for (let count = 1; count <= 24; count += 1) {
      const { tileWidth, tileHeight } = gridFor(count, ...DESKTOP, 12);
      expect(tileWidth / tileHeight).toBeGreaterThan(1.3);
    }
    const { tileWidth, tileHeight } = gridFor(5, ...PHONE, 6);
    expect(tileWidth / tileHeight).toBeLessThan(1);
  });

  it('in no space at all has no size and no error', () => {
    expect(gridFor(3, 0, 0, 8)).toMatchObject({ tileWidth: 0, tileHeight: 0 });
    expect(gridFor(0, 0, 0, 8)).toMatchObject({ columns: 1, rows: 1 });
  });
});

describe('an RTP time', () => {
  it.each([
    [100, 100, true],
    [101, 100, true],
    [99, 100, false],
    [5, 0xffff_fff0, true],
    [0xffff_fff0, 5, false],
  ])('%i is at or after %i: %s', (frame, since, expected) => {
    expect(isSince(frame, since)).toBe(expected);
  });
});

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['ben', 'B'],
    ['Ève-Marie de la Tour-du-Pin', 'ÈT'],
    ['  (the) Óscar ', 'TÓ'],
    ['李小龙', '李'],
    ['E\u0301ve', 'E\u0301'],
    ['😀', ''],
    ['', ''],
  ])('of %s are %s', (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});
