import type { JSX } from 'preact';
import { APP } from '../strings.ts';
import { Mark } from './icons.tsx';

/** The name of the product, at the head of a page. */
export function Brand(): JSX.Element {
  return (
    <header class="brand">
      <Mark />
      <span>{APP}</span>
    </header>
  );
}
