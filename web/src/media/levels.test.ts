import { describe, expect, it } from 'vitest';
import { loudness, SpeakingGate } from './levels.ts';

describe('loudness', () => {
  it.each([
    ['silence', 0, 0],
    ['a hiss at -60 dB', 0.001, 0],
    ['a voice at -37.5 dB', 10 ** (-37.5 / 20), 0.5],
    ['a voice at -15 dB', 10 ** (-15 / 20), 1],
    ['the loudest there is', 1, 1],
  ])('of %s', (_, amplitude, expected) => {
    expect(loudness(new Float32Array(64).fill(amplitude))).toBeCloseTo(expected, 3);
  });

  it('of no samples is none', () => {
    expect(loudness(new Float32Array())).toBe(0);
  });
});

describe('the speaking mark', () => {
  it('bridges the pauses between words and goes out after them', () => {
    const gate = new SpeakingGate();
    expect(gate.speaks(0.2, 0)).toBe(false);
    expect(gate.speaks(0.8, 100)).toBe(true);
    expect(gate.speaks(0, 699)).toBe(true);
    expect(gate.speaks(0, 700)).toBe(false);
  });
});
