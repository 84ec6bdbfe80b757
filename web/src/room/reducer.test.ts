import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../protocol/generated.ts';
import { joined, offer, Play, someone } from './samples.ts';

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
      { type: 'negotiate', transport: 'new', negotiation: 1, offer: 'K7My4OUCAA' },
    ]);
    expect(play.state.members.map(({ seat }) => seat)).toEqual([3, 4]);
  });

  it('sends the sealed announcement and the answer when they are ready', () => {
    const play = new Play().enters();
    const { stay, transport } = play.state;
    play.on({ type: 'sealed', stay, sealed: 'BBBB' });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'announce', sealed: 'BBBB' } }]);
    play.on({ type: 'answered', transport, negotiation: 1, sdp: 'v=0' });
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

  it('what an earlier connection, transport or seat still delivers is ignored', () => {
    const play = new Play().talks(someone(1));
    const { attempt, transport, stay } = play.state;
    play.closes().reconnects().fails('resume_refused');
    const before = play.state;
    for (const late of [
      { type: 'message', attempt, message: joined([someone(2)]) },
      { type: 'sealed', stay, sealed: 'BBBB' },
      { type: 'answered', transport, negotiation: 1, sdp: 'v=0' },
      { type: 'negotiation_failed', transport },
      { type: 'path', transport, path: 'unreachable' },
      { type: 'steady', attempt },
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

describe('another offer', () => {
  const SLOTS = [{ mid: 'v9', seat: 1, source: 'camera' }] as const;

  it('that adds slots is answered on the connection that is there, and changes nothing else', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.slot('v0', { owner: { seat: 1, track: 1, kind: 'camera' }, state: 'encrypted' });
    const before = play.state;
    play.hears(offer('kept', { slots: [...SLOTS] }));
    expect(play.effects).toEqual([{ type: 'negotiate', transport: 'kept', negotiation: 2, offer: 'OFFER' }]);
    expect(play.state).toMatchObject({ path: 'connected', transport: before.transport });
    expect(play.state.members).toBe(before.members);
    expect(play.state.slots.get('v0')).toBe(before.slots.get('v0'));
    expect(play.state.slots.get('v9')?.hint).toEqual({ seat: 1, source: 'camera' });
    play.on({ type: 'answered', transport: before.transport, negotiation: 2, sdp: 'v=0' });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'answer', negotiation: 2, sdp: 'v=0' } }]);
  });

  it('of a new transport keeps seat, keys and people, and begins every slot anew', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.slot('v0', { owner: { seat: 1, track: 1, kind: 'camera' }, state: 'encrypted' }).path('interrupted');
    const { members, transport, seat, token } = play.state;
    play.hears(offer('new', { slots: [{ mid: 'v0', seat: 1, source: 'camera' }] }));
    expect(play.effects).toEqual([{ type: 'negotiate', transport: 'new', negotiation: 2, offer: 'OFFER' }]);
    expect(play.state).toMatchObject({ seat, token, path: 'connecting', hadPath: true });
    expect(play.state.members).toBe(members);
    expect(play.state.slots.get('v0')).toMatchObject({ owner: null, state: 'waiting', changes: 0 });
    play.on({ type: 'answered', transport, negotiation: 1, sdp: 'of the old one' });
    expect(play.effects).toEqual([]);
  });

  it('that this browser cannot answer leads to a fresh start where media flowed, and else ends in words', () => {
    const flowed = new Play().talks().hears(offer('kept'));
    flowed.on({ type: 'negotiation_failed', transport: flowed.state.transport });
    expect(flowed.state.phase).toEqual({ type: 'away' });
    const never = new Play().enters();
    never.on({ type: 'negotiation_failed', transport: never.state.transport });
    expect(never.state.phase).toEqual({ type: 'over', reason: 'unreachable' });
  });

  it('comes only to whoever is inside', () => {
    expect(new Play().asks().hears(offer('new')).effects).toEqual([]);
  });
});

describe('what the server says of others and of itself', () => {
  it('somebody is away and comes back, and stays the same member', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    play.hears({ type: 'presence', seat: 1, presence: 'away' });
    expect(play.state.members).toMatchObject([{ name: 'Ben', presence: 'away' }]);
    play.hears({ type: 'presence', seat: 1, presence: 'here' });
    expect(play.state.members).toMatchObject([{ name: 'Ben', presence: 'here' }]);
  });

  it('it stops after a while, and the call goes on until then', () => {
    const play = new Play().talks(someone(1)).hears({ type: 'stopping', deadline_ms: 60_000 });
    expect(play.state).toMatchObject({ phase: { type: 'inside' }, stopping: { deadlineMs: 60_000 } });
    expect(play.effects).toEqual([]);
  });

  it('it takes media over TCP at a few places, and more are not looked at', () => {
    const many = Array.from({ length: 40 }, (_, index) => `candidate:${index}`);
    const play = new Play().asks().hears({ ...joinedSample(), tcp_candidates: many });
    expect(play.state.tcpCandidates).toEqual(many.slice(0, 8));
  });
});

function joinedSample(): Extract<ServerMessage, { type: 'joined' }> {
  const sample = joined();
  if (sample.type !== 'joined') throw new Error('the sample is another message');
  return sample;
}
