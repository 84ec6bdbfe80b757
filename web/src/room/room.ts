// One meeting: carries the events to the reducer and its effects to the server, the worker and the devices.
// What is decided is decided in `reducer.ts`.
import { fromBase64url, toBase64url } from '../e2ee/bytes.ts';
import { parseFragment, type Fragment } from '../e2ee/fragment.ts';
import type { OwnerKey } from '../e2ee/owner.ts';
import type { E2eeEvent, E2eeWorker, Unlocked } from '../e2ee/index.ts';
import { mediaPorts, type MediaPorts } from '../media/candidates.ts';
import { MediaConnection, type Transforms } from '../media/connection.ts';
import type { LocalMedia, SourceKind } from '../media/local.ts';
import { QualityMeter, readReport, type Quality } from '../media/quality.ts';
import { VERSION } from '../protocol/generated.ts';
import { deflateSdp, inflateSdp } from '../protocol/inflate.ts';
import type { NetworkEvents } from '../protocol/network.ts';
import type { SignalingSocket, SocketEvents } from '../protocol/socket.ts';
import { reduce } from './reducer.ts';
import { initialRoom, type RoomEffect, type RoomEvent, type RoomNotice, type RoomState } from './state.ts';

/** The worker with its keys, as far as a meeting uses it. */
export type E2ee = Pick<
  E2eeWorker,
  | 'onEvent'
  | 'unlock'
  | 'enter'
  | 'connected'
  | 'disconnected'
  | 'frame'
  | 'announce'
  | 'remove'
  | 'lock'
  | 'ownerSigned'
  | 'attachSender'
  | 'attachReceiver'
  | 'close'
>;

/** What a page is made of. Tests put other pieces in place of some. */
export interface RoomParts {
  startE2ee(): E2ee;
  /** Puts the worker into the road of media. */
  attachTransforms(e2ee: E2ee): Transforms;
  createPeerConnection(): RTCPeerConnection;
  connect(events: SocketEvents): Socket;
  /** The key by which this browser owns the room; null where another browser made it. */
  loadOwner(room: string): Promise<OwnerKey | null>;
  /** Hints of the browser about the network; returns what ends them. */
  watchNetwork(events: NetworkEvents): () => void;
}

/** A connection to signaling, as far as a meeting uses it. */
export type Socket = Pick<SignalingSocket, 'send' | 'sendFrame' | 'check' | 'close'>;

/** Keys that are derived already, handed over from the page that made the room. */
export interface UnlockedKeys {
  readonly e2ee: E2ee;
  readonly password: string | null;
  readonly unlocked: Unlocked;
}

const TRACKS = [
  { number: 0, kind: 'microphone' },
  { number: 1, kind: 'camera' },
] as const;
const KINDS: readonly SourceKind[] = ['microphone', 'camera'];

/** Connections that wait to be closed: more than the tries to come back; the oldest lost the seat to a later one. */
const ABANDONED_MAX = 20;

/** One meeting, from before joining until it is over. */
export class Room {
  private current: RoomState;
  private e2ee: E2ee | null = null;
  private unlocked: Unlocked | null = null;
  /** Undefined until it was looked for. */
  private owner: OwnerKey | null | undefined = undefined;
  private password: string | null = null;
  private socket: Socket | null = null;
  /** Connections given up as broken, oldest first: one of them holds the seat. */
  private abandoned: Socket[] = [];
  private media: MediaConnection | null = null;
  private mediaPorts: MediaPorts | null = null;
  private meter = new QualityMeter();
  /** Ends when the offers so far are answered: the answer to one must be in place before the next is looked at. */
  private negotiations: Promise<void> = Promise.resolve();
  private retry: ReturnType<typeof setTimeout> | null = null;
  /** Counts the requests for keys, so that a newer one is not hurt by the end of an older. */
  private unlocking = 0;
  private readonly streams = new Map<string, MediaStream>();
  private readonly listeners = new Set<() => void>();
  private readonly unsubscribe: () => void;
  private readonly unwatch: () => void;

  /** Called with what is to be said once. */
  onNotice: ((notice: RoomNotice) => void) | null = null;
  /** Called with the fragment of the new link when the link has changed. */
  onLink: ((fragment: Fragment) => void) | null = null;
  /** Called before media is let go of: the last moment in which a picture of it can be kept. */
  onMediaClosing: (() => void) | null = null;

  constructor(
    private readonly parts: RoomParts,
    private readonly local: LocalMedia,
    room: string,
    private fragment: Fragment,
    keys: UnlockedKeys | null,
  ) {
    this.current = initialRoom(room, fragment.password);
    if (keys !== null) {
      this.listen(keys.e2ee);
      this.password = keys.password;
      this.unlocked = keys.unlocked;
    }
    this.unsubscribe = local.subscribe(() => this.localChanged());
    this.unwatch = parts.watchNetwork({
      woke: () => this.dispatch({ type: 'woke' }),
      online: (isOnline) => this.dispatch({ type: 'online', isOnline }),
    });
    this.localChanged();
  }

  get state(): RoomState {
    return this.current;
  }

  /** The password that opened the keys, for the page that made the room; null when there is none. */
  get knownPassword(): string | null {
    return this.password;
  }

  /** Calls `listener` on every change; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks to be let in. */
  join(name: string, password: string | null): void {
    if (password !== this.password) {
      this.password = password;
      this.unlocked = null;
    }
    this.dispatch({ type: 'join_asked', name });
  }

  rejoin(): void {
    this.dispatch({ type: 'rejoin_asked' });
  }

  /** Makes the room again that the server forgot, unless somebody else was faster, and enters it. */
  restart(): void {
    // A new meeting begins with a new group, of which nothing is known yet.
    this.unlocked = null;
    this.dispatch({ type: 'restart_asked' });
  }

  leave(): void {
    this.dispatch({ type: 'leave_asked' });
  }

  /** Removes somebody; only the owner of the room can. */
  remove(seat: number): void {
    this.dispatch({ type: 'remove_asked', seat });
  }

  /** Closes the meeting to newcomers, or opens it again; only the owner of the room can. */
  lock(locked: boolean): void {
    this.dispatch({ type: 'lock_asked', locked });
  }

  /** What a slot plays. It lasts as long as the connection. */
  stream(mid: string): MediaStream | null {
    return this.streams.get(mid) ?? null;
  }

  /** The mids of all slots that are there. */
  mids(): string[] {
    return [...this.streams.keys()];
  }

  /** Where the server takes media; null before the first offer. */
  get ports(): MediaPorts | null {
    return this.mediaPorts;
  }

  /** How well media gets through, since the last question; null when it cannot be told. */
  async quality(): Promise<Quality | null> {
    const { media, meter } = this;
    if (media === null) return null;
    try {
      const report = await media.statistics();
      return this.media === media ? meter.look(readReport(report)) : null;
    } catch {
      // The connection was closed under the question.
      return null;
    }
  }

  /** Ends everything, keys included. */
  close(): void {
    this.dispatch({ type: 'leave_asked' });
    this.unsubscribe();
    this.unwatch();
    this.listeners.clear();
    this.disconnect();
    this.discardKeys();
  }

  private dispatch(event: RoomEvent): void {
    const { state, effects } = reduce(this.current, event);
    const isChanged = state !== this.current;
    this.current = state;
    for (const effect of effects) this.run(effect);
    if (isChanged) for (const listener of this.listeners) listener();
  }

  private run(effect: RoomEffect): void {
    switch (effect.type) {
      case 'unlock':
        void this.unlock();
        break;
      case 'connect':
        this.connect(this.current.attempt);
        break;
      case 'disconnect':
        this.disconnect();
        break;
      case 'abandon':
        this.abandon();
        break;
      case 'close_abandoned':
        this.closeAbandoned();
        break;
      case 'check':
        this.socket?.check();
        break;
      case 'create':
        this.create();
        break;
      case 'hello':
        this.hello();
        break;
      case 'send':
        this.socket?.send(effect.message);
        break;
      case 'enter':
        this.enter();
        break;
      case 'announce':
        this.announce();
        break;
      case 'remove':
        this.e2ee?.remove(effect.seat);
        break;
      case 'lock':
        this.e2ee?.lock(effect.locked);
        break;
      case 'negotiate':
        this.negotiate(effect);
        break;
      case 'close_media':
        this.closeMedia();
        break;
      case 'wait':
        this.wait(effect.ms);
        break;
      case 'stop_waiting':
        this.stopWaiting();
        break;
      case 'discard_keys':
        this.discardKeys();
        break;
      case 'notify':
        this.onNotice?.(effect.notice);
        break;
    }
  }

  private async unlock(): Promise<void> {
    const { e2ee: ready, unlocked: known } = this;
    if (ready !== null && known !== null) {
      if (this.owner === undefined) {
        // The page that made the room had the keys before there was one.
        const owner = await this.parts.loadOwner(this.current.room);
        if (this.e2ee !== ready) return;
        this.become(ready, owner);
      }
      this.dispatch({ type: 'unlocked' });
      return;
    }
    this.unlocking += 1;
    const turn = this.unlocking;
    try {
      const e2ee = this.e2ee ?? this.listen(this.parts.startE2ee());
      const [unlocked, owner] = await Promise.all([
        e2ee.unlock({ fragment: this.fragment, password: this.password }),
        this.parts.loadOwner(this.current.room),
      ]);
      if (this.e2ee !== e2ee || turn !== this.unlocking) return;
      this.unlocked = unlocked;
      this.become(e2ee, owner);
      this.dispatch({ type: 'unlocked' });
    } catch {
      if (turn === this.unlocking) this.dispatch({ type: 'unlock_failed' });
    }
  }

  private become(e2ee: E2ee, owner: OwnerKey | null): void {
    this.owner = owner;
    e2ee.enter({ room: this.current.room, owner: owner?.publicKey ?? null });
  }

  private listen(e2ee: E2ee): E2ee {
    this.e2ee = e2ee;
    e2ee.onEvent = (event) => {
      if (this.e2ee === e2ee) this.hear(e2ee, event);
    };
    return e2ee;
  }

  /** What the workers tell: some of it is for the server or the address bar, the rest for the state. */
  private hear(e2ee: E2ee, event: E2eeEvent): void {
    switch (event.type) {
      case 'frame':
        this.socket?.sendFrame(event.bytes);
        break;
      case 'owner_signature':
        void this.sign(e2ee, event.bytes);
        break;
      case 'link':
        this.linkChanged(event);
        break;
      default:
        this.dispatch({ type: 'e2ee', event });
        break;
    }
  }

  private async sign(e2ee: E2ee, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const signature = await this.owner?.sign(bytes).catch(() => null);
    if (signature != null && this.e2ee === e2ee) e2ee.ownerSigned(signature);
  }

  private linkChanged({ fragment, gate, gateHash }: Extract<E2eeEvent, { type: 'link' }>): void {
    const parsed = parseFragment(fragment);
    if (typeof parsed === 'string') return;
    this.fragment = parsed;
    this.unlocked = { gate, gateHash };
    this.onLink?.(parsed);
    this.dispatch({ type: 'link_changed' });
  }

  private connect(attempt: number): void {
    // A try to come back may have been heard already: a clean close would give up the seat that it got.
    if (this.current.link === 'restoring') this.abandon();
    else this.socket?.close();
    this.socket = this.parts.connect({
      opened: () => this.dispatch({ type: 'opened', attempt }),
      steady: () => this.dispatch({ type: 'steady', attempt }),
      message: (message) => this.dispatch({ type: 'message', attempt, message }),
      frame: (bytes) => {
        if (attempt === this.current.attempt) this.e2ee?.frame(bytes);
      },
      closed: () => this.dispatch({ type: 'closed', attempt }),
    });
  }

  private disconnect(): void {
    this.e2ee?.disconnected();
    this.closeAbandoned();
    this.socket?.close();
    this.socket = null;
  }

  private abandon(): void {
    this.e2ee?.disconnected();
    // The first one holds the seat, or one of those that were opened to come back.
    if (this.socket !== null) this.abandoned.push(this.socket);
    if (this.abandoned.length > ABANDONED_MAX) this.abandoned.shift()?.close();
    this.socket = null;
  }

  private closeAbandoned(): void {
    for (const socket of this.abandoned) socket.close();
    this.abandoned = [];
  }

  private create(): void {
    if (this.unlocked === null) return;
    const gateHash = toBase64url(this.unlocked.gateHash);
    const owner = toBase64url(this.fragment.owner);
    this.socket?.send({ type: 'create', version: VERSION, room: this.current.room, gate_hash: gateHash, owner });
  }

  private hello(): void {
    if (this.unlocked === null) return;
    const gate = toBase64url(this.unlocked.gate);
    this.socket?.send({ type: 'hello', version: VERSION, room: this.current.room, gate, media: true });
  }

  /** One has a seat and a connection: into the group, or on in it. */
  private enter(): void {
    this.announce();
    this.e2ee?.connected();
  }

  private announce(): void {
    const { seat, name, own } = this.current;
    if (seat === null) return;
    const [microphone, camera] = [own.microphone === 'on', own.camera === 'on'];
    this.e2ee?.announce({ seat, name, microphone, camera, tracks: TRACKS });
  }

  /** Offers of one connection are answered one after the other; a new connection waits for none of an old one. */
  private negotiate({ transport, negotiation, offer }: Extract<RoomEffect, { type: 'negotiate' }>): void {
    const number = this.current.transport;
    const { e2ee } = this;
    if (transport === 'new') {
      this.closeMedia();
      if (e2ee === null) return;
      this.media = this.makeConnection(e2ee, number);
      this.negotiations = Promise.resolve();
    }
    const connection = this.media;
    this.negotiations = this.negotiations.then(() => this.answer(connection, number, negotiation, offer));
  }

  private makeConnection(e2ee: E2ee, transport: number): MediaConnection {
    return new MediaConnection(
      {
        createPeerConnection: () => this.parts.createPeerConnection(),
        transforms: this.parts.attachTransforms(e2ee),
        tcpCandidates: this.current.tcpCandidates,
      },
      {
        slot: (mid, track) => this.streams.set(mid, new MediaStream([track])),
        path: (path) => this.dispatch({ type: 'path', transport, path }),
      },
    );
  }

  private async answer(
    connection: MediaConnection | null,
    transport: number,
    negotiation: number,
    offer: string,
  ): Promise<void> {
    if (connection === null || this.media !== connection) return;
    try {
      await Promise.all(KINDS.map((kind) => connection.setSource(kind, this.local.track(kind))));
      const sdp = await inflateSdp(fromBase64url(offer) ?? new Uint8Array());
      this.mediaPorts = mediaPorts(sdp, this.current.tcpCandidates);
      await connection.answer(sdp, async (answer) => {
        const deflated = toBase64url(await deflateSdp(answer));
        this.dispatch({ type: 'answered', transport, negotiation, sdp: deflated });
      });
      for (const listener of this.listeners) listener();
    } catch {
      this.dispatch({ type: 'negotiation_failed', transport });
    }
  }

  private closeMedia(): void {
    if (this.media !== null) this.onMediaClosing?.();
    this.media?.close();
    this.media = null;
    this.meter = new QualityMeter();
    this.streams.clear();
  }

  private localChanged(): void {
    const on = (kind: SourceKind): 'on' | 'off' => (this.local.state[kind].status === 'on' ? 'on' : 'off');
    const { media } = this;
    // A closed connection refuses tracks, which needs no answer: the next one starts with the current ones.
    if (media !== null) {
      for (const kind of KINDS) void media.setSource(kind, this.local.track(kind)).catch(() => undefined);
    }
    this.dispatch({ type: 'own_media', media: { microphone: on('microphone'), camera: on('camera') } });
  }

  private wait(ms: number): void {
    this.stopWaiting();
    // Spread, so that a server that comes back is not met by everybody at once.
    this.retry = setTimeout(() => this.dispatch({ type: 'retry_due' }), ms * (0.75 + Math.random() / 2));
  }

  private stopWaiting(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
  }

  private discardKeys(): void {
    this.e2ee?.close();
    this.e2ee = null;
    this.unlocked = null;
    this.owner = undefined;
  }
}
