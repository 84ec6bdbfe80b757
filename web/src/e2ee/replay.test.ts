import { expect, it } from 'vitest';
import { ReplayWindow } from './replay.ts';

it('a counter is accepted once, and checking records nothing', () => {
  const window = new ReplayWindow();
  expect(window.check(5n)).toBeNull();
  expect(window.check(5n)).toBeNull();
  window.record(5n);
  expect(window.check(5n)).toBe('duplicate');
  expect(window.check(4n)).toBeNull();
});

it('the window reaches back 1,023 counters', () => {
  const window = new ReplayWindow();
  window.record(2_000n);
  expect(window.check(977n)).toBeNull();
  expect(window.check(976n)).toBe('replayed');
});

it('the highest possible counter does not wrap', () => {
  const window = new ReplayWindow();
  window.record(2n ** 64n - 1n);
  expect(window.check(0n)).toBe('replayed');
  expect(window.check(2n ** 64n - 1n)).toBe('duplicate');
});

it('the window agrees with a set of all counters', () => {
  const window = new ReplayWindow();
  const all = new Set<bigint>();
  let highest = -1n;
  let state = 1;
  for (let round = 0; round < 4_000; round += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const counter = BigInt(Math.floor(round / 2) + ((state >>> 8) % 1_500));
    const expected = highest - counter >= 1_024n ? 'replayed' : all.has(counter) ? 'duplicate' : null;
    expect(window.check(counter)).toBe(expected);
    if (expected !== null) continue;
    window.record(counter);
    all.add(counter);
    if (counter > highest) highest = counter;
  }
});
