// The way of frames through the worker: in order, one at a time per stream,
// with a bounded queue. A frame goes on only when its step says so.
import { QUEUE_FRAMES_MAX } from './limits.ts';

/** A frame of `RTCRtpScriptTransform`, as far as we use it. */
export interface EncodedFrame {
  data: ArrayBuffer;
  getMetadata(): FrameMetadata;
}

/** What a browser says about a frame. All of it may be missing, and none of it is authentic. */
export interface FrameMetadata {
  readonly mimeType?: unknown;
  readonly rtpTimestamp?: unknown;
  readonly temporalIndex?: unknown;
  readonly spatialIndex?: unknown;
}

/** Handles a frame in place; true sends it on, false drops it. */
export type Step = (frame: EncodedFrame) => Promise<boolean>;

/** Told of frames that no step could handle. */
export type OnLost = (reason: 'overload' | 'fault') => void;

/**
 * Takes frames from `readable` through `step` to `writable` until either ends.
 * While `QUEUE_FRAMES_MAX` frames wait, further ones are dropped and counted. A
 * step that throws drops its frame.
 */
export async function transformFrames(
  readable: ReadableStream<EncodedFrame>,
  writable: WritableStream<EncodedFrame>,
  step: Step,
  onLost: OnLost,
): Promise<void> {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  let waiting = 0;
  let last = Promise.resolve();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (waiting >= QUEUE_FRAMES_MAX) {
        onLost('overload');
        continue;
      }
      waiting += 1;
      last = last.then(async () => {
        if (await stepSafely(step, value, onLost)) await writer.write(value).catch(() => undefined);
        waiting -= 1;
      });
    }
    await last;
    await writer.close();
  } catch {
    // The connection was closed under the streams; there is nobody to tell.
  }
}

async function stepSafely(step: Step, frame: EncodedFrame, onLost: OnLost): Promise<boolean> {
  try {
    return await step(frame);
  } catch {
    onLost('fault');
    return false;
  }
}
