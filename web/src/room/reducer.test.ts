import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../protocol/generated.ts';
import { joined, offer, Play, someone } from './samples.ts';

describe('joining', () => {
  it('derives the keys before it asks the server for anything', () => {
    const play = new Play().on({ type: 'join_asked', name: 'Ada' });
    expect(play.state.phase).toEqual({ type: 'unlocking' });
    expect(play.kinds()).toEqual(['unlock']);
    play.on({ type: 'unlocked' });
    expect(play.kinds()).toEqual(['connect']);
    play.on({ type: 'opened', attempt: play.state.attempt });
    expect(play.kinds()).toEqual(['hello']);
  });

  it('goes into the group and answers the offer, in this order', () => {
    const play = new Play().on({ type: 'own_media', media: { microphone: 'on', camera: 'off' } });
    play.enters(someone(3), someone(4));
    expect(play.effects).toEqual([
      { type: 'enter' },
      { type: 'negotiate', transport: 'new', negotiation: 1, offer: 'K7My4OUCAA' },
    ]);
    expect(play.state.members.map(({ seat }) => seat)).toEqual([3, 4]);
    const { transport } = play.state;
    play.on({ type: 'answered', transport, negotiation: 1, sdp: 'v=0' });
    expect(play.effects).toEqual([{ type: 'send', message: { type: 'answer', negotiation: 1, sdp: 'v=0' } }]);
  });

  it.each([
    ['refused', true, { type: 'wrong_password' }],
    ['refused', false, { type: 'ended_or_incomplete' }],
    ['room_full', false, { type: 'full' }],
    ['locked', false, { type: 'locked' }],
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
  it('a newcomer has no name until the group says who it is, and is then told of once', () => {
    const play = new Play().talks().hears({ type: 'participant_joined', seat: 1 });
    expect(play.state.members).toMatchObject([{ seat: 1, name: null }]);
    play.learns(1, 'Ben');
    expect(play.effects).toEqual([{ type: 'notify', notice: { type: 'came', name: 'Ben' } }]);
    expect(play.learns(1, 'Ben').effects).toEqual([]);
  });

  it('who was there before is not told of as a newcomer', () => {
    expect(new Play().talks(someone(1)).learns(1, 'Ben').effects).toEqual([]);
  });

  it('a member of the group whom the server does not name is shown all the same', () => {
    const play = new Play().talks().learns(7, 'Ghost');
    expect(play.state.members).toMatchObject([{ seat: 7, name: 'Ghost' }]);
    play.hears({ type: 'participant_left', seat: 7 });
    expect(play.state.members).toMatchObject([{ seat: 7, name: 'Ghost', presence: 'away' }]);
  });

  it('who leaves the group takes slots and name along, and whoever was removed is said to be', () => {
    const play = new Play().talks(someone(1), someone(2)).learns(1, 'Ben').learns(2, 'Eve');
    play.slot('v0', { owner: { seat: 1, track: 1, kind: 'camera' }, state: 'encrypted' });
    play.opens({ type: 'gone', seat: 1, kicked: false });
    expect(play.state.members).toMatchObject([{ seat: 2 }]);
    expect(play.state.slots.get('v0')).toMatchObject({ owner: null, state: 'waiting' });
    expect(play.effects).toEqual([{ type: 'notify', notice: { type: 'went', name: 'Ben' } }]);
    play.opens({ type: 'gone', seat: 2, kicked: true });
    expect(play.effects).toEqual([{ type: 'notify', notice: { type: 'was_removed', name: 'Eve' } }]);
  });

  it('the group hears of a switched microphone or camera once', () => {
    const play = new Play().talks().on({ type: 'own_media', media: { microphone: 'off', camera: 'on' } });
    expect(play.effects).toEqual([{ type: 'announce' }]);
    play.on({ type: 'own_media', media: { microphone: 'off', camera: 'on' } });
    expect(play.effects).toEqual([]);
  });

  it('only the owner removes and locks', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben');
    expect(play.on({ type: 'remove_asked', seat: 1 }).effects).toEqual([]);
    expect(play.on({ type: 'lock_asked', locked: true }).effects).toEqual([]);
    play.opens({ type: 'role', isOwner: true });
    expect(play.on({ type: 'remove_asked', seat: 1 }).effects).toEqual([{ type: 'remove', seat: 1 }]);
    expect(play.on({ type: 'lock_asked', locked: true }).effects).toEqual([{ type: 'lock', locked: true }]);
  });

  it('a lock is said once, and an alarm stands until the end', () => {
    const play = new Play().talks().opens({ type: 'locked', locked: true });
    expect(play.effects).toEqual([{ type: 'notify', notice: { type: 'locked', locked: true } }]);
    expect(play.opens({ type: 'locked', locked: true }).effects).toEqual([]);
    for (const alarm of ['no_psk', 'no_psk', 'withheld']) play.opens({ type: 'alarm', alarm, seat: null });
    expect(play.state.alarms).toEqual(['no_psk', 'withheld']);
  });

  it('whoever is removed hears so, from the group or from the server, and its keys are gone', () => {
    const byGroup = new Play().talks(someone(1)).opens({ type: 'removed' });
    expect(byGroup.state.phase).toEqual({ type: 'over', reason: 'removed' });
    expect(byGroup.kinds()).toContain('discard_keys');
    const byServer = new Play().talks(someone(1)).fails('removed');
    expect(byServer.state.phase).toEqual({ type: 'over', reason: 'removed' });
    expect(byServer.kinds()).toContain('discard_keys');
  });

  it('a member that is not heard for long is marked until it is heard again', () => {
    const play = new Play().talks(someone(1)).learns(1, 'Ben').opens({ type: 'alarm', alarm: 'silent', seat: 1 });
    expect(play.state.members).toMatchObject([{ isSilent: true }]);
    play.opens({ type: 'alarm', alarm: 'heard', seat: 1 });
    expect(play.state.members).toMatchObject([{ isSilent: false }]);
  });

  it('what an earlier connection, transport or seat still delivers is ignored', () => {
    const play = new Play().talks(someone(1));
    const { attempt, transport } = play.state;
    play.closes().reconnects().fails('resume_refused');
    const before = play.state;
    for (const late of [
      { type: 'message', attempt, message: joined([someone(2)]) },
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

  it('leaving says so, and lets go of connection and media', () => {
    const play = new Play().talks(someone(1)).on({ type: 'leave_asked' });
    expect(play.state.phase).toEqual({ type: 'over', reason: 'left' });
    expect(play.effects).toEqual([
      { type: 'send', message: { type: 'leave' } },
      { type: 'stop_waiting' },
      { type: 'disconnect' },
      { type: 'close_media' },
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
