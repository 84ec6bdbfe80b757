import { describe, expect, it } from 'vitest';
import { joined, offer, Play, resumed, ROOM, someone } from './samples.ts';

const TOKEN = 'A'.repeat(43);
const CAMERA = { seat: 1, track: 1, kind: 'camera' } as const;

describe('a broken connection to the server', () => {
  it('touches no media, says no goodbye, and is made anew at once', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').slot('v0', { owner: CAMERA, state: 'encrypted' });
    const { members, slots } = play.state;
    play.closes();
    expect(play.effects).toEqual([{ type: 'abandon' }, { type: 'wait', ms: 0 }]);
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, link: 'restoring', path: 'connected', seat: 0 });
    expect(play.state.members).toBe(members);
    expect(play.state.slots).toBe(slots);
    expect(play.on({ type: 'retry_due' }).kinds()).toEqual(['connect']);
    play.on({ type: 'opened', attempt: play.state.attempt });
    expect(play.effects).toEqual([
      { type: 'send', message: { type: 'resume', version: 1, room: ROOM, token: TOKEN } },
    ]);
  });

  it('that comes back merges what changed, and whoever stayed is the same tile with the same picture', () => {
    const play = new Play().talks(someone(1), someone(2)).learns(1, 'Ben').learns(2, 'Eve');
    play.slot('v0', { owner: CAMERA, state: 'encrypted' }).closes().reconnects();
    const slots = [{ mid: 'v1', seat: 3, source: 'camera' }] as const;
    play.hears(resumed([someone(1), someone(3)], { slots: [...slots] }));
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, link: 'open', path: 'connected' });
    expect(play.state.members).toMatchObject([
      { seat: 1, name: 'Ben', wasOpened: true },
      // The group decides who is gone.
      { seat: 2, name: 'Eve', presence: 'away' },
      { seat: 3, name: null, isNew: true },
    ]);
    expect(play.state.slots.get('v0')).toMatchObject({ owner: CAMERA, state: 'encrypted' });
    expect(play.state.slots.get('v1')?.hint).toEqual({ seat: 3, source: 'camera' });
    expect(play.effects).toEqual([
      { type: 'close_abandoned' },
      { type: 'enter' },
    ]);
  });

  it('says again who one is and what one sends, which may have been lost in it', () => {
    const play = new Play().enters().closes();
    const { transport } = play.state;
    play.on({ type: 'own_media', media: { microphone: 'on', camera: 'off' } });
    play.on({ type: 'answered', transport, negotiation: 1, sdp: 'v=0' });
    expect(play.effects).toEqual([]);
    play.reconnects().hears(resumed());
    expect(play.effects).toEqual([{ type: 'close_abandoned' }, { type: 'enter' }]);
  });

  it('whose transport is gone waits for the offer of a new one', () => {
    const play = new Play().talks().closes().reconnects().hears(resumed([], { transport: 'closed' }));
    expect(play.state).toMatchObject({ link: 'open', path: 'interrupted' });
    expect(play.hears(offer('new')).effect('negotiate')).toMatchObject({ transport: 'new' });
  });

  it('of which the server says that it was silent is restored, because the seat is held', () => {
    const play = new Play().talks().fails('too_slow');
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, link: 'restoring' });
  });

  it('hears nothing but the answer to its question', () => {
    const play = new Play().talks(someone(1)).closes().reconnects();
    const before = play.state;
    play.hears({ type: 'participant_left', seat: 1 });
    expect(play.state).toBe(before);
  });

  it('says that one is back only where the break lasted', () => {
    const short = new Play().talks().closes().reconnects().hears(resumed());
    expect(short.effect('notify')).toBeUndefined();
    const long = new Play().talks().closes().on({ type: 'retry_due' }).closes().reconnects().hears(resumed());
    expect(long.effect('notify')).toEqual({ type: 'notify', notice: { type: 'back', cause: 'lost' } });
  });

  it('waits longer each time, two minutes in all, and then ends in words', () => {
    const play = new Play().talks();
    let waited = 0;
    for (let tries = 0; tries < 100 && play.state.phase.type !== 'over'; tries += 1) {
      play.closes();
      waited += play.effect('wait')?.ms ?? 0;
      play.on({ type: 'retry_due' });
    }
    expect(play.state.phase).toEqual({ type: 'over', reason: 'lost' });
    expect(waited).toBeGreaterThan(100_000);
    expect(waited).toBeLessThan(150_000);
  });

  it('that breaks again and again as soon as it is there runs out of tries', () => {
    const play = new Play().talks();
    for (let round = 0; round < 100 && play.state.phase.type === 'inside'; round += 1) {
      play.closes().reconnects().hears(resumed());
    }
    expect(play.state.phase).toEqual({ type: 'over', reason: 'lost' });
  });

  it('counts tries anew once it has lived for a while with media, and not before', () => {
    const play = new Play().talks().closes().reconnects().hears(resumed());
    play.path('interrupted').on({ type: 'steady', attempt: play.state.attempt });
    expect(play.state.tries).toBe(1);
    play.path('connected').on({ type: 'steady', attempt: play.state.attempt });
    expect(play.state.tries).toBe(0);
  });

  it.each(['server_stopping', 'rate_limited', 'server_full'] as const)('to a server that says %s is tried again', (code) => {
    const play = new Play().talks().closes().reconnects().fails(code, 7_000);
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, link: 'restoring' });
    expect(play.effect('wait')?.ms).toBe(7_000);
  });

  it('to a server of another version ends in words', () => {
    const play = new Play().talks().closes().reconnects().fails('version_unsupported');
    expect(play.state.phase).toEqual({ type: 'over', reason: 'refused' });
  });

  it('that gives somebody else’s seat back is not believed', () => {
    const play = new Play().talks().closes().reconnects().hears(resumed([], { seat: 7 }));
    expect(play.state.phase).toEqual({ type: 'away' });
  });

  it('can be left while it lasts, and the wait then ends', () => {
    const play = new Play().talks().closes().on({ type: 'leave_asked' });
    expect(play.state.phase).toEqual({ type: 'over', reason: 'left' });
    expect(play.kinds()).toContain('stop_waiting');
    expect(play.on({ type: 'retry_due' }).effects).toEqual([]);
  });
});

describe('a seat that is not held any more', () => {
  it('is left for a new one at once, and that is said', () => {
    const play = new Play().talks(someone(1)).closes().on({ type: 'retry_due' }).closes().reconnects();
    play.fails('resume_refused');
    expect(play.state).toMatchObject({ phase: { type: 'away' }, seat: null, token: null });
    expect(play.effects).toEqual([
      { type: 'disconnect' },
      { type: 'close_media' },
      { type: 'wait', ms: 0 },
    ]);
    expect(play.reconnects().kinds()).toEqual(['hello']);
    play.hears(joined([someone(1)], 5));
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, seat: 5 });
    expect(play.effect('enter')).toBeDefined();
    expect(play.effect('notify')).toEqual({ type: 'notify', notice: { type: 'back', cause: 'seat_lost' } });
  });

  it('of a server that refuses every return runs out of tries', () => {
    const play = new Play().talks();
    for (let round = 0; round < 100 && play.state.phase.type !== 'over'; round += 1) {
      play.closes().reconnects().fails('resume_refused').reconnects().hears(joined());
    }
    expect(play.state.phase).toEqual({ type: 'over', reason: 'lost' });
  });

  it('in a room that filled up meanwhile is waited for', () => {
    const play = new Play().talks().closes().reconnects().fails('resume_refused').reconnects().fails('room_full');
    expect(play.state.phase).toEqual({ type: 'away' });
  });
});

describe('a server that stopped', () => {
  it('is waited for', () => {
    const play = new Play().talks().hears({ type: 'stopping', deadline_ms: 1 }).fails('server_stopping', 7_000);
    expect(play.state).toMatchObject({ phase: { type: 'away' }, cause: 'stopped', stopping: null });
    expect(play.effect('wait')?.ms).toBe(7_000);
    expect(play.reconnects().closes().state.cause).toBe('stopped');
  });

  it('and forgot the room ends the meeting in words that say so', () => {
    const play = new Play({ hasPassword: true }).talks().fails('server_stopping').reconnects().fails('refused');
    expect(play.state.phase).toEqual({ type: 'over', reason: 'forgotten' });
    const killed = new Play().talks().closes().reconnects().fails('resume_refused').reconnects().fails('refused');
    expect(killed.state.phase).toEqual({ type: 'over', reason: 'forgotten' });
  });

  it('lets whoever asks first make the room again, with the keys that are there', () => {
    const play = forgotten().on({ type: 'restart_asked' });
    expect(play.kinds().slice(0, 1)).toEqual(['stop_waiting']);
    expect(play.kinds().at(-1)).toBe('unlock');
    play.on({ type: 'unlocked' }).on({ type: 'opened', attempt: play.state.attempt });
    expect(play.kinds()).toEqual(['create']);
    expect(play.hears({ type: 'created', room: ROOM }).kinds()).toEqual(['hello']);
    expect(play.hears(joined()).state).toMatchObject({ phase: { type: 'inside' }, isRestarting: false });
  });

  it('lets everybody else in behind the one who was faster', () => {
    const play = forgotten().on({ type: 'restart_asked' }).on({ type: 'unlocked' });
    play.on({ type: 'opened', attempt: play.state.attempt }).fails('room_exists');
    expect(play.kinds()).toEqual(['connect']);
    play.on({ type: 'opened', attempt: play.state.attempt });
    expect(play.kinds()).toEqual(['hello']);
    expect(play.hears(joined([someone(0)], 1)).state.phase).toEqual({ type: 'inside' });
  });

  it('is asked to make the room again only where it is over', () => {
    expect(new Play().talks().on({ type: 'restart_asked' }).effects).toEqual([]);
  });
});

describe('a hint of the browser', () => {
  it('makes the page ask for a sign of life where all seems well', () => {
    expect(new Play().talks().on({ type: 'woke' }).effects).toEqual([{ type: 'check' }]);
  });

  it('makes the page try at once where it waits', () => {
    const play = new Play().talks().closes().on({ type: 'retry_due' }).closes().on({ type: 'woke' });
    expect(play.kinds()).toEqual(['stop_waiting', 'connect']);
    const away = new Play().talks().fails('rate_limited').on({ type: 'woke' });
    expect(away.kinds()).toEqual(['stop_waiting', 'unlock']);
  });

  it('means nothing before joining and after the end', () => {
    expect(new Play().on({ type: 'woke' }).effects).toEqual([]);
    expect(new Play().talks().on({ type: 'leave_asked' }).on({ type: 'woke' }).effects).toEqual([]);
  });

  it('that media is interrupted makes it doubt the other connection too', () => {
    expect(new Play().talks().path('interrupted').effects).toEqual([{ type: 'check' }]);
  });

  it('that there is no network keeps the tries for later', () => {
    const play = new Play().talks().on({ type: 'online', isOnline: false });
    for (let tries = 0; tries < 100; tries += 1) play.closes().on({ type: 'retry_due' });
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, link: 'restoring', isOnline: false });
    play.closes().on({ type: 'online', isOnline: true });
    expect(play.kinds()).toEqual(['stop_waiting', 'connect']);
    expect(play.state.tries).toBeLessThanOrEqual(1);
  });
});

describe('media that ends', () => {
  it('before it ever came through ends in words instead of a circle', () => {
    const play = new Play().enters().fails('transport_failed');
    expect(play.state.phase).toEqual({ type: 'over', reason: 'unreachable' });
  });

  it('after it came through is tried again', () => {
    expect(new Play().talks().fails('transport_failed').state.phase).toEqual({ type: 'away' });
  });
});

/** A page that was inside when the server was killed, and has found the new one. */
function forgotten(): Play {
  return new Play().talks(someone(1)).closes().reconnects().fails('resume_refused').reconnects().fails('refused');
}
