// Where the page is: home, or a meeting with everything that its link says. The part behind '#' is read
// here and handed on; nothing of it is ever put into a request.
import { fromBase64url, toBase64url } from '../e2ee/bytes.ts';
import { makeFragment, parseFragment, type Fragment } from '../e2ee/fragment.ts';

/** Why a link opens no meeting. */
export type LinkProblem = 'incomplete' | 'newer' | 'replaced';

/** What an address shows. */
export type Place =
  | { readonly type: 'home' }
  | { readonly type: 'room'; readonly room: string; readonly fragment: Fragment }
  | { readonly type: 'bad_link'; readonly problem: LinkProblem };

/** The highest generation of each room's link that this browser has seen. */
export interface Generations {
  highest(room: string): number;
  saw(room: string, generation: number): void;
}

const ROOM_BYTES = 16;

/** Reads an address: its path and its fragment (with or without '#'). */
export function readPlace(path: string, hash: string, generations: Generations): Place {
  const match = /^\/r\/([^/]+)\/?$/.exec(path);
  if (match === null) return { type: 'home' };
  const room = match[1] ?? '';
  if (fromBase64url(room)?.length !== ROOM_BYTES) return { type: 'bad_link', problem: 'incomplete' };
  const fragment = parseFragment(hash);
  if (fragment === 'malformed') return { type: 'bad_link', problem: 'incomplete' };
  // A lobby is announced by a flag that this version knows and cannot honour.
  if (fragment === 'version_unsupported' || fragment.lobby) return { type: 'bad_link', problem: 'newer' };
  if (fragment.generation < generations.highest(room)) return { type: 'bad_link', problem: 'replaced' };
  generations.saw(room, fragment.generation);
  return { type: 'room', room, fragment };
}

/** The path and fragment of a meeting. */
export function writePlace(room: string, fragment: Fragment): string {
  return `/r/${room}#${makeFragment(fragment)}`;
}

/** A name for a new room: 16 random bytes. */
export function makeRoomId(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(ROOM_BYTES)));
}

/** The part of `localStorage` that is used here. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem'>;

const KEY = 'undertone.generations';
/** Rooms that are remembered; beyond it the oldest goes. A browser sees a few a day, for weeks. */
const ROOMS_MAX = 256;

/** Keeps the generations in `storage`. A browser that refuses storage remembers nothing. */
export function storedGenerations(storage: () => Storage): Generations {
  return {
    highest: (room) => readGenerations(storage).get(room) ?? 0,
    saw: (room, generation) => {
      const known = readGenerations(storage);
      const highest = Math.max(generation, known.get(room) ?? 0);
      // Generation 0 is where every room starts, so there is nothing to remember.
      if (highest === 0) return;
      known.delete(room);
      known.set(room, highest);
      try {
        storage().setItem(KEY, JSON.stringify([...known].slice(-ROOMS_MAX)));
      } catch {
        // Private windows may refuse; the check then lasts as long as the page.
      }
    },
  };
}

function readGenerations(storage: () => Storage): Map<string, number> {
  const known = new Map<string, number>();
  try {
    const stored: unknown = JSON.parse(storage().getItem(KEY) ?? '[]');
    if (!Array.isArray(stored)) return known;
    for (const entry of stored as unknown[]) {
      if (!Array.isArray(entry)) continue;
      const [room, generation] = entry as unknown[];
      if (typeof room === 'string' && typeof generation === 'number') known.set(room, generation);
    }
  } catch {
    // Damaged or refused storage is the same as an empty one.
  }
  return known;
}
