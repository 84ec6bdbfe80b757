// Starting the worker under Trusted Types. Alone in its file, so that a test
// build can put another worker in its place without touching what ships.
import workerUrl from './worker.ts?worker&url';

/** Trusted Types, as far as we use them; TypeScript's library does not know them. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): {
    createScriptURL(url: string): string;
  };
}

declare global {
  var trustedTypes: TrustedTypes | undefined;
}

/** The one policy of the page: it lets the E2EE worker start, and nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('undertone', {
  createScriptURL: (url) => {
    if (url !== workerUrl) throw new TypeError('not the address of the E2EE worker');
    return url;
  },
});

/** Starts the E2EE worker. */
export function startWorker(): Worker {
  return new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module', name: 'e2ee' });
}
