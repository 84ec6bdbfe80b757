import { describe, expect, it } from 'vitest';
import { DecodeError, parseJson, type Json } from './json.ts';

describe('strict JSON', () => {
  it.each([
    ['null', null],
    [' true ', true],
    ['0', 0],
    ['4294967295', 4_294_967_295],
    ['"a\\u00e9\\n\\"\\ud83d\\ude00"', 'aé\n"😀'],
    ['[1,[2]]', [1, [2]]],
    ['{"a":{}}', new Map<string, Json>([['a', new Map<string, Json>()]])],
  ])('%s is read', (text, value) => {
    expect(parseJson(text, 3)).toEqual(value);
  });

  it.each(['-1', '1.5', '1e2', '1.0', '-0'])('%s is a number that no field takes', (text) => {
    expect(parseJson(text, 0)).toBeNaN();
  });

  it.each(['01', '+1', '.5', '1.', 'NaN', 'tru', "'a'", '"\\x41"', '"\\ud800"', '"\t"', '[1,]', '{"a"}', '{a:1}', '"', ''])(
    '%s is no JSON',
    (text) => {
      expect(() => parseJson(text, 3)).toThrow(new DecodeError('syntax'));
    },
  );

  it('agrees with the browser about texts made at random', () => {
    const random = mulberry(1);
    for (let round = 0; round < 500; round += 1) {
      const value = anyValue(random, 3);
      expect(plain(parseJson(JSON.stringify(value), 3))).toEqual(value);
    }
  });

  it('takes a long string in linear time, whether it ends or not', () => {
    const long = `"${'a\\n'.repeat(20_000)}`;
    expect(parseJson(`${long}"`, 0)).toHaveLength(40_000);
    expect(() => parseJson(long, 0)).toThrow(new DecodeError('syntax'));
  });
});

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

function plain(value: Json): Plain {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, field]) => [key, plain(field)]));
  return Array.isArray(value) ? (value as Json[]).map(plain) : (value as Plain);
}

function anyValue(random: () => number, depth: number): Plain {
  const kind = Math.floor(random() * (depth > 0 ? 6 : 4));
  const size = Math.floor(random() * 5);
  const letters = ['a', '"', '\\', 'é', '\u2028', '😀', '\n', ' '];
  const word = (): string => Array.from({ length: size }, () => letters[Math.floor(random() * 8)]).join('');
  if (kind === 0) return null;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return Math.floor(random() * 2 ** 32);
  if (kind === 3) return word();
  if (kind === 4) return Array.from({ length: size }, () => anyValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, (_, at) => [`${at}${word()}`, anyValue(random, depth - 1)]));
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
