// The ways back into a meeting: to the seat that one has, or to a new one when it is gone.
import { VERSION, type Resumed } from '../protocol/generated.ts';
import { everybody } from './members.ts';
import type { AwayCause, RoomEffect, RoomState, Step } from './state.ts';
import { hangUp, inside, into, outside, over, stay, step, withoutSeat } from './steps.ts';

/**
 * Waits before each try to come back, in milliseconds. The first try is made at once, because most breaks pass at
 * once; together they last about two minutes, as long as a server restarts.
 */
const RETRY_WAITS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000, ...Array<number>(10).fill(10_000)];
/** The wait while the device has no network; short enough for a browser that is wrong about it. */
const OFFLINE_WAIT_MS = 10_000;

/** Opens a connection, to come in or to come back. */
export function connect(state: RoomState): Step {
  const next = { ...state, attempt: state.attempt + 1 };
  if (inside(state)) return step(next, { type: 'connect' });
  return step(into(next, { type: state.wasInside ? 'away' : 'entering' }), { type: 'connect' });
}

/** A new connection is open: says what one wants of it. */
export function opened(state: RoomState): Step {
  const { phase, room, token } = state;
  if (phase.type === 'inside' && state.link === 'restoring' && token !== null) {
    return step(state, { type: 'send', message: { type: 'resume', version: VERSION, room, token } });
  }
  if (phase.type !== 'entering' && phase.type !== 'away') return stay(state);
  return step(state, { type: state.isRestarting ? 'create' : 'hello' });
}

/** The connection is gone, and nobody said why. */
export function closed(state: RoomState): Step {
  switch (state.phase.type) {
    case 'entering':
      return outside(state, { type: 'server_unreachable' });
    case 'inside':
      return restore(state, 0);
    case 'away':
      return giveUpSeat(state, state.cause, 0);
    case 'outside':
    case 'unlocking':
    case 'over':
      return stay(state);
  }
}

/** Seat and media stay while another connection to signaling is sought, at most until tries run out. */
export function restore(state: RoomState, msMin: number): Step {
  const wait = nextWait(state, msMin);
  if (wait === null) return over(state, 'lost');
  const next: RoomState = { ...state, attempt: state.attempt + 1, tries: state.tries + 1, link: 'restoring' };
  return step(next, { type: 'abandon' }, wait);
}

/** Lets go of seat and media; waits and tries to come in again, unless that was tried often enough. */
export function giveUpSeat(state: RoomState, cause: AwayCause, msMin: number): Step {
  const usual = nextWait(state, msMin);
  if (usual === null) return over(state, 'lost');
  // A server that has just answered need not be waited for.
  const wait: RoomEffect = cause === 'seat_lost' && state.cause !== 'seat_lost' ? { type: 'wait', ms: msMin } : usual;
  const next: RoomState = { ...withoutSeat(state), tries: state.tries + 1, cause, phase: { type: 'away' } };
  return step(next, ...hangUp(), wait);
}

function nextWait({ tries, isOnline }: RoomState, msMin: number): Extract<RoomEffect, { type: 'wait' }> | null {
  const ms = RETRY_WAITS_MS[tries];
  // Without a network no try counts: whoever comes out of a tunnel is back in the call.
  if (!isOnline) return { type: 'wait', ms: Math.max(OFFLINE_WAIT_MS, msMin) };
  return ms === undefined ? null : { type: 'wait', ms: Math.max(ms, msMin) };
}

/** The wait is over. */
export function retryDue(state: RoomState): Step {
  if (inside(state) && state.link === 'restoring') return connect(state);
  return state.phase.type === 'away' ? unlockAgain(state) : stay(state);
}

/** Something may have happened to the network: looks at once instead of waiting. */
export function woke(state: RoomState): Step {
  if (inside(state) && state.link === 'open') return step(state, { type: 'check' });
  if (!inside(state) && state.phase.type !== 'away') return stay(state);
  const due = retryDue(state);
  return step(due.state, { type: 'stop_waiting' }, ...due.effects);
}

/** The browser says whether it has a network. */
export function onlineChanged(state: RoomState, isOnline: boolean): Step {
  if (state.isOnline === isOnline) return stay(state);
  // Tries that were made without a network say nothing about the server.
  return woke({ ...state, isOnline, tries: isOnline ? Math.min(state.tries, 1) : state.tries });
}

/** The connection has lived for a while, so that the next break is a new one. */
export function steady(state: RoomState): Step {
  const isWell = inside(state) && state.link === 'open' && state.path === 'connected';
  return isWell && state.tries > 0 ? stay({ ...state, tries: 0, cause: 'lost' }) : stay(state);
}

/** One has one's seat back. Media was not touched, or an offer of a new transport follows. */
export function resumed(state: RoomState, said: Resumed): Step {
  if (said.seat !== state.seat) return giveUpSeat(state, 'seat_lost', 0);
  const merged = everybody({ ...state, link: 'open' }, said.participants, said.slots);
  const path = said.transport === 'closed' && state.path === 'connected' ? 'interrupted' : state.path;
  // What was said before the break may have been lost in it. An answer is not repeated: the server offers again.
  const effects: RoomEffect[] = [{ type: 'close_abandoned' }, ...merged.effects, { type: 'enter' }];
  // A break that was over at once was seen by nobody.
  if (state.tries > 1) effects.push({ type: 'notify', notice: { type: 'back', cause: 'lost' } });
  return step({ ...merged.state, path }, ...effects);
}

/** The user wants in again. */
export function rejoinAsked(state: RoomState): Step {
  const { type } = state.phase;
  if (type === 'outside' || type === 'unlocking' || type === 'entering') return stay(state);
  const empty: RoomState = { ...withoutSeat(state), members: [], tries: 0, cause: 'asked', isRestarting: false };
  const again = unlockAgain(empty);
  return step(again.state, { type: 'stop_waiting' }, ...hangUp(), ...again.effects);
}

/** The user wants the forgotten meeting again: everybody who asks for that meets behind the same link. */
export function restartAsked(state: RoomState): Step {
  if (state.phase.type !== 'over') return stay(state);
  const again = rejoinAsked(state);
  return step({ ...again.state, isRestarting: true }, ...again.effects);
}

function unlockAgain(state: RoomState): Step {
  // The keys are derived already unless the worker died; `unlocked` then comes at once.
  return step(into(state, { type: 'unlocking' }), { type: 'unlock' });
}
