// Starts a bent page: the shipped page with the pieces that a test gives it.
import '../../src/styles/app.css';
import { startPage } from '../../src/page.tsx';
import type { RoomParts } from '../../src/room/room.ts';

/** Draws the page, and marks it as one of the tests. */
export function startBent(mark: string, parts: RoomParts): void {
  document.documentElement.dataset['bent'] = mark;
  const root = document.getElementById('app');
  if (root !== null) startPage(root, parts);
}
