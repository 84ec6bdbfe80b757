// The others and their slots. Names and tiles follow the keys; what the server says only places things
// while nothing was opened.
import type { E2eeEvent } from '../e2ee/index.ts';
import type { Joined, MediaState, OfferMessage, Participant, Presence, SlotBinding } from '../protocol/generated.ts';
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
    sealed: null,
    stopping: null,
    tcpCandidates: said.tcp_candidates.slice(0, TCP_CANDIDATES_MAX),
    members: said.participants.map((participant) => newMember(participant, false)),
    path: 'connecting',
    hadPath: false,
  };
  const effects: RoomEffect[] = [
    { type: 'enter', seat: said.seat, name: state.name },
    ...said.participants.flatMap(openAnnouncement),
    { type: 'send', message: { type: 'media', ...state.own } },
    { type: 'negotiate', transport: 'new', negotiation: said.negotiation, offer: said.offer },
  ];
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
  const stayed = next.members.flatMap((member) => {
    const said = participants.find(({ seat }) => seat === member.seat);
    return said === undefined ? [] : [{ ...member, ...mediaOf(said), presence: said.presence }];
  });
  const came = participants.filter(({ seat }) => !known.has(seat)).map((participant) => newMember(participant, true));
  // Opened again, all of them: somebody may have announced itself anew meanwhile.
  effects.push(...participants.flatMap(openAnnouncement));
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

function newMember({ seat, microphone, camera, presence }: Participant, isNew: boolean): Member {
  return { seat, name: null, refusal: null, microphone, camera, presence, isNew, wasOpened: false };
}

function mediaOf({ microphone, camera }: Participant): MediaState {
  return { microphone, camera };
}

function openAnnouncement({ seat, sealed }: Participant): RoomEffect[] {
  return sealed === null ? [] : [{ type: 'open_announcement', seat, sealed }];
}

/** Somebody came in. Who it is comes with its announcement. */
export function memberCame(state: RoomState, seat: number): Step {
  const others = state.members.filter((member) => member.seat !== seat);
  const member = newMember({ seat, microphone: 'off', camera: 'off', presence: 'here', sealed: null }, true);
  return { state: { ...state, members: [...others, member] }, effects: [] };
}

/** Somebody went. */
export function memberWent(state: RoomState, seat: number): Step {
  const gone = state.members.find((member) => member.seat === seat);
  if (gone === undefined) return { state, effects: [] };
  const slots = new Map(state.slots);
  for (const [mid, slot] of slots) {
    if (slot.owner?.seat === seat) slots.set(mid, { ...slot, owner: null, state: 'waiting', reason: null });
  }
  const members = state.members.filter((member) => member.seat !== seat);
  const effects: RoomEffect[] = [{ type: 'forget', seat }];
  if (gone.name !== null) effects.push({ type: 'notify', notice: { type: 'went', name: gone.name } });
  return { state: { ...state, members, slots }, effects };
}

/** An announcement was relayed; the worker opens it. */
export function announced(state: RoomState, seat: number, sealed: string): Step {
  const known = state.members.some((member) => member.seat === seat);
  return { state, effects: known ? [{ type: 'open_announcement', seat, sealed }] : [] };
}

/** Somebody switched something on or off. */
export function mediaChanged(state: RoomState, { seat, microphone, camera }: MediaState & { seat: number }): RoomState {
  return change(state, seat, (member) => ({ ...member, microphone, camera }));
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

/** What the worker tells of announcements and slots. */
export function sealedEvent(
  state: RoomState,
  event: Extract<E2eeEvent, { type: 'participant' | 'announcement_refused' | 'slot' }>,
): Step {
  switch (event.type) {
    case 'participant': {
      const before = state.members.find((member) => member.seat === event.seat);
      const next = change(state, event.seat, (member) => ({ ...member, name: event.name, refusal: null }));
      const isFirst = before !== undefined && before.isNew && before.name === null;
      const effects: RoomEffect[] = isFirst ? [{ type: 'notify', notice: { type: 'came', name: event.name } }] : [];
      return { state: next, effects };
    }
    case 'announcement_refused':
      return { state: change(state, event.seat, (member) => refuse(member, event.reason)), effects: [] };
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

/** What was opened once stays: else the server could undo it with any bytes. */
function refuse(member: Member, refusal: NonNullable<Member['refusal']>): Member {
  return member.name === null ? { ...member, refusal } : member;
}

function change(state: RoomState, seat: number, edit: (member: Member) => Member): RoomState {
  return { ...state, members: state.members.map((member) => (member.seat === seat ? edit(member) : member)) };
}
