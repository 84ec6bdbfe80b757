// Rooms and events for tests.
import type { E2eeEvent } from '../e2ee/index.ts';
import type { MediaPath } from '../media/connection.ts';
import type { ErrorCode, Participant, ServerMessage } from '../protocol/generated.ts';
import { reduce } from './reducer.ts';
import { initialRoom, type RoomEffect, type RoomEvent, type RoomState } from './state.ts';

export const ROOM = 'AAECAwQFBgcICQoLDA0ODw';

/** Feeds events to the reducer and keeps the effects of the last one. */
export class Play {
  state: RoomState;
  effects: readonly RoomEffect[] = [];

  constructor({ hasPassword = false } = {}) {
    this.state = initialRoom(ROOM, hasPassword);
  }

  on(event: RoomEvent): this {
    const { state, effects } = reduce(this.state, event);
    this.state = state;
    this.effects = effects;
    return this;
  }

  /** From outside to where `hello` was said. */
  asks(): this {
    this.on({ type: 'join_asked', name: 'Ada' }).on({ type: 'unlocked' });
    return this.on({ type: 'opened', attempt: this.state.attempt });
  }

  /** Into the meeting, where `others` are. */
  enters(...others: readonly Participant[]): this {
    return this.asks().hears(joined(others));
  }

  /** Into the meeting, until media flows. */
  talks(...others: readonly Participant[]): this {
    return this.enters(...others).path('connected');
  }

  hears(message: ServerMessage): this {
    return this.on({ type: 'message', attempt: this.state.attempt, message });
  }

  path(path: MediaPath): this {
    return this.on({ type: 'path', transport: this.state.transport, path });
  }

  /** The wait is over, and a connection to the server is open again. */
  reconnects(): this {
    this.on({ type: 'retry_due' });
    if (this.state.phase.type === 'unlocking') this.on({ type: 'unlocked' });
    return this.on({ type: 'opened', attempt: this.state.attempt });
  }

  fails(code: ErrorCode, retryAfterMs: number | null = null): this {
    return this.hears({ type: 'error', code, detail: '', retry_after_ms: retryAfterMs });
  }

  closes(): this {
    return this.on({ type: 'closed', attempt: this.state.attempt });
  }

  opens(event: E2eeEvent): this {
    return this.on({ type: 'e2ee', event });
  }

  learns(seat: number, name: string, change: Partial<Extract<E2eeEvent, { type: 'participant' }>> = {}): this {
    return this.opens({ type: 'participant', seat, name, microphone: true, camera: true, isOwner: false, ...change });
  }

  slot(mid: string, change: Partial<Extract<E2eeEvent, { type: 'slot' }>>): this {
    return this.opens({ type: 'slot', mid, owner: null, state: 'waiting', reason: null, since: null, ...change });
  }

  kinds(): string[] {
    return this.effects.map((effect) => effect.type);
  }

  effect<K extends RoomEffect['type']>(type: K): Extract<RoomEffect, { type: K }> | undefined {
    return this.effects.find((effect): effect is Extract<RoomEffect, { type: K }> => effect.type === type);
  }
}

export function joined(participants: readonly Participant[] = [], seat = 0): ServerMessage {
  return {
    type: 'joined',
    seat,
    participants: [...participants],
    slots: [],
    negotiation: 1,
    offer: 'K7My4OUCAA',
    token: 'A'.repeat(43),
    tcp_candidates: [],
  };
}

export function resumed(
  participants: readonly Participant[] = [],
  change: Partial<Extract<ServerMessage, { type: 'resumed' }>> = {},
): ServerMessage {
  return {
    type: 'resumed',
    seat: 0,
    participants: [...participants],
    slots: [],
    transport: 'connected',
    ...change,
  };
}

export function offer(
  transport: 'kept' | 'new',
  change: Partial<Extract<ServerMessage, { type: 'offer' }>> = {},
): ServerMessage {
  return { type: 'offer', negotiation: 2, transport, slots: [], offer: 'OFFER', ...change };
}

export function someone(seat: number, change: Partial<Participant> = {}): Participant {
  return { seat, microphone: 'on', camera: 'on', presence: 'here', sealed: null, ...change };
}
