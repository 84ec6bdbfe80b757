import { describe, expect, it } from 'vitest';
import { joined, Play, someone } from './samples.ts';

describe('joining', () => {
  it('derives the keys before it asks the server for anything', () => {
    const play = new Play().on({ type: 'join_asked', name: 'Ada' });
    expect(play.state.phase).toEqual({ type: 'unlocking', fraction: null });
    expect(play.kinds()).toEqual(['unlock']);
    play.on({ type: 'unlocked' });
    expect(play.kinds()).toEqual(['connect']);
    play.on({ type: 'opened', attempt: play.state.attempt });
    expect(play.kinds()).toEqual(['hello']);
  });

  it('shows how far the keys are', () => {
    const play = new Play().on({ type: 'join_asked', name: 'Ada' }).opens({ type: 'unlock_progress', fraction: 0.5 });
    expect(play.state.phase).toEqual({ type: 'unlocking', fraction: 0.5 });
  });

  it('makes new keys for the seat, opens the others, says what is sent, and answers, in this order', () => {
    const play = new Play().on({ type: 'own_media', media: { microphone: 'on', camera: 'off' } });
    play.enters(someone(3), someone(4, { sealed: null }));
    expect(play.effects).toEqual([
      { type: 'enter', seat: 0, name: 'Ada' },
      { type: 'open_announcement', seat: 3, sealed: 'AAAA' },
      { type: 'send', message: { type: 'media', microphone: 'on', camera: 'off' } },
      { type: 'negotiate', negotiation: 1, offer: 'K7My4OUCAA' },
    ]);
    expect(play.state.members.map(({ seat }) => seat)).toEqual([3, 4]);
  });

  it('sends the sealed announcement and the answer when they are ready', () => {
    const play = new Play().enters();
    const { attempt } = play.state;
    play.on({ type: 'sealed', attempt, sealed: 'BBBB' });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'announce', sealed: 'BBBB' } }]);
    play.on({ type: 'answered', attempt, negotiation: 1, sdp: 'v=0' });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'answer', negotiation: 1, sdp: 'v=0' } }]);
  });

  it.each([
    ['refused', true, { type: 'wrong_password' }],
    ['refused', false, { type: 'ended_or_incomplete' }],
    ['room_full', false, { type: 'full' }],
    ['server_full', false, { type: 'server_full' }],
    ['version_unsupported', false, { type: 'version' }],
    ['out_of_order', false, { type: 'unexpected', detail: 'out_of_order' }],
  ] as const)('that is answered %s (password: %s) goes back outside with the reason', (code, hasPassword, problem) => {
    const play = new Play({ hasPassword }).asks().fails(code);
    expect(play.state.phase).toEqual({ type: 'outside', problem });
    expect(play.kinds()).toEqual(['disconnect']);
    play.closes();
    expect(play.state.phase).toEqual({ type: 'outside', problem });
  });

  it('says how long to wait after too many tries, in whole seconds', () => {
    const play = new Play().asks().fails('rate_limited', 2_100);
    expect(play.state.phase).toEqual({ type: 'outside', problem: { type: 'rate_limited', seconds: 3 } });
  });

  it('can be tried again with another password', () => {
    const play = new Play({ hasPassword: true }).asks().fails('refused').enters();
    expect(play.state.phase.type).toBe('inside');
  });

  it('finds no server', () => {
    const play = new Play().asks().closes();
    expect(play.state.phase).toEqual({ type: 'outside', problem: { type: 'server_unreachable' } });
  });

  it('can be given up while the keys are derived, and their end changes nothing then', () => {
    const play = new Play().on({ type: 'join_asked', name: 'Ada' }).on({ type: 'leave_asked' }).on({ type: 'unlocked' });
    expect(play.state.phase).toEqual({ type: 'outside', problem: null });
    expect(play.effects).toEqual([]);
  });

  it('says so when encryption does not start', () => {
    const play = new Play().on({ type: 'join_asked', name: 'Ada' }).on({ type: 'unlock_failed' });
    expect(play.state.phase).toEqual({ type: 'outside', problem: { type: 'encryption' } });
    expect(play.kinds()).toEqual(['discard_keys']);
  });
});

describe('in the meeting', () => {
  it('a newcomer has no name until its announcement was opened, and is then told of once', () => {
    const play = new Play().talks().hears({ type: 'participant_joined', seat: 1 });
    expect(play.state.members).toMatchObject([{ seat: 1, name: null }]);
    play.hears({ type: 'announced', seat: 1, sealed: 'CCCC' });
    expect(play.effects).toEqual([{ type: 'open_announcement', seat: 1, sealed: 'CCCC' }]);
    play.learns(1, 'Ben');
    expect(play.effects).toEqual([{ type: 'notify', notice: { type: 'came', name: 'Ben' } }]);
    play.learns(1, 'Ben');
    expect(play.effects).toEqual([]);
  });

  it('who was there before is not told of as a newcomer', () => {
    expect(new Play().talks(someone(1)).learns(1, 'Ben').effects).toEqual([]);
  });

  it('an announcement of a seat where nobody sits is not opened', () => {
    expect(new Play().talks().hears({ type: 'announced', seat: 9, sealed: 'CCCC' }).effects).toEqual([]);
  });

  it('a name that was opened is not undone by bytes that do not open', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.opens({ type: 'announcement_refused', seat: 1, reason: 'unreadable' });
    expect(play.state.members).toMatchObject([{ name: 'Ben', refusal: null }]);
  });

  it('an announcement that opens makes up for one that did not', () => {
    const play = new Play().talks(someone(1));
    play.opens({ type: 'announcement_refused', seat: 1, reason: 'unreadable' });
    expect(play.state.members).toMatchObject([{ refusal: 'unreadable' }]);
    expect(play.learns(1, 'Ben').state.members).toMatchObject([{ name: 'Ben', refusal: null }]);
  });

  it('who leaves takes keys, slots and name along', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.slot('v0', { owner: { seat: 1, track: 1, kind: 'camera' }, state: 'encrypted' });
    play.hears({ type: 'participant_left', seat: 1 });
    expect(play.state.members).toEqual([]);
    expect(play.state.slots.get('v0')).toMatchObject({ owner: null, state: 'waiting' });
    expect(play.effects).toEqual([
      { type: 'forget', seat: 1 },
      { type: 'notify', notice: { type: 'went', name: 'Ben' } },
    ]);
  });

  it('the server hears of a switched microphone or camera once', () => {
    const play = new Play().talks().on({ type: 'own_media', media: { microphone: 'off', camera: 'on' } });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'media', microphone: 'off', camera: 'on' } }]);
    play.on({ type: 'own_media', media: { microphone: 'off', camera: 'on' } });
    expect(play.effects).toEqual([]);
  });

  it('what a connection before this one still delivers is ignored', () => {
    const play = new Play().talks(someone(1));
    const { attempt } = play.state;
    play.closes();
    const before = play.state;
    for (const late of [
      { type: 'message', attempt, message: joined([someone(2)]) },
      { type: 'answered', attempt, negotiation: 1, sdp: 'v=0' },
      { type: 'path', attempt, path: 'unreachable' },
      { type: 'closed', attempt },
    ] as const) {
      play.on(late);
      expect(play.state).toBe(before);
      expect(play.effects).toEqual([]);
    }
  });

  it('leaving says so, and lets go of connection, media and keys of the others', () => {
    const play = new Play().talks(someone(1)).on({ type: 'leave_asked' });
    expect(play.state.phase).toEqual({ type: 'over', reason: 'left' });
    expect(play.effects).toEqual([
      { type: 'send', message: { type: 'leave' } },
      { type: 'stop_waiting' },
      { type: 'disconnect' },
      { type: 'close_media' },
      { type: 'forget', seat: 1 },
    ]);
  });
});

describe('a lost connection', () => {
  it('is tried again from scratch, with the keys that are there', () => {
    const play = new Play().talks(someone(1)).closes();
    expect(play.state.phase).toEqual({ type: 'away' });
    expect(play.kinds()).toEqual(['disconnect', 'close_media', 'forget', 'wait']);
    play.on({ type: 'retry_due' });
    expect(play.kinds()).toEqual(['unlock']);
    play.on({ type: 'unlocked' });
    expect(play.state.phase).toEqual({ type: 'away' });
    play.on({ type: 'opened', attempt: play.state.attempt });
    expect(play.kinds()).toEqual(['hello']);
    play.hears(joined([someone(1)], 5));
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, seat: 5 });
    expect(play.effect('notify')).toEqual({ type: 'notify', notice: { type: 'back' } });
  });

  it('shows nobody as encrypted while it lasts', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.slot('v0', { owner: { seat: 1, track: 1, kind: 'camera' }, state: 'encrypted' }).closes();
    expect([...play.state.slots]).toEqual([]);
  });

  it('waits longer each time, two minutes in all, and then ends in words', () => {
    const play = new Play().talks();
    let waited = 0;
    for (let tries = 0; tries < 100 && play.state.phase.type !== 'over'; tries += 1) {
      play.closes();
      waited += play.effect('wait')?.ms ?? 0;
      play.on({ type: 'retry_due' }).on({ type: 'unlocked' });
    }
    expect(play.state.phase).toEqual({ type: 'over', reason: 'lost' });
    expect(waited).toBeGreaterThan(100_000);
    expect(waited).toBeLessThan(150_000);
  });

  it('counts the tries anew once media flows again, and not before', () => {
    const play = new Play().talks().closes().on({ type: 'retry_due' }).on({ type: 'unlocked' });
    play.hears(joined());
    expect(play.state.tries).toBe(1);
    play.on({ type: 'path', attempt: play.state.attempt, path: 'connected' });
    expect(play.state.tries).toBe(0);
  });

  it('to a server that forgot the room is the end of the meeting', () => {
    const play = new Play({ hasPassword: true }).talks().closes().on({ type: 'retry_due' }).on({ type: 'unlocked' });
    play.fails('refused');
    expect(play.state.phase).toEqual({ type: 'over', reason: 'ended' });
  });

  it('waits for its own old seat in a full room', () => {
    const play = new Play().talks().closes().on({ type: 'retry_due' }).on({ type: 'unlocked' }).fails('room_full');
    expect(play.state.phase).toEqual({ type: 'away' });
    expect(play.effect('wait')?.ms).toBe(1_000);
  });

  it('honours the time that the server asks for', () => {
    const play = new Play().talks().fails('server_stopping', 7_000);
    expect(play.effect('wait')?.ms).toBe(7_000);
  });

  it('can be left while it lasts, and the wait then ends', () => {
    const play = new Play().talks().closes().on({ type: 'leave_asked' });
    expect(play.state.phase).toEqual({ type: 'over', reason: 'left' });
    expect(play.kinds()).toContain('stop_waiting');
    expect(play.on({ type: 'retry_due' }).effects).toEqual([]);
  });

  it('of media that never came through ends in words instead of a circle', () => {
    const play = new Play().enters().fails('transport_failed');
    expect(play.state.phase).toEqual({ type: 'over', reason: 'unreachable' });
  });

  it('of media that did come through is tried again', () => {
    expect(new Play().talks().fails('transport_failed').state.phase).toEqual({ type: 'away' });
  });
});

describe('afterwards', () => {
  it('one may come back from the end, without typing the password again', () => {
    const play = new Play({ hasPassword: true }).talks(someone(1)).on({ type: 'leave_asked' });
    play.on({ type: 'rejoin_asked' });
    expect(play.state).toMatchObject({ phase: { type: 'unlocking' }, members: [] });
    play.on({ type: 'unlocked' }).hears(joined());
    expect(play.state.phase).toEqual({ type: 'inside' });
  });

  it('coming back to a meeting that filled up is told at once', () => {
    const play = new Play().talks().on({ type: 'leave_asked' }).on({ type: 'rejoin_asked' }).on({ type: 'unlocked' });
    expect(play.fails('room_full').state.phase).toEqual({ type: 'over', reason: 'full' });
  });

  it('a worker that died takes its keys along, and the page comes back with new ones', () => {
    const play = new Play().talks(someone(1)).opens({ type: 'lost' });
    expect(play.kinds()[0]).toBe('discard_keys');
    expect(play.state.phase).toEqual({ type: 'away' });
    play.on({ type: 'retry_due' });
    expect(play.kinds()).toEqual(['unlock']);
    play.on({ type: 'unlock_failed' });
    expect(play.state.phase).toEqual({ type: 'over', reason: 'encryption' });
  });
});
