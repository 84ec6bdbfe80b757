// The others and their slots. Names and tiles follow the keys; what the server says only places things
// while nothing was opened.
import type { E2eeEvent } from '../e2ee/index.ts';
import type { Joined, OfferMessage, Participant, Presence, SlotBinding } from '../protocol/generated.ts';
import type { Member, RoomEffect, RoomState, Slot, Step } from './state.ts';

const EMPTY_SLOT: Slot = { hint: null, owner: null, state: 'waiting', reason: null, since: null, changes: 0 };

/** One is in: everything starts from what `joined` says. */
export function joined(state: RoomState, said: Joined): Step {
  const next: RoomState = {
    ...slotsChanged({ ...state, slots: new Map() }, said.slots),
    phase: { type: 'inside' },
    wasInside: true,
    isRestarting: false,
    stay: state.stay + 1,
    transport: state.transport + 1,
    link: 'open',
    seat: said.seat,
    token: said.token,
    unknown: 0,
    stopping: null,
    tcpCandidates: said.tcp_candidates.slice(0, TCP_CANDIDATES_MAX),
    members: said.participants.map((participant) => newMember(participant, false)),
    path: 'connecting',
    hadPath: false,
  };
  const effects: RoomEffect[] = [
    { type: 'enter' },
  ];
  if (said.offer !== null) {
    effects.push({ type: 'negotiate', transport: 'new', negotiation: said.negotiation, offer: said.offer });
  }
  if (state.wasInside) effects.push({ type: 'notify', notice: { type: 'back', cause: state.cause } });
  return { state: next, effects };
}

/** Everybody and every slot as they are now, merged into what was known: whoever was there stays the same tile. */
export function everybody(
  state: RoomState,
  participants: readonly Participant[],
  slots: readonly SlotBinding[],
): Step {
  const there = new Set(participants.map(({ seat }) => seat));
  let next = state;
  const effects: RoomEffect[] = [];
  for (const { seat } of state.members) {
    if (there.has(seat)) continue;
    const went = memberWent(next, seat);
    next = went.state;
    effects.push(...went.effects);
  }
  const known = new Map(next.members.map((member) => [member.seat, member]));
  const stayed = next.members.map((member) => {
    const said = participants.find(({ seat }) => seat === member.seat);
    return said === undefined ? member : { ...member, presence: said.presence };
  });
  const came = participants.filter(({ seat }) => !known.has(seat)).map((participant) => newMember(participant, true));
  return { state: slotsChanged({ ...next, members: [...stayed, ...came] }, slots), effects };
}

/** Another offer: more slots on the peer connection that is there, or a new one in its place. */
export function offered(state: RoomState, said: OfferMessage): Step {
  const { transport, negotiation, offer } = said;
  const effects: RoomEffect[] = [{ type: 'negotiate', transport, negotiation, offer }];
  if (transport === 'kept') return { state: slotsChanged(state, said.slots), effects };
  const replaced: RoomState = {
    ...state,
    slots: new Map(),
    transport: state.transport + 1,
    path: 'connecting',
  };
  return { state: slotsChanged(replaced, said.slots), effects };
}

/** Most places of media over TCP that are tried: a host with a few interfaces has fewer. */
const TCP_CANDIDATES_MAX = 8;

function newMember({ seat, presence }: Pick<Participant, 'seat' | 'presence'>, isNew: boolean): Member {
  return {
    seat,
    name: null,
    isDisputed: false,
    isOwner: false,
    isSilent: false,
    microphone: 'off',
    camera: 'off',
    presence,
    isNew,
    wasOpened: false,
  };
}

/** Somebody came in. Who it is comes with its announcement. */
export function memberCame(state: RoomState, seat: number): Step {
  const others = state.members.filter((member) => member.seat !== seat);
  const member = newMember({ seat, presence: 'here' }, true);
  return { state: { ...state, members: [...others, member] }, effects: [] };
}

/**
 * The server says that somebody went. Who is in the group stays on the screen until the group says so too: a server
 * that names somebody gone who still holds the keys would hide a listener.
 */
export function memberWent(state: RoomState, seat: number): Step {
  const gone = state.members.find((member) => member.seat === seat);
  if (gone === undefined) return { state, effects: [] };
  if (gone.name !== null) return { state: presenceChanged(state, seat, 'away'), effects: [] };
  return { state: withoutMember(state, seat), effects: [] };
}

/** Somebody is no longer in the group. */
function memberGone(state: RoomState, seat: number, kicked: boolean): Step {
  const gone = state.members.find((member) => member.seat === seat);
  if (gone === undefined) return { state, effects: [] };
  const { name } = gone;
  const type = kicked ? 'was_removed' : 'went';
  const effects: RoomEffect[] = name === null ? [] : [{ type: 'notify', notice: { type, name } }];
  return { state: withoutMember(state, seat), effects };
}

function withoutMember(state: RoomState, seat: number): RoomState {
  const slots = new Map(state.slots);
  for (const [mid, slot] of slots) {
    if (slot.owner?.seat === seat) slots.set(mid, { ...slot, owner: null, state: 'waiting', reason: null });
  }
  return { ...state, members: state.members.filter((member) => member.seat !== seat), slots };
}

/** Somebody's media stopped reaching the server, or reaches it again. */
export function presenceChanged(state: RoomState, seat: number, presence: Presence): RoomState {
  return change(state, seat, (member) => ({ ...member, presence }));
}

/** The server says what some slots carry. */
export function slotsChanged(state: RoomState, bindings: readonly SlotBinding[]): RoomState {
  const slots = new Map(state.slots);
  for (const { mid, seat, source } of bindings) {
    const hint = seat === null || source === null ? null : { seat, source };
    slots.set(mid, { ...(slots.get(mid) ?? EMPTY_SLOT), hint });
  }
  return { ...state, slots };
}

/** Most alarms that are remembered: there are fewer words. */
const ALARMS_MAX = 32;

/** What the workers tell of people and slots. */
export function sealedEvent(
  state: RoomState,
  event: Extract<
    E2eeEvent,
    { type: 'participant' | 'announcement_refused' | 'gone' | 'roster' | 'role' | 'locked' | 'alarm' | 'slot' }
  >,
): Step {
  switch (event.type) {
    case 'participant':
      return introduced(state, event);
    case 'announcement_refused':
      return { state: change(state, event.seat, (member) => ({ ...member, isDisputed: true })), effects: [] };
    case 'gone':
      return event.seat === null ? { state, effects: [] } : memberGone(state, event.seat, event.kicked);
    case 'roster':
      return { state: { ...state, unknown: event.unknown }, effects: [] };
    case 'role':
      return { state: { ...state, isOwner: event.isOwner }, effects: [] };
    case 'locked': {
      const isNews = state.isLocked !== event.locked;
      const effects: RoomEffect[] = isNews
        ? [{ type: 'notify', notice: { type: 'locked', locked: event.locked } }]
        : [];
      return { state: { ...state, isLocked: event.locked }, effects };
    }
    case 'alarm':
      return { state: alarmed(state, event.alarm, event.seat), effects: [] };
    case 'slot': {
      const slots = new Map(state.slots);
      const before = slots.get(event.mid) ?? EMPTY_SLOT;
      const { owner, since, reason } = event;
      const isOther = owner !== null && (owner.seat !== before.owner?.seat || owner.track !== before.owner.track);
      const changes = before.changes + (isOther ? 1 : 0);
      slots.set(event.mid, { hint: before.hint, owner, since, reason, state: event.state, changes });
      const next = { ...state, slots };
      const isOpened = owner !== null && event.state === 'encrypted';
      return { state: isOpened ? change(next, owner.seat, opened) : next, effects: [] };
    }
  }
}

function opened(member: Member): Member {
  return member.wasOpened ? member : { ...member, wasOpened: true };
}

/** Somebody says who it is. A seat that the server has not told of is one all the same: its holder is in the group. */
function introduced(state: RoomState, event: Extract<E2eeEvent, { type: 'participant' }>): Step {
  const { seat, name, isOwner } = event;
  const known = state.members.find((member) => member.seat === seat);
  const members = known === undefined ? [...state.members, newMember({ seat, presence: 'here' }, true)] : state.members;
  const [microphone, camera] = [onOff(event.microphone), onOff(event.camera)];
  const next = change({ ...state, members }, seat, (member) => ({ ...member, name, isOwner, microphone, camera }));
  const isFirst = known !== undefined && known.isNew && known.name === null;
  return { state: next, effects: isFirst ? [{ type: 'notify', notice: { type: 'came', name } }] : [] };
}

function onOff(isOn: boolean): 'on' | 'off' {
  return isOn ? 'on' : 'off';
}

function alarmed(state: RoomState, alarm: string, seat: number | null): RoomState {
  if (alarm === 'silent' || alarm === 'heard') {
    if (seat === null) return state;
    return change(state, seat, (member) => ({ ...member, isSilent: alarm === 'silent' }));
  }
  if (state.alarms.includes(alarm) || state.alarms.length >= ALARMS_MAX) return state;
  return { ...state, alarms: [...state.alarms, alarm] };
}

function change(state: RoomState, seat: number, edit: (member: Member) => Member): RoomState {
  return { ...state, members: state.members.map((member) => (member.seat === seat ? edit(member) : member)) };
}
