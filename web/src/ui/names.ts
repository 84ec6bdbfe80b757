// One's own name: what it may be, and where it waits for the next reload.
import { PREJOIN } from '../strings.ts';

/** Longest name in characters; the others refuse longer ones. */
export const NAME_LENGTH_MAX = 64;

const KEY = 'undertone.name';

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
