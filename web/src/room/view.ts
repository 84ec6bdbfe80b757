// What the page shows of a meeting: one tile per person, its name and its pictures taken from the keys.
import type { Member, RoomState, Slot } from './state.ts';

/** Why a tile shows no opened media; the words are in the strings file. */
export type TileReason =
  | 'reconnecting'
  | 'announcement_awaited'
  | 'nothing_sent'
  | 'media_awaited'
  | 'disputed'
  | 'silent'
  | NonNullable<Slot['reason']>;

/** Another participant. */
export interface Tile {
  readonly seat: number;
  /** Null while its announcement was not opened: then nobody knows who it is. */
  readonly name: string | null;
  /** It made the meeting. */
  readonly isOwner: boolean;
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly e2ee: 'waiting' | 'encrypted' | 'failed';
  /** Why it is not `encrypted`. */
  readonly reason: TileReason | null;
  /** The slot whose picture belongs here, if there is one. */
  readonly picture: Picture | null;
  /** The slot whose sound is this participant's. */
  readonly sound: string | null;
}

/** A slot's picture. */
export interface Picture {
  readonly mid: string;
  /** RTP timestamp of the first frame that is this participant's; null: all are. */
  readonly since: number | null;
  /** Tells one ownership of the slot from the next. */
  readonly ownership: number;
}

/** The others, in the order in which they came. */
export function tiles(state: RoomState): Tile[] {
  const names = distinctNames(state);
  return state.members.map((member) => tile(state, member, names.get(member.seat) ?? null));
}

function tile(state: RoomState, member: Member, name: string | null): Tile {
  const owned = [...state.slots].filter(([, slot]) => slot.owner?.seat === member.seat);
  const opened = owned.filter(([, slot]) => slot.state === 'encrypted');
  const camera = opened.find(([, slot]) => slot.owner?.kind === 'camera');
  const microphone = opened.find(([, slot]) => slot.owner?.kind === 'microphone');
  const [e2ee, reason] = standing(state, member, opened.length > 0);
  return {
    seat: member.seat,
    name,
    isOwner: member.isOwner,
    microphoneOn: member.microphone === 'on',
    cameraOn: member.camera === 'on',
    e2ee,
    reason,
    picture: camera === undefined ? null : { mid: camera[0], since: since(camera[1]), ownership: camera[1].changes },
    sound: microphone?.[0] ?? null,
  };
}

/** A slot's first owner has no predecessor whose frames could still be on their way. */
function since(slot: Slot): number | null {
  return slot.changes > 1 ? slot.since : null;
}

function standing(state: RoomState, member: Member, isOpened: boolean): [Tile['e2ee'], TileReason | null] {
  if (state.phase.type !== 'inside') return ['waiting', 'reconnecting'];
  if (member.isDisputed) return ['failed', 'disputed'];
  if (member.isSilent) return ['failed', 'silent'];
  const isInterrupted = state.hadPath && state.path !== 'connected';
  if (isInterrupted || member.presence === 'away') return ['waiting', 'reconnecting'];
  const failed = [...state.slots.values()].find((slot) => slot.state === 'failed' && seatOf(slot) === member.seat);
  if (failed !== undefined) return ['failed', failed.reason ?? 'malformed'];
  if (isOpened) return ['encrypted', null];
  if (member.name === null) return ['waiting', 'announcement_awaited'];
  const sendsNothing = member.microphone === 'off' && member.camera === 'off';
  if (sendsNothing) return ['waiting', 'nothing_sent'];
  return ['waiting', member.wasOpened ? 'reconnecting' : 'media_awaited'];
}

/** Frames that do not open have no proven owner; where the server says that they belong is good enough to say so. */
function seatOf(slot: Slot): number | null {
  return slot.owner?.seat ?? slot.hint?.seat ?? null;
}

/** Two people of one name are told apart by a number; the one who came first has none. */
function distinctNames(state: RoomState): Map<number, string> {
  const taken = new Map<string, number>();
  const names = new Map<number, string>();
  if (state.name !== '') taken.set(likeness(state.name), 1);
  for (const { seat, name } of state.members) {
    if (name === null || likeness(name) === '') continue;
    const count = (taken.get(likeness(name)) ?? 0) + 1;
    taken.set(likeness(name), count);
    names.set(seat, count === 1 ? name : `${name} (${count})`);
  }
  return names;
}

function likeness(name: string): string {
  return name.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}
