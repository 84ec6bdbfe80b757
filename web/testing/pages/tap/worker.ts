// The shipped worker, unchanged, between two taps: what comes out of the encoders and what goes on to be sent.
import '../../../src/e2ee/worker.ts';

const channel = new BroadcastChannel('undertone-tap');

/** Passes frames on and shows a copy of each. */
function tap(stage: 'plain' | 'sealed', transformer: RTCRtpScriptTransformer): TransformStream {
  const kind = transformer.options.kind === 'microphone' ? 'audio' : 'video';
  return new TransformStream<{ data: ArrayBuffer }>({
    transform(frame, controller) {
      // A channel has no target origin: it reaches the same origin only.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      channel.postMessage({ stage, kind, bytes: new Uint8Array(frame.data.slice(0)) });
      controller.enqueue(frame);
    },
  });
}

/** Puts `bend` between senders and what the browser gives them as `name`. */
function bend(
  name: 'readable' | 'writable',
  between: (stream: ReadableStream & WritableStream, transformer: RTCRtpScriptTransformer) => unknown,
): void {
  const native = Object.getOwnPropertyDescriptor(RTCRtpScriptTransformer.prototype, name);
  Object.defineProperty(RTCRtpScriptTransformer.prototype, name, {
    get(this: RTCRtpScriptTransformer) {
      const stream = native?.get?.call(this);
      return this.options.role === 'sender' ? between(stream, this) : stream;
    },
  });
}

bend('readable', (encoder, transformer) => encoder.pipeThrough(tap('plain', transformer)));
bend('writable', (network, transformer) => {
  const sealed = tap('sealed', transformer);
  // It ends when the connection does, and nobody waits for it.
  void sealed.readable.pipeTo(network).catch(() => undefined);
  return sealed.writable;
});
