// Bent: nothing ever stands between this page's encoders and the network.
import { shippedParts } from '../../../src/page.tsx';
import { startBent } from '../start.ts';

startBent('bent-page:no-transform', {
  ...shippedParts,
  attachTransforms: (e2ee) => ({ ...shippedParts.attachTransforms(e2ee), sender: () => undefined }),
});
