// The golden messages of `protocol/fixtures`, which the Rust side reads too.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeServerMessage } from './decode.ts';
import type { ServerMessage } from './generated.ts';
import { DecodeError } from './json.ts';

interface Fixture {
  readonly name: string;
  readonly text: string | [string, number][];
  readonly reason?: string;
}

function fixtures(file: string): Fixture[] {
  const path = new URL(`../../../protocol/fixtures/${file}`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as Fixture[];
}

function textOf({ text }: Fixture): string {
  return typeof text === 'string' ? text : text.map(([piece, count]) => piece.repeat(count)).join('');
}

describe('a message of the server', () => {
  it.each(fixtures('server-valid.json'))('is taken whole: $name', (fixture) => {
    const text = textOf(fixture);
    expect(JSON.stringify(decodeServerMessage(text))).toBe(text);
  });

  it.each(fixtures('server-invalid.json'))('is refused for the reason that Rust gives: $name', (fixture) => {
    expect(() => decodeServerMessage(textOf(fixture))).toThrow(new DecodeError(fixture.reason as 'syntax'));
  });

  it('has a golden example for each of its types', () => {
    const types = new Set(fixtures('server-valid.json').map((fixture) => decodeServerMessage(textOf(fixture)).type));
    const all: Record<ServerMessage['type'], true> = {
      created: true,
      joined: true,
      participant_joined: true,
      participant_left: true,
      announced: true,
      media: true,
      resumed: true,
      offer: true,
      presence: true,
      stopping: true,
      slots: true,
      transport: true,
      pong: true,
      error: true,
    };
    expect([...types].toSorted()).toEqual(Object.keys(all).toSorted());
  });

  it.each(['__proto__', 'constructor', 'toString'])('of a type that every object has is unknown: %s', (type) => {
    expect(() => decodeServerMessage(JSON.stringify({ type }))).toThrow(new DecodeError('unknown_type'));
  });

  it('with a field that every object has is refused', () => {
    expect(() => decodeServerMessage('{"type":"pong","__proto__":1}')).toThrow(new DecodeError('unknown_field'));
    expect(() => decodeServerMessage('{"type":"pong","constructor":1}')).toThrow(new DecodeError('unknown_field'));
  });
});
