// The shipped page whose worker shows its frames to the test.
import { shippedParts } from '../../../src/page.tsx';
import { keepTapped } from '../tapped.ts';
import { startBent } from '../start.ts';

keepTapped();
startBent('bent-page:tap', shippedParts);
