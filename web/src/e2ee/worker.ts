// The frame worker: the only place where keys and plaintext frames meet. Frames
// come through RTCRtpScriptTransform; there is no way around `session.step`.
// Keys come from the group worker, through the port that the page hands over.
import { isRecord } from './decode.ts';
import { Session } from './session.ts';
import { transformFrames } from './transform.ts';

declare const self: DedicatedWorkerGlobalScope;

/** How often the page hears how many frames were handled. */
const STATISTICS_MS = 1_000;

const session = new Session({
  post: (message) => self.postMessage(message, []),
  now: () => performance.now(),
});

let keys: MessagePort | null = null;

self.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (keys !== null || !isRecord(data) || !(data['port'] instanceof MessagePort)) return;
  keys = data['port'];
  keys.onmessage = (event: MessageEvent<unknown>) => session.handleKeys(event.data);
};

self.onrtctransform = ({ transformer }) => {
  const step = session.step(transformer.options, transformer);
  if (step === null) return;
  void transformFrames(transformer.readable, transformer.writable, step, (reason) => session.dropped(reason));
};

setInterval(() => session.tick(), STATISTICS_MS);
