// Where the built worker lies. Alone in its file, so that a test build can put
// another worker in its place without touching what ships.
import url from './worker.ts?worker&url';

/** Address of the E2EE worker's script. */
export const workerUrl: string = url;
