import { describe, expect, it } from 'vitest';
import { SleepWatch } from './network.ts';

describe('a sleep', () => {
  it('is a gap between two looks that no slowed timer has', () => {
    let now = 1_000_000;
    const watch = new SleepWatch(() => now);
    const after = (ms: number): boolean => {
      now += ms;
      return watch.looks();
    };
    expect([after(2_000), after(3_000), after(7_999)]).toEqual([false, false, false]);
    expect(after(8_000)).toBe(true);
    expect(after(2_000)).toBe(false);
  });

  it('is not seen in a clock that was put back', () => {
    let now = 1_000_000;
    const watch = new SleepWatch(() => now);
    now -= 3_600_000;
    expect(watch.looks()).toBe(false);
  });
});
