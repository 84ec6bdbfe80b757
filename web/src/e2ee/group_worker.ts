// The group worker: the MLS group, and everything that is derived from link and
// password. Keys go to the frame worker through a port; the page sees none.
import { isRecord } from './decode.ts';
import { GroupSession } from './group_session.ts';
import init, { GroupMember, Keys } from './wasm/e2ee.js';
import wasmUrl from './wasm/e2ee_bg.wasm?url';

declare const self: DedicatedWorkerGlobalScope;

/** How often the page hears what was counted. */
const STATISTICS_MS = 2_000;

const ready = init({ module_or_path: wasmUrl });
const { port1, port2 } = new MessageChannel();

const session = new GroupSession({
  post: (message) => self.postMessage(message, []),
  tellKeys: (message) => port1.postMessage(message),
  now: () => performance.now(),
  unlock: async (fragment, password) => {
    await ready;
    return new Keys(fragment, password ?? undefined);
  },
  makeMember: (keys, room, owner) => {
    if (!(keys instanceof Keys)) throw new TypeError('keys of another module');
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const member = new GroupMember(keys, room, Date.now() / 1_000 - performance.now() / 1_000, seed, owner ?? undefined);
    seed.fill(0);
    return member;
  },
  after: (ms, call) => {
    const timer = setTimeout(() => guard(call), ms);
    return () => clearTimeout(timer);
  },
});

/** After a panic nothing in the module can be trusted: the page discards the worker. */
function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    self.close();
    throw error;
  }
}

self.postMessage({ port: port2 }, [port2]);
self.onmessage = (event: MessageEvent<unknown>) => {
  if (isRecord(event.data)) guard(() => session.handle(event.data));
};
setInterval(() => guard(() => session.tick()), STATISTICS_MS);
