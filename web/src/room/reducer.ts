// The meeting as a function: state and event in, state and effects out.
import type { ErrorMessage, ServerMessage } from '../protocol/generated.ts';
import { announced, joined, mediaChanged, memberCame, memberWent, slotsChanged, sealedEvent } from './members.ts';
import type { JoinProblem, OverReason, Phase, RoomEffect, RoomEvent, RoomState, Step } from './state.ts';

/** Waits before each try to come back, in milliseconds; together about two minutes, as long as a server restarts. */
const RETRY_WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000, ...Array<number>(10).fill(10_000)];

/** What `event` makes of `state`. */
export function reduce(state: RoomState, event: RoomEvent): Step {
  if ('attempt' in event && event.attempt !== state.attempt) return stay(state);
  switch (event.type) {
    case 'join_asked':
      return joinAsked(state, event.name);
    case 'unlocked':
      return state.phase.type === 'unlocking' ? connect(state) : stay(state);
    case 'unlock_failed':
      return unlockFailed(state);
    case 'opened':
      return step(state, { type: 'hello' });
    case 'closed':
      return closed(state);
    case 'message':
      return message(state, event.message);
    case 'sealed':
      return inside(state) ? send(state, { type: 'announce', sealed: event.sealed }) : stay(state);
    case 'answered':
      return inside(state)
        ? send(state, { type: 'answer', negotiation: event.negotiation, sdp: event.sdp })
        : stay(state);
    case 'negotiation_failed':
      return inside(state) ? over(state, 'unreachable') : stay(state);
    case 'path':
      return pathChanged(state, event.path);
    case 'e2ee':
      return e2eeEvent(state, event);
    case 'own_media':
      return ownMedia(state, event.media);
    case 'retry_due':
      return state.phase.type === 'away' ? unlockAgain(state) : stay(state);
    case 'rejoin_asked':
      return rejoinAsked(state);
    case 'leave_asked':
      return leaveAsked(state);
  }
}

function stay(state: RoomState): Step {
  return { state, effects: [] };
}

function step(state: RoomState, ...effects: readonly RoomEffect[]): Step {
  return { state, effects };
}

function send(state: RoomState, said: Extract<RoomEffect, { type: 'send' }>['message']): Step {
  return step(state, { type: 'send', message: said });
}

function inside(state: RoomState): boolean {
  return state.phase.type === 'inside';
}

function into(state: RoomState, phase: Phase): RoomState {
  return { ...state, phase };
}

function joinAsked(state: RoomState, name: string): Step {
  if (state.phase.type !== 'outside') return stay(state);
  return step({ ...state, name, tries: 0, phase: { type: 'unlocking', fraction: null } }, { type: 'unlock' });
}

function connect(state: RoomState): Step {
  const phase: Phase = state.wasInside ? { type: 'away' } : { type: 'entering' };
  return step({ ...state, phase, attempt: state.attempt + 1 }, { type: 'connect' });
}

function unlockAgain(state: RoomState): Step {
  // The keys are derived already unless the worker died; `unlocked` then comes at once.
  return step(into(state, { type: 'unlocking', fraction: null }), { type: 'unlock' });
}

function unlockFailed(state: RoomState): Step {
  if (state.phase.type !== 'unlocking') return stay(state);
  if (state.wasInside) return over(state, 'encryption');
  return step(into(state, { type: 'outside', problem: { type: 'encryption' } }), { type: 'discard_keys' });
}

function rejoinAsked(state: RoomState): Step {
  const { type } = state.phase;
  if (type === 'outside' || type === 'unlocking' || type === 'entering') return stay(state);
  const empty: RoomState = { ...state, members: [], slots: new Map(), path: 'connecting', tries: 0 };
  const again = unlockAgain(empty);
  return step(again.state, { type: 'stop_waiting' }, ...hangUp(state), ...again.effects);
}

function leaveAsked(state: RoomState): Step {
  switch (state.phase.type) {
    case 'outside':
    case 'over':
      return stay(state);
    case 'unlocking':
    case 'entering':
      if (!state.wasInside) return outside(state, null);
      break;
    case 'inside':
    case 'away':
      break;
  }
  return over(state, 'left', { type: 'send', message: { type: 'leave' } });
}

/** Ends it for good; only a new try of the user leads out of it. */
function over(state: RoomState, reason: OverReason, ...first: readonly RoomEffect[]): Step {
  const next = { ...state, attempt: state.attempt + 1, seat: null, phase: { type: 'over', reason } as const };
  return step(next, ...first, { type: 'stop_waiting' }, ...hangUp(state));
}

function outside(state: RoomState, problem: JoinProblem | null): Step {
  const next = { ...state, attempt: state.attempt + 1, phase: { type: 'outside', problem } as const };
  return step(next, { type: 'disconnect' });
}

/** Lets go of connection, media and the others' keys. */
function hangUp(state: RoomState): readonly RoomEffect[] {
  const forget = state.members.map(({ seat }): RoomEffect => ({ type: 'forget', seat }));
  return [{ type: 'disconnect' }, { type: 'close_media' }, ...forget];
}

function closed(state: RoomState): Step {
  switch (state.phase.type) {
    case 'entering':
      return outside(state, { type: 'server_unreachable' });
    case 'inside':
    case 'away':
      return tryLater(state, 0);
    case 'outside':
    case 'unlocking':
    case 'over':
      return stay(state);
  }
}

/** Waits and tries to come back, unless that was tried often enough. */
function tryLater(state: RoomState, msMin: number): Step {
  const ms = RETRY_WAITS_MS[state.tries];
  if (ms === undefined) return over(state, 'lost');
  const next: RoomState = {
    ...state,
    attempt: state.attempt + 1,
    tries: state.tries + 1,
    seat: null,
    phase: { type: 'away' },
    path: 'connecting',
    slots: new Map(),
  };
  return step(next, ...hangUp(state), { type: 'wait', ms: Math.max(ms, msMin) });
}

function message(state: RoomState, said: ServerMessage): Step {
  const { phase } = state;
  if (said.type === 'error') return refused(state, said);
  if (said.type === 'joined') {
    if (phase.type !== 'entering' && phase.type !== 'away') return stay(state);
    return joined(state, said);
  }
  if (phase.type !== 'inside') return stay(state);
  switch (said.type) {
    case 'participant_joined':
      return memberCame(state, said.seat);
    case 'participant_left':
      return memberWent(state, said.seat);
    case 'announced':
      return announced(state, said.seat, said.sealed);
    case 'media':
      return stay(mediaChanged(state, said));
    case 'slots':
      return stay(slotsChanged(state, said.slots));
    case 'transport':
    case 'resumed':
    case 'offer':
    case 'presence':
    case 'stopping':
    case 'created':
    case 'pong':
      // The page sees the transport itself; an error follows a closed one.
      return stay(state);
  }
}

/** An error is the last message of its connection. */
function refused(state: RoomState, error: ErrorMessage): Step {
  switch (state.phase.type) {
    case 'entering':
      return outside(state, joinProblem(state, error));
    case 'away':
      if (error.code === 'refused') return over(state, 'ended');
      if (error.code === 'version_unsupported') return over(state, 'refused');
      // After a lost connection one's own old seat may still fill the room for a while.
      if (error.code === 'room_full' && state.tries === 0) return over(state, 'full');
      return tryLater(state, error.retry_after_ms ?? 0);
    case 'inside':
      return refusedInside(state, error);
    case 'outside':
    case 'unlocking':
    case 'over':
      return stay(state);
  }
}

function refusedInside(state: RoomState, error: ErrorMessage): Step {
  switch (error.code) {
    case 'bad_answer':
    case 'fingerprint_mismatch':
    case 'malformed':
    case 'too_large':
    case 'out_of_order':
    case 'version_unsupported':
      return over(state, 'refused');
    case 'transport_failed':
      // Where media never came through, the next try would end the same way.
      return state.path === 'connected' || state.path === 'interrupted'
        ? tryLater(state, 0)
        : over(state, 'unreachable');
    case 'refused':
      return over(state, 'ended');
    case 'resume_refused':
    case 'rate_limited':
    case 'room_exists':
    case 'room_full':
    case 'server_full':
    case 'server_stopping':
    case 'too_slow':
      return tryLater(state, error.retry_after_ms ?? 0);
  }
}

function joinProblem(state: RoomState, error: ErrorMessage): JoinProblem {
  switch (error.code) {
    case 'refused':
      return { type: state.hasPassword ? 'wrong_password' : 'ended_or_incomplete' };
    case 'room_full':
      return { type: 'full' };
    case 'rate_limited': {
      const ms = error.retry_after_ms;
      return { type: 'rate_limited', seconds: ms === null ? null : Math.ceil(ms / 1_000) };
    }
    case 'server_full':
      return { type: 'server_full' };
    case 'server_stopping':
      return { type: 'server_stopping' };
    case 'version_unsupported':
      return { type: 'version' };
    case 'malformed':
    case 'too_large':
    case 'out_of_order':
    case 'room_exists':
    case 'resume_refused':
    case 'bad_answer':
    case 'fingerprint_mismatch':
    case 'transport_failed':
    case 'too_slow':
      return { type: 'unexpected', detail: error.code };
  }
}

function pathChanged(state: RoomState, path: RoomState['path']): Step {
  if (!inside(state) || state.path === path) return stay(state);
  return stay({ ...state, path, tries: path === 'connected' ? 0 : state.tries });
}

function e2eeEvent(state: RoomState, { event }: Extract<RoomEvent, { type: 'e2ee' }>): Step {
  switch (event.type) {
    case 'unlock_progress':
      if (state.phase.type !== 'unlocking') return stay(state);
      return stay(into(state, { type: 'unlocking', fraction: event.fraction }));
    case 'lost':
      return keysLost(state);
    case 'participant':
    case 'announcement_refused':
    case 'slot':
      return inside(state) ? sealedEvent(state, event) : stay(state);
    case 'statistics':
      return stay(state);
  }
}

/** The worker died, and every key with it: come back with new ones. */
function keysLost(state: RoomState): Step {
  const discard: RoomEffect = { type: 'discard_keys' };
  switch (state.phase.type) {
    case 'unlocking':
    case 'entering': {
      if (state.wasInside) return over(state, 'encryption', discard);
      const next = outside(state, { type: 'encryption' });
      return step(next.state, discard, ...next.effects);
    }
    case 'inside':
    case 'away': {
      const next = tryLater(state, 0);
      return step(next.state, discard, ...next.effects);
    }
    case 'outside':
    case 'over':
      return step(state, discard);
  }
}

function ownMedia(state: RoomState, media: RoomState['own']): Step {
  if (state.own.microphone === media.microphone && state.own.camera === media.camera) return stay(state);
  const next = { ...state, own: media };
  return inside(state) ? send(next, { type: 'media', ...media }) : stay(next);
}
