// The shipped worker, unchanged, between taps: what comes out of the encoders, what goes on to be sent, and what
// arrives from the network.
import '../../../src/e2ee/worker.ts';

const channel = new BroadcastChannel('undertone-tap');

/** Passes frames on and shows a copy of each. */
function tap(stage: 'plain' | 'sealed' | 'arrived', transformer: RTCRtpScriptTransformer): TransformStream {
  const { kind: track, media } = transformer.options;
  const kind = track === 'microphone' || media === 'audio' ? 'audio' : 'video';
  return new TransformStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>({
    transform(frame, controller) {
      const timestamp = frame.getMetadata().rtpTimestamp ?? null;
      const shown = { stage, kind, timestamp, bytes: new Uint8Array(frame.data.slice(0)) };
      // A channel has no target origin: it reaches the same origin only.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      channel.postMessage(shown);
      controller.enqueue(frame);
    },
  });
}

/** Puts `between` between transforms and what the browser gives them as `name`. */
function bend(
  name: 'readable' | 'writable',
  between: (stream: ReadableStream & WritableStream, transformer: RTCRtpScriptTransformer) => unknown,
): void {
  const native = Object.getOwnPropertyDescriptor(RTCRtpScriptTransformer.prototype, name);
  Object.defineProperty(RTCRtpScriptTransformer.prototype, name, {
    get(this: RTCRtpScriptTransformer) {
      const stream = native?.get?.call(this);
      return between(stream, this);
    },
  });
}

bend('readable', (source, transformer) =>
  source.pipeThrough(tap(transformer.options.role === 'sender' ? 'plain' : 'arrived', transformer)),
);
bend('writable', (sink, transformer) => {
  if (transformer.options.role !== 'sender') return sink;
  const sealed = tap('sealed', transformer);
  // It ends when the connection does, and nobody waits for it.
  void sealed.readable.pipeTo(sink).catch(() => undefined);
  return sealed.writable;
});
