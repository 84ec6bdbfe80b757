import { describe, expect, it } from 'vitest';
import { makeFragment, type Fragment } from '../e2ee/fragment.ts';
import { readPlace, storedGenerations, writePlace, type Generations, type Storage } from './link.ts';

const ROOM = 'AAECAwQFBgcICQoLDA0ODw';
const OTHER_ROOM = 'EBESExQVFhcYGRobHB0eHw';

describe('an address', () => {
  it('that was written is read again', () => {
    const fragment = aFragment({ password: true, generation: 3 });
    const url = new URL(writePlace(ROOM, fragment), 'http://localhost:8080');
    expect(readPlace(url.pathname, url.hash, remembered())).toEqual({ type: 'room', room: ROOM, fragment });
  });

  it('keeps the secret behind the #, where browsers do not send it', () => {
    const fragment = aFragment({});
    const url = new URL(writePlace(ROOM, fragment), 'http://localhost:8080');
    expect(url.pathname + url.search).toBe(`/r/${ROOM}`);
    expect(url.hash).toBe(`#${makeFragment(fragment)}`);
  });

  it.each(['/', '/index.html', '/r', '/r/'])('without a room is the start: %s', (path) => {
    expect(readPlace(path, '', remembered()).type).toBe('home');
  });

  it.each([
    [`/r/${ROOM}`, '', 'incomplete'],
    [`/r/${ROOM}`, `#${makeFragment(aFragment({})).slice(0, -8)}`, 'incomplete'],
    [`/r/${ROOM}`, '#not a fragment', 'incomplete'],
    [`/r/${ROOM.slice(1)}`, `#${makeFragment(aFragment({}))}`, 'incomplete'],
    [`/r/${ROOM}x`, `#${makeFragment(aFragment({}))}`, 'incomplete'],
    [`/r/${ROOM}`, `#${makeFragment(aFragment({ lobby: true }))}`, 'newer'],
    [`/r/${ROOM}`, `#Ag${makeFragment(aFragment({})).slice(2)}`, 'newer'],
  ])('%s%s is a link that says what is wrong with it', (path, hash, problem) => {
    expect(readPlace(path, hash, remembered())).toEqual({ type: 'bad_link', problem });
  });

  it('of an older generation than the one seen is refused', () => {
    const generations = remembered();
    const read = (generation: number): string =>
      readPlace(`/r/${ROOM}`, makeFragment(aFragment({ generation })), generations).type;
    expect(read(5)).toBe('room');
    expect(read(4)).toBe('bad_link');
    expect(read(5)).toBe('room');
    expect(read(6)).toBe('room');
    expect(read(5)).toBe('bad_link');
  });
});

describe('the generations that were seen', () => {
  it('outlive the page, room by room', () => {
    const storage = aStorage();
    storedGenerations(() => storage).saw(ROOM, 7);
    expect(storedGenerations(() => storage).highest(ROOM)).toBe(7);
    expect(storedGenerations(() => storage).highest(OTHER_ROOM)).toBe(0);
  });

  it('leave no trace of a room whose link was never replaced', () => {
    const storage = aStorage();
    storedGenerations(() => storage).saw(ROOM, 0);
    expect(storage.text).toBeNull();
  });

  it('forget the room that was seen longest ago, beyond 256', () => {
    const storage = aStorage();
    const generations = storedGenerations(() => storage);
    for (let room = 0; room < 257; room += 1) {
      generations.saw(`room ${room}`, 1);
      generations.saw('room 0', 1);
    }
    expect(generations.highest('room 0')).toBe(1);
    expect(generations.highest('room 1')).toBe(0);
    expect(generations.highest('room 2')).toBe(1);
  });

  it.each(['nonsense', '{"a":1}', '[[1,2],["room"],"room"]'])('survive damaged storage: %s', (text) => {
    const storage = aStorage(text);
    expect(storedGenerations(() => storage).highest(ROOM)).toBe(0);
    storedGenerations(() => storage).saw(ROOM, 2);
    expect(storedGenerations(() => storage).highest(ROOM)).toBe(2);
  });

  it('do without storage where the browser refuses it', () => {
    const generations = storedGenerations(() => {
      throw new DOMException('refused', 'SecurityError');
    });
    generations.saw(ROOM, 2);
    expect(generations.highest(ROOM)).toBe(0);
  });
});

function aFragment(change: Partial<Fragment>): Fragment {
  const link = new Uint8Array(16).fill(1);
  const owner = new Uint8Array(16).fill(2);
  return { password: false, lobby: false, generation: 0, link, owner, ...change };
}

function remembered(): Generations {
  const storage = aStorage();
  return storedGenerations(() => storage);
}

function aStorage(text: string | null = null): Storage & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_, value) {
      this.text = value;
    },
  };
}
