// The shipped worker with the tap of the tapped page.
import '../tap/worker.ts';
