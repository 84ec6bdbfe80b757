// The shipped page; its worker is bent.
import { shippedParts } from '../../../src/page.tsx';
import { startBent } from '../start.ts';

startBent('bent-page:wrong-key', shippedParts);
