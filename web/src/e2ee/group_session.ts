// What the group worker does for one meeting: it keeps the member of the MLS
// group going, tells the frame worker about keys, and the page about people. The
// member itself is WebAssembly (`e2ee/wasm`); tests bring it too.
import { toHex, type Bytes } from './bytes.ts';
import { isBytes, isRecord } from './decode.ts';
import type { KeyMessage, Seated } from './group_messages.ts';
import { isLeaf, isTrackNumber } from './kid.ts';
import type { GroupEvent, Track, TrackKind } from './messages.ts';
import { decodeRequest, type Reply, type Request, type Saying } from './requests.ts';

/** What link and password open. */
export interface Keys {
  gate(): Uint8Array;
  gate_hash(): Uint8Array;
}

/** A member, as far as it is used here. Times are in milliseconds. */
export interface Member {
  connected(now: number): void;
  disconnected(): void;
  message(bytes: Uint8Array, now: number): void;
  timeout(now: number): void;
  next_timeout(): number | undefined;
  next_message(): Uint8Array | undefined;
  next_event(): unknown;
  announce(
    seat: number,
    name: string,
    microphoneOn: boolean,
    cameraOn: boolean,
    tracks: Uint8Array,
    now: number,
  ): void;
  remove(member: Uint8Array, now: number): void;
  lock(locked: boolean, now: number): void;
  owner_signed(signature: Uint8Array, now: number): void;
  statistics(): unknown;
  free(): void;
}

/** What a session stands on. */
export interface Ground {
  /** Tells the page. */
  readonly post: (message: Reply | GroupEvent) => void;
  /** Tells the frame worker. */
  readonly tellKeys: (message: KeyMessage) => void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Derives the room's secret; with a password it takes a second. */
  readonly unlock: (fragment: string, password: string | null) => Promise<Keys>;
  /** A member outside of any group. */
  readonly makeMember: (keys: Keys, room: string, owner: Bytes | null) => Member;
  /** Calls back after so many milliseconds; returns what ends that. */
  readonly after: (ms: number, call: () => void) => () => void;
}

const KINDS: readonly TrackKind[] = ['microphone', 'camera', 'screen', 'screen_audio'];

/** Who says to sit where. */
interface Claim {
  readonly seat: number;
  readonly name: string;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly isOwner: boolean;
  readonly tracks: readonly Track[];
}

/** One meeting in the worker. */
export class GroupSession {
  #keys: Keys | null = null;
  #member: Member | null = null;
  #own: string | null = null;
  #saying: Saying | null = null;
  #unlocking: number | null = null;
  #endTimer: (() => void) | null = null;
  /** Everybody in the group. */
  #roster = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  /** Whose seat it is: of two who claim one, the first. */
  readonly #seats = new Map<number, string>();

  constructor(private readonly ground: Ground) {}

  /** Takes a message of the page. */
  handle(message: unknown): void {
    const request = decodeRequest(message);
    if (request === null) return;
    if (request.type === 'unlock') void this.#unlock(request.id, request.fragment, request.password);
    else this.#perform(request);
    this.#settle();
  }

  /** Tells the page what was counted. */
  tick(): void {
    if (this.#member === null) return;
    const counted = this.#member.statistics();
    if (!isRecord(counted)) return;
    const counters: Record<string, number> = {};
    for (const [name, count] of Object.entries(counted)) if (typeof count === 'number') counters[name] = count;
    this.ground.post({ type: 'group_statistics', counters });
  }

  async #unlock(id: number, fragment: string, password: string | null): Promise<void> {
    this.#unlocking = id;
    try {
      const keys = await this.ground.unlock(fragment, password);
      if (this.#unlocking !== id) {
        this.ground.post({ type: 'failed', id, problem: 'superseded' });
        return;
      }
      this.#keys = keys;
      this.#letGo();
      const [gate, gateHash] = [new Uint8Array(keys.gate()), new Uint8Array(keys.gate_hash())];
      this.ground.post({ type: 'unlocked', id, gate, gateHash });
    } catch {
      this.ground.post({ type: 'failed', id, problem: 'refused' });
    }
  }

  /** Ends the member: with another secret nobody is the same one. */
  #letGo(): void {
    this.#endTimer?.();
    this.#endTimer = null;
    this.#member?.free();
    this.#member = null;
    this.#own = null;
    for (const member of this.#roster) this.ground.tellKeys({ type: 'gone', member });
    this.#roster.clear();
    this.#claims.clear();
    this.#seats.clear();
    this.ground.tellKeys({ type: 'stop' });
  }

  #perform(request: Exclude<Request, { type: 'unlock' }>): void {
    const now = this.ground.now();
    switch (request.type) {
      case 'enter':
        this.#enter(request.room, request.owner);
        break;
      case 'connected':
        this.#repeat();
        this.#say();
        this.#member?.connected(now);
        break;
      case 'disconnected':
        this.#member?.disconnected();
        break;
      case 'frame':
        this.#member?.message(request.bytes, now);
        break;
      case 'announce':
        this.#saying = request.saying;
        this.#say();
        break;
      case 'remove': {
        const member = this.#seats.get(request.seat);
        if (member !== undefined) this.#member?.remove(fromHex(member), now);
        break;
      }
      case 'lock':
        this.#member?.lock(request.locked, now);
        break;
      case 'owner_signed':
        this.#member?.owner_signed(request.signature, now);
        break;
    }
  }

  #enter(room: string, owner: Bytes | null): void {
    // Whoever has a member keeps it: a new seat is no new leaf.
    if (this.#member !== null || this.#keys === null) return;
    this.#member = this.ground.makeMember(this.#keys, room, owner);
  }

  /** Tells the page of everybody again: it may have a new seat, and with it an empty list. */
  #repeat(): void {
    for (const member of this.#seats.values()) this.#sit(member);
    this.#count();
  }

  #say(): void {
    const saying = this.#saying;
    if (saying === null || this.#member === null) return;
    const tracks = new Uint8Array(saying.tracks.flatMap(({ number, kind }) => [number, KINDS.indexOf(kind) + 1]));
    const { seat, name, microphone, camera } = saying;
    this.#member.announce(seat, name, microphone, camera, tracks, this.ground.now());
  }

  /** Hands out everything that the member wants, and sets its next timer. */
  #settle(): void {
    const member = this.#member;
    if (member === null) return;
    for (;;) {
      const bytes = member.next_message();
      if (bytes !== undefined) {
        this.ground.post({ type: 'frame', bytes: new Uint8Array(bytes) });
        continue;
      }
      const event = member.next_event();
      if (event === undefined || event === null) break;
      this.#take(event);
    }
    this.#setTimer(member);
  }

  #setTimer(member: Member): void {
    this.#endTimer?.();
    this.#endTimer = null;
    const due = member.next_timeout();
    if (due === undefined) return;
    this.#endTimer = this.ground.after(Math.max(0, due - this.ground.now()), () => {
      this.#endTimer = null;
      member.timeout(this.ground.now());
      this.#settle();
    });
  }

  #take(event: unknown): void {
    if (!isRecord(event)) return;
    const { type } = event;
    const member = isBytes(event['member']) ? toHex(event['member']) : null;
    switch (type) {
      case 'entered':
        this.#own = member;
        break;
      case 'epoch':
        this.#epoch(event);
        break;
      case 'send':
      case 'forget':
        if (typeof event['epoch'] === 'number') this.ground.tellKeys({ type, epoch: event['epoch'] });
        break;
      case 'stop':
        this.ground.tellKeys({ type });
        break;
      case 'forget_leaf': {
        const { leaf, before } = event;
        if (isLeaf(leaf) && typeof before === 'number') this.ground.tellKeys({ type, leaf, before });
        break;
      }
      case 'profile':
        if (member !== null) this.#profile(member, event);
        break;
      case 'gone':
        if (member !== null) this.#gone(member, event['kicked'] === true);
        break;
      case 'alarm': {
        const seat = member === null ? null : (this.#claims.get(member)?.seat ?? null);
        if (typeof event['alarm'] === 'string') this.ground.post({ type, alarm: event['alarm'], seat });
        break;
      }
      default:
        this.#tell(event);
        break;
    }
  }

  /** What goes to the page as it is. */
  #tell(event: Record<string, unknown>): void {
    const { type } = event;
    if (type === 'removed') this.ground.post({ type });
    else if (type === 'locked') this.ground.post({ type, locked: event['locked'] === true });
    else if (type === 'not_admitted' && typeof event['reason'] === 'string') {
      this.ground.post({ type, reason: event['reason'] });
    } else if (type === 'owner_signature' && isBytes(event['bytes'])) {
      this.ground.post({ type, bytes: event['bytes'] });
    } else if (type === 'link') {
      const { fragment, gate, gateHash } = event;
      if (typeof fragment !== 'string' || !isBytes(gate) || !isBytes(gateHash)) return;
      this.ground.post({ type, fragment, gate, gateHash });
    }
  }

  #epoch(event: Record<string, unknown>): void {
    const { epoch, baseKey, leaf, members } = event;
    if (typeof epoch !== 'number' || !isBytes(baseKey) || !isLeaf(leaf) || !Array.isArray(members)) return;
    const seated: Seated[] = [];
    for (const entry of members as unknown[]) {
      if (!isRecord(entry) || !isLeaf(entry['leaf']) || !isBytes(entry['member'])) return;
      seated.push({ leaf: entry['leaf'], member: toHex(entry['member']) });
    }
    this.ground.tellKeys({ type: 'epoch', epoch, baseKey, leaf, members: seated });
    baseKey.fill(0);
    this.#roster = new Set(seated.map(({ member }) => member));
    this.#count();
  }

  #profile(member: string, event: Record<string, unknown>): void {
    const { seat, name } = event;
    const tracks = readTracks(event['tracks']);
    if (typeof seat !== 'number' || typeof name !== 'string' || tracks === null) return;
    const isOwner = event['isOwner'] === true;
    if (member === this.#own) {
      this.ground.post({ type: 'role', isOwner });
      return;
    }
    const [microphone, camera] = [event['microphoneOn'] === true, event['cameraOn'] === true];
    this.#leaveSeat(member, seat);
    this.#claims.set(member, { seat, name, microphone, camera, isOwner, tracks });
    this.#sit(member);
    this.#count();
  }

  /** Gives a member the seat that it claims, unless it is somebody's. */
  #sit(member: string): void {
    const claim = this.#claims.get(member);
    if (claim === undefined) return;
    const { seat, name, microphone, camera, isOwner, tracks } = claim;
    const holder = this.#seats.get(seat);
    const isMine = seat === this.#saying?.seat;
    if (isMine || (holder !== undefined && holder !== member)) {
      this.ground.tellKeys({ type: 'person', member, seat: null, tracks });
      if (!isMine) this.ground.post({ type: 'announcement_refused', seat });
      return;
    }
    this.#seats.set(seat, member);
    this.ground.tellKeys({ type: 'person', member, seat, tracks });
    this.ground.post({ type: 'participant', seat, name, microphone, camera, isOwner });
  }

  /** Frees the seat that a member had, where it claims another. */
  #leaveSeat(member: string, next: number | null): void {
    const before = this.#claims.get(member)?.seat;
    if (before === undefined || before === next || this.#seats.get(before) !== member) return;
    this.#seats.delete(before);
    for (const [other, claim] of this.#claims) {
      if (other !== member && claim.seat === before) {
        this.#sit(other);
        break;
      }
    }
  }

  #gone(member: string, kicked: boolean): void {
    const seat = this.#claims.get(member)?.seat ?? null;
    const held = seat !== null && this.#seats.get(seat) === member ? seat : null;
    this.ground.tellKeys({ type: 'gone', member });
    this.ground.post({ type: 'gone', seat: held, kicked });
    this.#leaveSeat(member, null);
    this.#claims.delete(member);
    this.#roster.delete(member);
    this.#count();
  }

  #count(): void {
    const others = [...this.#roster].filter((member) => member !== this.#own);
    const unknown = others.filter((member) => {
      const claim = this.#claims.get(member);
      return claim === undefined || this.#seats.get(claim.seat) !== member;
    }).length;
    this.ground.post({ type: 'roster', members: this.#roster.size, unknown });
  }
}

function readTracks(value: unknown): Track[] | null {
  if (!Array.isArray(value)) return null;
  const tracks: Track[] = [];
  for (const entry of value as unknown[]) {
    if (!isRecord(entry) || typeof entry['kind'] !== 'number') return null;
    const kind = KINDS[entry['kind'] - 1];
    if (!isTrackNumber(entry['number']) || kind === undefined) return null;
    tracks.push({ number: entry['number'], kind });
  }
  return tracks;
}

function fromHex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}
