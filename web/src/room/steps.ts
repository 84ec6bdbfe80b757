// The small steps that others are made of.
import type { ClientMessage } from '../protocol/generated.ts';
import type { JoinProblem, OverReason, Phase, RoomEffect, RoomState, Step } from './state.ts';

/** Nothing to do. */
export function stay(state: RoomState): Step {
  return { state, effects: [] };
}

/** This to do. */
export function step(state: RoomState, ...effects: readonly RoomEffect[]): Step {
  return { state, effects };
}

export function inside(state: RoomState): boolean {
  return state.phase.type === 'inside';
}

export function into(state: RoomState, phase: Phase): RoomState {
  return { ...state, phase };
}

/** Says `message` as a member, unless the connection is broken. */
export function say(state: RoomState, message: ClientMessage): Step {
  return inside(state) && state.link === 'open' ? step(state, { type: 'send', message }) : stay(state);
}

/** Ends it for good; only the user leads out of it. */
export function over(state: RoomState, reason: OverReason, ...first: readonly RoomEffect[]): Step {
  const next = { ...withoutSeat(state), isRestarting: false, phase: { type: 'over', reason } as const };
  return step(next, ...first, { type: 'stop_waiting' }, ...hangUp());
}

/** Back to where one asks to be let in. */
export function outside(state: RoomState, problem: JoinProblem | null): Step {
  const next = { ...state, attempt: state.attempt + 1, phase: { type: 'outside', problem } as const };
  return step(next, { type: 'disconnect' });
}

/** The state of somebody who has no seat any more: what the old connections still deliver is not heard. */
export function withoutSeat(state: RoomState): RoomState {
  return {
    ...state,
    attempt: state.attempt + 1,
    transport: state.transport + 1,
    stay: state.stay + 1,
    link: 'open',
    seat: null,
    token: null,
    unknown: 0,
    stopping: null,
    slots: new Map(),
    path: 'connecting',
    hadPath: false,
  };
}

/** Lets go of connection and media. */
export function hangUp(): readonly RoomEffect[] {
  return [{ type: 'disconnect' }, { type: 'close_media' }];
}
