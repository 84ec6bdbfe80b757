// The pages that are bent for the tests. None of them is ever shipped.
import path from 'node:path';

import { BENT } from './environment.ts';

/** One folder under `pages/` each. */
export const BENDS = ['late-transform', 'no-transform', 'wrong-key', 'wrong-media-key', 'tap'] as const;
/** A page that differs from the shipped one in one piece. */
export type Bend = (typeof BENDS)[number];

/** What each bent page writes on its root element, and so carries in its bundle. */
export function marker(bend: Bend): string {
  return `bent-page:${bend}`;
}

/** Where a bent page is built to. */
export function builtTo(bend: Bend): string {
  return path.join(BENT, bend);
}
