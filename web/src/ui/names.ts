// What this tab remembers for the next reload: one's own name, and the meeting that one was in. Nothing secret.
import { PREJOIN } from '../strings.ts';

/** Longest name in characters; the others refuse longer ones. */
export const NAME_LENGTH_MAX = 64;

const KEY = 'undertone.name';
const ROOM_KEY = 'undertone.room';

/** What is wrong with a name, in words, or null. */
export function checkName(name: string): string | null {
  const trimmed = name.trim();
  if (trimmed === '') return PREJOIN.nameMissing;
  // Control characters and those that turn the direction of text could make one name look like another.
  const isPlain = !/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(trimmed);
  return isPlain && Array.from(trimmed).length <= NAME_LENGTH_MAX ? null : PREJOIN.nameBad;
}

/** The name that was typed in this tab before a reload. */
export function recallName(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Keeps the name for as long as this tab lives, and no longer. */
export function rememberName(name: string): void {
  try {
    sessionStorage.setItem(KEY, name);
  } catch {
    // It is typed again then.
  }
}

/** Whether this tab was in `room` when it was reloaded. */
export function wasIn(room: string): boolean {
  try {
    return sessionStorage.getItem(ROOM_KEY) === room;
  } catch {
    return false;
  }
}

/** Notes the room that one is in, or that one is in none. */
export function rememberRoom(room: string | null): void {
  try {
    if (room === null) sessionStorage.removeItem(ROOM_KEY);
    else sessionStorage.setItem(ROOM_KEY, room);
  } catch {
    // The page is then met as by a newcomer.
  }
}
