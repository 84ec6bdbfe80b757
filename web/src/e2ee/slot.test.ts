import { describe, expect, it } from 'vitest';
import type { Stream } from './keyring.ts';
import { FAILURES_BEFORE_SHOWN, ORDER_FRAMES_MAX, ORDER_SILENCE_MS_MAX } from './limits.ts';
import type { TrackKind } from './messages.ts';
import { Slot, type OpenedFrame } from './slot.ts';

describe('owner', () => {
  it('nobody owns a slot before a frame opened', () => {
    expect(new Slot('video').view).toEqual({ owner: null, state: 'waiting', reason: null, since: null });
  });

  it('the first key frame makes a video slot its sender’s', () => {
    const slot = new Slot('video');
    expect(slot.admit(video(ada, 4, 900, 'delta'), 0)).toBe('waiting_for_key_frame');
    expect(slot.admit(video(ada, 5, 900, 'key'), 1)).toBeNull();
    const owner = { seat: 1, track: 1, kind: 'camera' };
    expect(slot.view).toEqual({ owner, state: 'encrypted', reason: null, since: 900 });
    expect(slot.admit(video(ada, 6, 901, 'delta'), 2)).toBeNull();
  });

  it('frames of another are dropped until a key frame of that one opens', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 0, 0, 'key'), 0);
    expect(slot.admit(video(ben, 0, 10, 'delta'), 600)).toBe('waiting_for_key_frame');
    expect(slot.view.owner?.seat).toBe(1);
    expect(slot.admit(video(ben, 1, 20, 'key'), 601)).toBeNull();
    expect(slot.view).toMatchObject({ owner: { seat: 2 }, since: 20 });
    expect(slot.admit(video(ada, 1, 30, 'delta'), 2_000)).toBe('waiting_for_key_frame');
  });

  it('another track of the same member is another owner', () => {
    const slot = new Slot('video');
    const second: Stream = { ...ada, track: 2 };
    slot.admit(video(ada, 0, 0, 'key'), 0);
    expect(slot.admit(video(second, 0, 10, 'delta'), 600)).toBe('waiting_for_key_frame');
  });

  it('an audio slot follows its last frame', () => {
    const slot = new Slot('audio');
    expect(slot.admit(audio(adaVoice, 0, 0), 0)).toBeNull();
    expect(slot.admit(audio(benVoice, 0, 960), 500)).toBeNull();
    expect(slot.view.owner).toEqual({ seat: 2, track: 0, kind: 'microphone' });
  });

  it('a second change within 500 ms is dropped', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 0, 0, 'key'), 0);
    expect(slot.admit(video(ben, 0, 10, 'key'), 499)).toBe('changed_too_soon');
    expect(slot.view.owner?.seat).toBe(1);
    expect(slot.admit(video(ben, 1, 20, 'key'), 500)).toBeNull();
    expect(slot.admit(video(ada, 1, 30, 'key'), 999)).toBe('changed_too_soon');
  });

  it('a microphone never owns a video slot, nor a camera an audio slot', () => {
    expect(new Slot('video').admit(video(adaVoice, 0, 0, 'key'), 0)).toBe('wrong_kind');
    expect(new Slot('audio').admit(audio(ada, 0, 0), 0)).toBe('wrong_kind');
  });

  it('a released slot is nobody’s and blank again', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 0, 0), 0);
    slot.release();
    expect(slot.view).toEqual({ owner: null, state: 'waiting', reason: null, since: null });
  });
});

describe('order', () => {
  it('audio timestamps rise with the counter', () => {
    const slot = new Slot('audio');
    expect(slot.admit(audio(adaVoice, 10, 960), 0)).toBeNull();
    expect(slot.admit(audio(adaVoice, 11, 960), 0)).toBe('reordered');
    expect(slot.admit(audio(adaVoice, 12, 959), 0)).toBe('reordered');
    expect(slot.admit(audio(adaVoice, 13, 961), 0)).toBeNull();
  });

  it('a late audio frame fits between its neighbours or not at all', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 10, 1_000), 0);
    slot.admit(audio(adaVoice, 14, 5_000), 0);
    expect(slot.admit(audio(adaVoice, 12, 3_000), 0)).toBeNull();
    expect(slot.admit(audio(adaVoice, 13, 2_000), 0)).toBe('reordered');
    expect(slot.admit(audio(adaVoice, 11, 3_500), 0)).toBe('reordered');
    expect(slot.admit(audio(adaVoice, 13, 4_000), 0)).toBeNull();
  });

  it('layers of one picture share a timestamp, and video never goes back', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 0, 3_000, 'key'), 0);
    expect(slot.admit(video(ada, 1, 3_000, 'delta'), 0)).toBeNull();
    expect(slot.admit(video(ada, 2, 2_999, 'delta'), 0)).toBe('reordered');
    expect(slot.admit(video(ada, 3, 6_000, 'delta'), 0)).toBeNull();
  });

  it('a slot that changes its layer may begin at another layer of the picture that it showed last', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 98, 700, 'key'), 0);
    slot.admit(video(ada, 101, 1_000, 'delta'), 0);
    expect(slot.admit(video(ada, 100, 1_003, 'key'), 0)).toBeNull();
    expect(slot.admit(video(ada, 103, 4_003, 'delta'), 0)).toBeNull();
  });

  it('only a key frame may, and only of that picture', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 90, 700, 'key'), 0);
    slot.admit(video(ada, 101, 1_000, 'delta'), 0);
    expect(slot.admit(video(ada, 100, 1_003, 'delta'), 0)).toBe('reordered');
    expect(slot.admit(video(ada, 98, 1_003, 'key'), 0)).toBe('reordered');
    expect(slot.admit(video(ada, 104, 999, 'key'), 0)).toBe('reordered');
  });

  it('timestamps wrap', () => {
    const slot = new Slot('video');
    slot.admit(video(ada, 0, 2 ** 32 - 1, 'key'), 0);
    expect(slot.admit(video(ada, 1, 5, 'delta'), 0)).toBeNull();
    expect(slot.admit(video(ada, 2, 2 ** 32 - 1, 'delta'), 0)).toBe('reordered');
  });

  it('a new binding starts above the highest counter of the key', () => {
    const slot = new Slot('audio');
    expect(slot.admit({ ...audio(adaVoice, 7, 1_000), highest: 9n }, 0)).toBe('reordered');
    expect(slot.view.owner).toBeNull();
    expect(slot.admit({ ...audio(adaVoice, 10, 1_000), highest: 9n }, 0)).toBeNull();
    expect(slot.admit({ ...audio(adaVoice, 8, 500), highest: 10n }, 0)).toBe('reordered');
  });

  it('a frame from before all that is remembered is dropped', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 0, 0), 0);
    slot.admit(audio(adaVoice, 2, 200), 0);
    for (let counter = 3; counter <= ORDER_FRAMES_MAX + 2; counter += 1) {
      expect(slot.admit(audio(adaVoice, counter, counter * 100), 0)).toBeNull();
    }
    expect(slot.admit(audio(adaVoice, 1, 100), 0)).toBe('reordered');
  });

  it('after hours of silence the timestamp may be anything, the counter not', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 5, 1_000), 0);
    const later = ORDER_SILENCE_MS_MAX + 1;
    expect(slot.admit(audio(adaVoice, 4, 900), later)).toBe('reordered');
    expect(slot.admit(audio(adaVoice, 6, 10), later)).toBeNull();
  });
});

describe('state', () => {
  it('a failure is shown at once while nothing was opened', () => {
    const slot = new Slot('audio');
    slot.refuse('waiting_for_key');
    expect(slot.view).toMatchObject({ state: 'waiting', reason: 'waiting_for_key' });
    slot.refuse('tampered');
    expect(slot.view).toMatchObject({ state: 'failed', reason: 'tampered' });
  });

  it('junk between good frames makes no slot flicker', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 0, 0), 0);
    for (let counter = 1; counter < 5; counter += 1) {
      for (let junk = 1; junk < FAILURES_BEFORE_SHOWN; junk += 1) slot.refuse('tampered');
      expect(slot.view.state).toBe('encrypted');
      slot.admit(audio(adaVoice, counter, counter), 0);
    }
  });

  it('a slot that worked says so when only failures come, and recovers with the next good frame', () => {
    const slot = new Slot('audio');
    slot.admit(audio(adaVoice, 0, 0), 0);
    for (let junk = 0; junk < FAILURES_BEFORE_SHOWN; junk += 1) slot.refuse('tampered');
    expect(slot.view).toMatchObject({ owner: { seat: 1 }, state: 'failed', reason: 'tampered' });
    slot.admit(audio(adaVoice, 1, 1), 0);
    expect(slot.view).toMatchObject({ state: 'encrypted', reason: null });
  });

  it('duplicates and empty frames are passed over in silence', () => {
    const slot = new Slot('audio');
    for (let round = 0; round < 100; round += 1) {
      slot.refuse('duplicate');
      slot.refuse('empty');
    }
    expect(slot.view).toMatchObject({ state: 'waiting', reason: null });
  });
});

const ada = stream(1, 1, 'camera');
const ben = stream(2, 1, 'camera');
const adaVoice = stream(1, 0, 'microphone');
const benVoice = stream(2, 0, 'microphone');

function stream(seat: number, track: number, kind: TrackKind): Stream {
  return { member: String(seat), seat, track, kind, isOver: false };
}

function video(of: Stream, counter: number, timestamp: number, kind: 'key' | 'delta'): OpenedFrame {
  const highest = counter === 0 ? null : BigInt(counter - 1);
  return { stream: of, counter: BigInt(counter), highest, timestamp, isKeyFrame: kind === 'key' };
}

function audio(of: Stream, counter: number, timestamp: number): OpenedFrame {
  return video(of, counter, timestamp, 'key');
}
