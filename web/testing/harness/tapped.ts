// What a tapped page recorded: every frame as it left the encoder, as it left the encryption, and as it arrived.
import type { WebPage } from './web_page.ts';

/** One encoded frame, as it came from the encoder, as it went on to be sent, or as it arrived. */
export interface TappedFrame<Bytes extends Uint8Array = Buffer> {
  readonly stage: 'plain' | 'sealed' | 'arrived';
  readonly kind: 'audio' | 'video';
  /** The RTP timestamp that the browser shows for it. */
  readonly timestamp: number | null;
  readonly bytes: Bytes;
}

declare global {
  /** What a tapped page keeps. */
  var tapped: TappedFrame<Uint8Array>[];
}

/** Reads what a tapped page has recorded so far. */
export async function tappedFrames(page: WebPage): Promise<TappedFrame[]> {
  const recorded = await page.evaluate(() => {
    return globalThis.tapped.map(({ stage, kind, timestamp, bytes }) => {
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return { stage, kind, timestamp, base64: btoa(text) };
    });
  });
  return recorded.map(({ base64, ...frame }) => ({ ...frame, bytes: Buffer.from(base64, 'base64') }));
}

/** The bytes of the frames of one stage, and of one kind when it is given. */
export function framesOf(
  frames: readonly TappedFrame[],
  stage: TappedFrame['stage'],
  kind: TappedFrame['kind'] | null = null,
): Buffer[] {
  return frames.filter((one) => one.stage === stage && (kind === null || one.kind === kind)).map((one) => one.bytes);
}
