// What an error of the server means. It is the last message of its connection.
import type { ErrorMessage } from '../protocol/generated.ts';
import { connect, giveUpSeat, restore } from './returning.ts';
import type { JoinProblem, RoomState, Step } from './state.ts';
import { outside, over, stay } from './steps.ts';

/** The server refused something. */
export function refused(state: RoomState, error: ErrorMessage): Step {
  switch (state.phase.type) {
    case 'entering':
      return outside(state, joinProblem(state, error));
    case 'away':
      return refusedAway(state, error);
    case 'inside':
      return state.link === 'open' ? refusedInside(state, error) : refusedResume(state, error);
    case 'outside':
    case 'unlocking':
    case 'over':
      return stay(state);
  }
}

function refusedAway(state: RoomState, error: ErrorMessage): Step {
  switch (error.code) {
    case 'refused':
      // Who was thrown out of a call finds out that the server forgot it; who left and asks again that it has ended.
      return over(state, state.cause === 'asked' ? 'ended' : 'forgotten');
    case 'room_exists':
      // Somebody else was faster to make it again: in by the usual way.
      return connect({ ...state, isRestarting: false });
    case 'version_unsupported':
      return over(state, 'refused');
    case 'locked':
    case 'removed':
      return over(state, error.code);
    case 'room_full':
      // After a lost connection one's own old seat may still fill the room for a while.
      if (state.cause === 'asked') return over(state, 'full');
      break;
    default:
      break;
  }
  return giveUpSeat(state, causeOf(state, error), error.retry_after_ms ?? 0);
}

function refusedResume(state: RoomState, error: ErrorMessage): Step {
  switch (error.code) {
    case 'resume_refused':
    case 'refused':
    case 'locked':
      return giveUpSeat(state, 'seat_lost', 0);
    case 'removed':
      return over(state, 'removed', { type: 'discard_keys' });
    case 'malformed':
    case 'too_large':
    case 'out_of_order':
    case 'version_unsupported':
    case 'bad_answer':
    case 'fingerprint_mismatch':
      return over(state, 'refused');
    case 'rate_limited':
    case 'room_exists':
    case 'room_full':
    case 'server_full':
    case 'server_stopping':
    case 'too_slow':
    case 'transport_failed':
      return restore(state, error.retry_after_ms ?? 0);
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
      return state.hadPath ? giveUpSeat(state, 'lost', 0) : over(state, 'unreachable');
    case 'refused':
      return over(state, 'ended');
    case 'removed':
      return over(state, 'removed', { type: 'discard_keys' });
    case 'locked':
      return over(state, 'locked');
    case 'too_slow':
      // Said to a line that is silent; the seat is held.
      return restore(state, error.retry_after_ms ?? 0);
    case 'resume_refused':
    case 'rate_limited':
    case 'room_exists':
    case 'room_full':
    case 'server_full':
    case 'server_stopping':
      return giveUpSeat(state, causeOf(state, error), error.retry_after_ms ?? 0);
  }
}

function causeOf(state: RoomState, { code }: ErrorMessage): RoomState['cause'] {
  if (code === 'server_stopping') return 'stopped';
  return state.phase.type === 'away' ? state.cause : 'lost';
}

function joinProblem(state: RoomState, error: ErrorMessage): JoinProblem {
  switch (error.code) {
    case 'refused':
      return { type: state.hasPassword ? 'wrong_password' : 'ended_or_incomplete' };
    case 'room_full':
      return { type: 'full' };
    case 'locked':
      return { type: 'locked' };
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
    case 'removed':
      return { type: 'unexpected', detail: error.code };
  }
}
