import { describe, expect, it } from 'vitest';
import { offer, Play, someone } from './samples.ts';
import { tiles } from './view.ts';

const CAMERA = { seat: 1, track: 1, kind: 'camera' } as const;
const MICROPHONE = { seat: 1, track: 0, kind: 'microphone' } as const;

describe('a tile', () => {
  it('has no name and waits while nothing was opened, whatever the server says', () => {
    const play = new Play().talks(someone(1));
    play.hears({ type: 'slots', slots: [{ mid: 'v0', seat: 1, source: 'camera' }] });
    expect(tiles(play.state)).toMatchObject([
      { name: null, e2ee: 'waiting', reason: 'announcement_awaited', picture: null },
    ]);
  });

  it('with a name shows no picture before a frame was opened', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.hears({ type: 'slots', slots: [{ mid: 'v0', seat: 1, source: 'camera' }] });
    expect(tiles(play.state)).toMatchObject([{ name: 'Ben', e2ee: 'waiting', reason: 'media_awaited', picture: null }]);
  });

  it('is encrypted once frames were opened, of sound or of picture', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.slot('a0', { owner: MICROPHONE, state: 'encrypted' });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'encrypted', reason: null, sound: 'a0', picture: null }]);
    play.slot('v0', { owner: CAMERA, state: 'encrypted', since: 9 });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'encrypted', picture: { mid: 'v0' } }]);
  });

  it('follows the key, not the server', () => {
    const play = new Play().talks(someone(1), someone(2)).learns(1, 'Ben').learns(2, 'Eve');
    play.hears({ type: 'slots', slots: [{ mid: 'v0', seat: 2, source: 'camera' }] });
    play.slot('v0', { owner: CAMERA, state: 'encrypted' });
    const [ben, eve] = tiles(play.state);
    expect(ben).toMatchObject({ name: 'Ben', e2ee: 'encrypted', picture: { mid: 'v0' } });
    expect(eve).toMatchObject({ name: 'Eve', e2ee: 'waiting', picture: null });
  });

  it('covers a slot that changed hands until the first frame of its new owner', () => {
    const play = new Play().talks(someone(1), someone(2));
    play.slot('v0', { owner: CAMERA, state: 'encrypted', since: 100 });
    expect(tiles(play.state)[0]?.picture).toMatchObject({ since: null });
    play.slot('v0', { owner: { ...CAMERA, seat: 2 }, state: 'encrypted', since: 900 });
    expect(tiles(play.state)[0]?.picture).toBeNull();
    expect(tiles(play.state)[1]?.picture).toMatchObject({ mid: 'v0', since: 900 });
  });

  it('of somebody whose frames stop to open has failed, and shows no picture', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('v0', { owner: CAMERA, state: 'encrypted' });
    play.slot('v0', { owner: CAMERA, state: 'failed', reason: 'tampered' });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'failed', reason: 'tampered', picture: null }]);
  });

  it('of frames that nobody announced a key for has failed where the server says that they belong', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.hears({ type: 'slots', slots: [{ mid: 'v0', seat: 1, source: 'camera' }] });
    play.slot('v0', { state: 'failed', reason: 'waiting_for_key' });
    expect(tiles(play.state)).toMatchObject([{ name: 'Ben', e2ee: 'failed', reason: 'waiting_for_key' }]);
  });

  it('whose seat two claim has failed', () => {
    const play = new Play().talks(someone(1)).opens({ type: 'announcement_refused', seat: 1 });
    expect(tiles(play.state)).toMatchObject([{ name: null, e2ee: 'failed', reason: 'disputed' }]);
  });

  it('of somebody without microphone and camera waits for nothing', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben', { microphone: false, camera: false });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'waiting', reason: 'nothing_sent', cameraOn: false }]);
  });

  it('stays encrypted while only the connection to the server is broken', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('a0', { owner: MICROPHONE, state: 'encrypted' });
    expect(tiles(play.closes().state)).toMatchObject([{ name: 'Ben', e2ee: 'encrypted', sound: 'a0' }]);
  });

  it('is encrypted no longer when the seat was lost', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('a0', { owner: MICROPHONE, state: 'encrypted' });
    play.closes().reconnects().fails('resume_refused');
    expect(tiles(play.state)).toMatchObject([{ name: 'Ben', e2ee: 'waiting', reason: 'reconnecting', sound: null }]);
  });

  it('reconnects while media is interrupted, and keeps the picture that it had', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('v0', { owner: CAMERA, state: 'encrypted' });
    play.path('interrupted');
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'waiting', reason: 'reconnecting', picture: { mid: 'v0' } }]);
    play.path('connected');
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'encrypted', reason: null }]);
  });

  it('has no picture on a new connection before a frame was opened there, and is not waited for as if it were new', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('v0', { owner: CAMERA, state: 'encrypted' });
    play.hears(offer('new', { slots: [{ mid: 'v0', seat: 1, source: 'camera' }] })).path('connected');
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'waiting', reason: 'reconnecting', picture: null }]);
    play.slot('v0', { owner: CAMERA, state: 'encrypted', since: 7 });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'encrypted', picture: { mid: 'v0' } }]);
  });

  it('of somebody who is away reconnects, whatever was opened before', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('v0', { owner: CAMERA, state: 'encrypted' });
    play.hears({ type: 'presence', seat: 1, presence: 'away' });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'waiting', reason: 'reconnecting', picture: { mid: 'v0' } }]);
  });

  it('of somebody who is away, whose seat two claim, has failed all the same', () => {
    const play = new Play().talks(someone(1, { presence: 'away' }));
    play.opens({ type: 'announcement_refused', seat: 1 });
    expect(tiles(play.state)).toMatchObject([{ e2ee: 'failed', reason: 'disputed' }]);
  });

  it('of the same name as an earlier one gets a number, and so does one that only looks the same', () => {
    const play = new Play().talks(someone(1), someone(2), someone(3), someone(4));
    play.learns(1, 'Ben').learns(2, 'BEN').learns(3, 'Ｂｅｎ').learns(4, 'Ada');
    expect(tiles(play.state).map(({ name }) => name)).toEqual(['Ben', 'BEN (2)', 'Ｂｅｎ (3)', 'Ada (2)']);
  });

  it('of a name of blanks is as good as unnamed', () => {
    expect(tiles(new Play().talks(someone(1)).learns(1, '  ').state)).toMatchObject([{ name: null }]);
  });
});
