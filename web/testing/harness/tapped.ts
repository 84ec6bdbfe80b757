// What a tapped page recorded: every frame as it left the encoder, and as it left the encryption.
import type { Page } from 'playwright-core';

/** One encoded frame, as it came from the encoder or as it went on to be sent. */
export interface TappedFrame<Bytes extends Uint8Array = Buffer> {
  readonly stage: 'plain' | 'sealed';
  readonly kind: 'audio' | 'video';
  readonly bytes: Bytes;
}

declare global {
  /** What a tapped page keeps. */
  var tapped: TappedFrame<Uint8Array>[];
}

/** Reads what a tapped page has recorded so far. */
export async function tappedFrames(page: Page): Promise<TappedFrame[]> {
  const recorded = await page.evaluate(() => {
    return globalThis.tapped.map(({ stage, kind, bytes }) => {
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return { stage, kind, base64: btoa(text) };
    });
  });
  return recorded.map(({ stage, kind, base64 }) => ({ stage, kind, bytes: Buffer.from(base64, 'base64') }));
}

/** The bytes of the frames of one stage, and of one kind when it is given. */
export function framesOf(
  frames: readonly TappedFrame[],
  stage: TappedFrame['stage'],
  kind: TappedFrame['kind'] | null = null,
): Buffer[] {
  return frames.filter((one) => one.stage === stage && (kind === null || one.kind === kind)).map((one) => one.bytes);
}
