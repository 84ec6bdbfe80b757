// Starting the workers under Trusted Types. Alone in its file, so that a test
// build can put other workers in their place without touching what ships.
import groupUrl from './group_worker.ts?worker&url';
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

/** The one policy of the page: it lets the two E2EE workers start, and nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('undertone', {
  createScriptURL: (url) => {
    if (url !== workerUrl && url !== groupUrl) throw new TypeError('not the address of an E2EE worker');
    return url;
  },
});

/** Starts the worker that seals and opens frames. */
export function startWorker(): Worker {
  return new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module', name: 'e2ee' });
}

/** Starts the worker that holds the group. */
export function startGroupWorker(): Worker {
  return new Worker(policy?.createScriptURL(groupUrl) ?? groupUrl, { type: 'module', name: 'group' });
}
