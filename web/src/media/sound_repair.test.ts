import { describe, expect, it } from 'vitest';

import { askForSound } from './sound_repair.ts';

const OFFER = 'm=audio 9 x 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n';
const ANSWER = 'm=audio 9 x 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\nm=video 9 x 100\r\na=rtpmap:100 VP8/90000\r\n';

describe('an answer', () => {
  it('asks for lost sound where the offer allows it, and changes nothing else', () => {
    expect(askForSound(ANSWER, OFFER)).toBe(
      ANSWER.replace('a=rtpmap:111 opus/48000/2\r\n', 'a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n'),
    );
  });

  it('asks on every line for sound', () => {
    expect(askForSound(ANSWER + ANSWER, OFFER).split('nack').length - 1).toBe(2);
  });

  it('stays as it is where the offer does not allow it', () => {
    expect(askForSound(ANSWER, OFFER.replace('nack', 'transport-cc'))).toBe(ANSWER);
  });

  it('does not ask twice', () => {
    const asked = askForSound(ANSWER, OFFER);
    expect(askForSound(asked, OFFER)).toBe(asked);
  });
});
