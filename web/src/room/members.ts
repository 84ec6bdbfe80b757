// The others and their slots. Names and tiles follow the keys; what the server says only places things
// while nothing was opened.
import type { E2eeEvent } from '../e2ee/index.ts';
import type { Joined, MediaState, SlotBinding } from '../protocol/generated.ts';
import type { Member, RoomEffect, RoomState, Slot, Step } from './state.ts';

const EMPTY_SLOT: Slot = { hint: null, owner: null, state: 'waiting', reason: null, since: null, changes: 0 };

/** One is in: everything starts from what `joined` says. */
export function joined(state: RoomState, said: Joined): Step {
  const members = said.participants.map(
    ({ seat, microphone, camera }): Member => ({
      seat,
      name: null,
      refusal: null,
      microphone,
      camera,
      isNew: false,
    }),
  );
  const next: RoomState = {
    ...slotsChanged({ ...state, slots: new Map() }, said.slots),
    phase: { type: 'inside' },
    wasInside: true,
    seat: said.seat,
    members,
    path: 'connecting',
  };
  const opened = said.participants.flatMap(({ seat, sealed }): RoomEffect[] =>
    sealed === null ? [] : [{ type: 'open_announcement', seat, sealed }],
  );
  const effects: RoomEffect[] = [
    { type: 'enter', seat: said.seat, name: state.name },
    ...opened,
    { type: 'send', message: { type: 'media', ...state.own } },
    { type: 'negotiate', negotiation: said.negotiation, offer: said.offer },
  ];
  if (state.wasInside) effects.push({ type: 'notify', notice: { type: 'back' } });
  return { state: next, effects };
}

/** Somebody came in. Who it is comes with its announcement. */
export function memberCame(state: RoomState, seat: number): Step {
  const others = state.members.filter((member) => member.seat !== seat);
  const member: Member = { seat, name: null, refusal: null, microphone: 'off', camera: 'off', isNew: true };
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
      return { state: { ...state, slots }, effects: [] };
    }
  }
}

/** What was opened once stays: else the server could undo it with any bytes. */
function refuse(member: Member, refusal: NonNullable<Member['refusal']>): Member {
  return member.name === null ? { ...member, refusal } : member;
}

function change(state: RoomState, seat: number, edit: (member: Member) => Member): RoomState {
  return { ...state, members: state.members.map((member) => (member.seat === seat ? edit(member) : member)) };
}
