// The meeting as a function: state and event in, state and effects out.
import type { ServerMessage } from '../protocol/generated.ts';
import {
  joined,
  memberCame,
  memberWent,
  offered,
  presenceChanged,
  sealedEvent,
  slotsChanged,
} from './members.ts';
import { refused } from './refusals.ts';
import {
  closed,
  connect,
  giveUpSeat,
  onlineChanged,
  opened,
  rejoinAsked,
  restartAsked,
  resumed,
  retryDue,
  steady,
  woke,
} from './returning.ts';
import type { RoomEffect, RoomEvent, RoomState, Step } from './state.ts';
import { inside, into, outside, over, say, stay, step } from './steps.ts';

/** What `event` makes of `state`. */
export function reduce(state: RoomState, event: RoomEvent): Step {
  if (isLate(state, event)) return stay(state);
  switch (event.type) {
    case 'join_asked':
      return joinAsked(state, event.name);
    case 'unlocked':
      return state.phase.type === 'unlocking' ? connect(state) : stay(state);
    case 'unlock_failed':
      return unlockFailed(state);
    case 'opened':
      return opened(state);
    case 'closed':
      return closed(state);
    case 'steady':
      return steady(state);
    case 'message':
      return message(state, event.message);
    case 'link_changed':
      return step(state, { type: 'notify', notice: { type: 'link_changed' } });
    case 'remove_asked':
      return state.isOwner && inside(state) ? step(state, { type: 'remove', seat: event.seat }) : stay(state);
    case 'lock_asked':
      return state.isOwner && inside(state) ? step(state, { type: 'lock', locked: event.locked }) : stay(state);
    case 'answered':
      return say(state, { type: 'answer', negotiation: event.negotiation, sdp: event.sdp });
    case 'negotiation_failed':
      return negotiationFailed(state);
    case 'path':
      return pathChanged(state, event.path);
    case 'e2ee':
      return e2eeEvent(state, event);
    case 'own_media':
      return ownMedia(state, event.media);
    case 'retry_due':
      return retryDue(state);
    case 'woke':
      return woke(state);
    case 'online':
      return onlineChanged(state, event.isOnline);
    case 'rejoin_asked':
      return rejoinAsked(state);
    case 'restart_asked':
      return restartAsked(state);
    case 'leave_asked':
      return leaveAsked(state);
  }
}

/** Whether it comes from a connection or a seat that was given up. */
function isLate(state: RoomState, event: RoomEvent): boolean {
  if ('attempt' in event) return event.attempt !== state.attempt;
  if ('transport' in event) return event.transport !== state.transport;
  return 'stay' in event && event.stay !== state.stay;
}

function joinAsked(state: RoomState, name: string): Step {
  if (state.phase.type !== 'outside') return stay(state);
  return step({ ...state, name, tries: 0, phase: { type: 'unlocking' } }, { type: 'unlock' });
}

function unlockFailed(state: RoomState): Step {
  if (state.phase.type !== 'unlocking') return stay(state);
  if (state.wasInside) return over(state, 'encryption');
  return step(into(state, { type: 'outside', problem: { type: 'encryption' } }), { type: 'discard_keys' });
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

function message(state: RoomState, said: ServerMessage): Step {
  const { phase } = state;
  if (said.type === 'error') return refused(state, said);
  if (phase.type === 'entering' || phase.type === 'away') return entered(state, said);
  if (phase.type !== 'inside') return stay(state);
  // Until the seat is given back, nothing that is said is about it.
  if (state.link === 'restoring') return said.type === 'resumed' ? resumed(state, said) : stay(state);
  switch (said.type) {
    case 'offer':
      return offered(state, said);
    case 'presence':
      return stay(presenceChanged(state, said.seat, said.presence));
    case 'stopping':
      return stay({ ...state, stopping: { deadlineMs: said.deadline_ms } });
    case 'participant_joined':
      return memberCame(state, said.seat);
    case 'participant_left':
      return memberWent(state, said.seat);
    case 'slots':
      return stay(slotsChanged(state, said.slots));
    case 'announced':
    case 'media':
    case 'transport':
    case 'joined':
    case 'resumed':
    case 'created':
    case 'pong':
      // The page sees the transport itself; after a closed one comes an offer or an error.
      return stay(state);
  }
}

function entered(state: RoomState, said: ServerMessage): Step {
  if (said.type === 'joined') return joined(state, said);
  if (said.type === 'created' && state.isRestarting) return step({ ...state, isRestarting: false }, { type: 'hello' });
  return stay(state);
}

/** An offer that this browser cannot answer; where media flowed before, a fresh start may help. */
function negotiationFailed(state: RoomState): Step {
  if (!inside(state)) return stay(state);
  return state.hadPath ? giveUpSeat(state, 'lost', 0) : over(state, 'unreachable');
}

function pathChanged(state: RoomState, path: RoomState['path']): Step {
  if (!inside(state) || state.path === path) return stay(state);
  const next = { ...state, path, hadPath: state.hadPath || path === 'connected' };
  // What interrupts media may have ended the connection to signaling too.
  return path === 'interrupted' && state.link === 'open' ? step(next, { type: 'check' }) : stay(next);
}

function e2eeEvent(state: RoomState, { event }: Extract<RoomEvent, { type: 'e2ee' }>): Step {
  switch (event.type) {
    case 'lost':
      return keysLost(state);
    case 'removed':
      return over(state, 'removed', { type: 'discard_keys' });
    case 'not_admitted':
      return notAdmitted(state, event.reason);
    case 'statistics':
    case 'group_statistics':
      return stay({ ...state, counters: { ...state.counters, ...event.counters } });
    case 'frame':
    case 'owner_signature':
    case 'link':
      // The room has seen to these.
      return stay(state);
    default:
      return inside(state) ? sealedEvent(state, event) : stay(state);
  }
}

/** The server has a seat for us, and the group has no place. */
function notAdmitted(state: RoomState, reason: string): Step {
  if (!inside(state)) return stay(state);
  return over(state, reason === 'locked' ? 'locked' : 'full', { type: 'send', message: { type: 'leave' } });
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
      const next = giveUpSeat(state, 'lost', 0);
      return step(next.state, discard, ...next.effects);
    }
    case 'outside':
    case 'over':
      return step(state, discard);
  }
}

function ownMedia(state: RoomState, media: RoomState['own']): Step {
  if (state.own.microphone === media.microphone && state.own.camera === media.camera) return stay(state);
  return step({ ...state, own: media }, { type: 'announce' });
}
