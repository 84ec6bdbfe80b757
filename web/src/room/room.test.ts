import { describe, expect, it, vi } from 'vitest';
import { fromBase64url, toBase64url } from '../e2ee/bytes.ts';
import { makeFragment } from '../e2ee/fragment.ts';
import type { E2eeEvent, Saying, Unlocked } from '../e2ee/index.ts';
import { LocalMedia } from '../media/local.ts';
import type { ClientMessage, ServerMessage } from '../protocol/generated.ts';
import { deflateSdp, inflateSdp } from '../protocol/inflate.ts';
import type { NetworkEvents } from '../protocol/network.ts';
import type { SocketEvents } from '../protocol/socket.ts';
import { Room, type E2ee, type RoomParts, type UnlockedKeys } from './room.ts';
import { joined, offer, resumed, ROOM } from './samples.ts';

describe('a meeting on its page', () => {
  it('shows the server the gate, and neither link nor password', async () => {
    const { room, sent, opens } = await asking('tea at noon');
    opens();
    expect(sent).toEqual([{ type: 'hello', version: 1, room: ROOM, gate: toBase64url(GATE), media: true }]);
    room.close();
  });

  it('derives the keys of one password once, however often it is refused', async () => {
    const { room, workers, opens, says } = await asking('tea');
    opens();
    says({ type: 'error', code: 'room_full', detail: '', retry_after_ms: null });
    room.join('Ada', 'tea');
    await settled();
    expect(workers.map((worker) => worker.passwords)).toEqual([['tea']]);
    opens();
    says({ type: 'error', code: 'refused', detail: '', retry_after_ms: null });
    room.join('Ada', 'coffee');
    await settled();
    expect(workers.map((worker) => worker.passwords)).toEqual([['tea', 'coffee']]);
  });

  it('is not hurt by the end of a derivation that was given up', async () => {
    const { room, workers, parts } = making();
    parts.holdUnlock = true;
    room.join('Ada', 'first');
    room.leave();
    room.join('Ada', 'second');
    workers[0]?.fails(0);
    await settled();
    expect(room.state.phase.type).toBe('unlocking');
    workers[0]?.finishes(1);
    await settled();
    expect(room.state.phase.type).toBe('entering');
  });

  it('takes over the keys of the page that made it', async () => {
    const made = new FakeWorker();
    const { room, workers } = making({ e2ee: made.asE2ee(), password: 'tea', unlocked: UNLOCKED });
    expect(room.knownPassword).toBe('tea');
    room.join('Ada', 'tea');
    await settled();
    expect(room.state.phase.type).toBe('entering');
    expect([workers.length, made.passwords]).toEqual([0, []]);
  });

  it('goes into the group when it has a seat, and carries frames both ways', async () => {
    const { room, workers, sent, frames, opens, says, saysFrame } = await asking(null);
    opens();
    says(joined([], 7));
    await settled();
    expect(workers[0]?.calls).toEqual([`enter ${ROOM}`, 'announce Ada 7', 'connected']);
    expect(sent.map(({ type }) => type)).toEqual(['hello']);
    saysFrame(new Uint8Array([1, 2]));
    expect(workers[0]?.calls.at(-1)).toBe('frame 1,2');
    workers[0]?.tells({ type: 'frame', bytes: new Uint8Array([3]) });
    expect(frames).toEqual([new Uint8Array([3])]);
    room.leave();
    expect(workers[0]?.calls.at(-1)).toBe('disconnected');
    expect(sent.at(-1)).toEqual({ type: 'leave' });
  });

  it('whose link changed shows the new gate from then on, and hands the link on', async () => {
    const { room, workers, sent, opens, says } = await asking(null);
    opens();
    says(joined([], 7));
    const links: number[] = [];
    room.onLink = ({ generation }) => void links.push(generation);
    const fragment = makeFragment({ ...FRAGMENT, generation: 1 });
    const gate = new Uint8Array(32).fill(9);
    workers[0]?.tells({ type: 'link', fragment, gate, gateHash: gate });
    expect(links).toEqual([1]);
    room.leave();
    room.rejoin();
    await settled();
    opens();
    expect(sent.at(-1)).toMatchObject({ type: 'hello', gate: toBase64url(gate) });
  });

  it('that this browser owns signs what the group asks for, and no other does', async () => {
    const owned = making(null, true);
    owned.room.join('Ada', null);
    await settled();
    owned.workers[0]?.tells({ type: 'owner_signature', bytes: new Uint8Array([5]) });
    await settled();
    expect(owned.workers[0]?.calls).toEqual([`enter ${ROOM} as owner`, 'signed 5']);
    const other = await asking(null);
    other.workers[0]?.tells({ type: 'owner_signature', bytes: new Uint8Array([5]) });
    await settled();
    expect(other.workers[0]?.calls).toEqual([`enter ${ROOM}`]);
  });
});

describe('offers', () => {
  it('of one connection are answered one after the other, in their order', async () => {
    const { peers, sent, says } = await inside();
    says(offer('kept', { negotiation: 2, offer: await deflated('second') }));
    says(offer('kept', { negotiation: 3, offer: await deflated('third') }));
    for (const count of [1, 2, 3]) {
      await vi.waitFor(() => expect(peers[0]?.offers).toHaveLength(count));
      expect(await answers(sent)).toHaveLength(count - 1);
      peers[0]?.applies();
      await vi.waitFor(async () => expect(await answers(sent)).toHaveLength(count));
    }
    expect(peers).toHaveLength(1);
    expect(await answers(sent)).toEqual(['1 answer to first', '2 answer to second', '3 answer to third']);
  });

  it('of a new connection leave a moment to keep the pictures of the old one, before it is closed', async () => {
    const { room, peers, says } = await inside();
    const seen: boolean[] = [];
    room.onMediaClosing = () => void seen.push(peers[0]?.isClosed ?? true);
    says(offer('new', { negotiation: 2, offer: await deflated('second') }));
    expect([seen, peers[0]?.isClosed]).toEqual([[false], true]);
  });

  it('of a new connection wait for none of the old one, whose answers are not sent any more', async () => {
    const { peers, sent, says } = await inside();
    says(offer('new', { negotiation: 2, offer: await deflated('second') }));
    await vi.waitFor(() => expect(peers[1]?.offers).toEqual(['second']));
    expect(peers.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    peers[0]?.applies();
    peers[1]?.applies();
    await vi.waitFor(async () => expect(await answers(sent)).toEqual(['2 answer to second']));
  });
});

describe('a connection that broke', () => {
  it('is closed only when the seat is on the next one, and media stays untouched', async () => {
    const { room, peers, sockets, sent, opens, says, breaks, workers } = await inside();
    workers[0]?.calls.splice(0);
    breaks();
    await vi.waitFor(() => expect(sockets).toEqual(['open', 'open']));
    opens();
    expect(sent.at(-1)).toMatchObject({ type: 'resume', room: ROOM });
    says(resumed());
    expect(sockets).toEqual(['closed', 'open']);
    expect(peers.map(({ isClosed }) => isClosed)).toEqual([false]);
    expect(workers[0]?.calls).toEqual(['disconnected', 'announce Ada 0', 'connected']);
    room.close();
    expect(sockets).toEqual(['closed', 'closed']);
  });

  it('is not given up by a second try, which the first may have been heard before', async () => {
    const { sockets, sent, opens, says, breaks, wakes } = await inside();
    breaks();
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
    opens();
    expect(sent.at(-1)).toMatchObject({ type: 'resume' });
    wakes();
    await vi.waitFor(() => expect(sockets).toEqual(['open', 'open', 'open']));
    opens();
    says(resumed());
    expect(sockets).toEqual(['closed', 'closed', 'open']);
  });

  it('leaves nothing open when one leaves meanwhile', async () => {
    const { room, sockets, breaks } = await inside();
    breaks();
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
    room.leave();
    expect(sockets).toEqual(['closed', 'closed']);
  });

  it('is doubted when the browser wakes up, until the meeting is closed', async () => {
    const { room, sockets, wakes, isWatched } = await inside();
    wakes();
    expect(sockets).toEqual(['checked']);
    room.close();
    expect(isWatched()).toBe(false);
  });
});

describe('a forgotten meeting', () => {
  it('is made again behind the same link, and the server sees a hash of the gate before the gate', async () => {
    const { room, sent, sockets, opens, says, breaks } = await inside();
    breaks();
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
    opens();
    says({ type: 'error', code: 'resume_refused', detail: '', retry_after_ms: null });
    await vi.waitFor(() => expect(sockets).toHaveLength(3));
    opens();
    says({ type: 'error', code: 'refused', detail: '', retry_after_ms: null });
    expect(room.state.phase).toEqual({ type: 'over', reason: 'forgotten' });
    room.restart();
    await vi.waitFor(() => expect(sockets).toHaveLength(4));
    opens();
    const gateHash = toBase64url(UNLOCKED.gateHash);
    expect(sent.at(-1)).toEqual({ type: 'create', version: 1, room: ROOM, gate_hash: gateHash, owner: toBase64url(FRAGMENT.owner) });
    says({ type: 'created', room: ROOM });
    expect(sent.at(-1)).toMatchObject({ type: 'hello', room: ROOM });
    room.close();
  });
});

/** A room that is inside, and whose first offer waits to be applied. */
async function inside(): Promise<Making> {
  const made = await asking(null);
  made.opens();
  const message = joined();
  if (message.type === 'joined') made.says({ ...message, offer: await deflated('first') });
  await vi.waitFor(() => expect(made.peers[0]?.offers).toEqual(['first']));
  return made;
}

async function deflated(sdp: string): Promise<string> {
  return toBase64url(await deflateSdp(sdp));
}

/** What was answered, in order. */
function answers(sent: readonly ClientMessage[]): Promise<string[]> {
  return Promise.all(
    sent.flatMap((message) =>
      message.type === 'answer'
        ? [inflateSdp(fromBase64url(message.sdp) ?? new Uint8Array()).then((sdp) => `${message.negotiation} ${sdp}`)]
        : [],
    ),
  );
}

const GATE = new Uint8Array(32).fill(5);
const UNLOCKED: Unlocked = { gate: GATE, gateHash: new Uint8Array(32).fill(6) };
const LINK = new Uint8Array(16).fill(1);
const FRAGMENT = { password: true, lobby: false, generation: 0, link: LINK, owner: new Uint8Array(16) };

class FakeWorker {
  onEvent: ((event: E2eeEvent) => void) | null = null;
  isClosed = false;
  readonly passwords: (string | null)[] = [];
  readonly calls: string[] = [];
  private readonly pending: PromiseWithResolvers<Unlocked>[] = [];

  constructor(private readonly parts = { holdUnlock: false }) {}

  tells(event: E2eeEvent): void {
    this.onEvent?.(event);
  }

  unlock({ password }: { password: string | null }): Promise<Unlocked> {
    this.passwords.push(password);
    if (!this.parts.holdUnlock) return Promise.resolve(UNLOCKED);
    const unlocking = Promise.withResolvers<Unlocked>();
    this.pending.push(unlocking);
    return unlocking.promise;
  }

  enter({ room, owner }: { room: string; owner: Uint8Array | null }): void {
    this.calls.push(`enter ${room}${owner === null ? '' : ' as owner'}`);
  }

  announce({ name, seat }: Saying): void {
    this.calls.push(`announce ${name} ${seat}`);
  }

  connected(): void {
    this.calls.push('connected');
  }

  disconnected(): void {
    if (this.calls.at(-1) !== 'disconnected') this.calls.push('disconnected');
  }

  frame(bytes: Uint8Array): void {
    this.calls.push(`frame ${bytes.join()}`);
  }

  ownerSigned(signature: Uint8Array): void {
    this.calls.push(`signed ${signature.join()}`);
  }

  close(): void {
    this.isClosed = true;
  }

  fails(request: number): void {
    this.pending[request]?.reject(new Error('superseded'));
  }

  finishes(request: number): void {
    this.pending[request]?.resolve(UNLOCKED);
  }

  asE2ee(): E2ee {
    return this as unknown as E2ee;
  }
}

interface Making {
  readonly room: Room;
  readonly parts: { holdUnlock: boolean };
  readonly workers: FakeWorker[];
  readonly sent: ClientMessage[];
  /** Binary messages that were sent. */
  readonly frames: Uint8Array[];
  readonly saysFrame: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly opens: () => void;
  readonly says: (message: ServerMessage) => void;
  readonly breaks: () => void;
  readonly wakes: () => void;
  readonly isWatched: () => boolean;
  /** How each connection stands. */
  readonly sockets: string[];
  readonly peers: FakePeer[];
}

/** A peer connection that notes which offers are applied; each stays pending until the test lets it go on. */
class FakePeer {
  readonly offers: string[] = [];
  isClosed = false;
  private readonly pending: (() => void)[] = [];

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.offers.push(sdp);
    return new Promise((resolve) => {
      this.pending.push(resolve);
    });
  }

  applies(): void {
    this.pending.shift()?.();
  }

  getTransceivers(): unknown[] {
    const sender = {
      replaceTrack: () => Promise.resolve(),
      getParameters: () => ({ encodings: [] }),
      setParameters: () => Promise.resolve(),
    };
    return ['m', 'c'].map((mid) => ({ mid, sender, direction: 'recvonly' }));
  }

  createAnswer(): Promise<{ sdp: string }> {
    return Promise.resolve({ sdp: `answer to ${this.offers.at(-1)}` });
  }

  setLocalDescription(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A room whose server is played by the test. Media never comes: there is no browser here. */
function making(keys: UnlockedKeys | null = null, isOwner = false): Making {
  const parts = { holdUnlock: false };
  const workers: FakeWorker[] = [];
  const sent: ClientMessage[] = [];
  const frames: Uint8Array[] = [];
  const sockets: string[] = [];
  const peers: FakePeer[] = [];
  let events: SocketEvents | null = null;
  let network: NetworkEvents | null = null;
  const played: RoomParts = {
    startE2ee: () => {
      const worker = new FakeWorker(parts);
      workers.push(worker);
      return worker.asE2ee();
    },
    attachTransforms: () => ({ sender: () => undefined, receiver: () => undefined }),
    createPeerConnection: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer as never;
    },
    connect: (told) => {
      events = told;
      const number = sockets.length;
      sockets.push('open');
      return {
        send: (message) => void sent.push(message),
        sendFrame: (bytes) => void frames.push(bytes),
        check: () => void (sockets[number] = 'checked'),
        close: () => void (sockets[number] = 'closed'),
      };
    },
    loadOwner: () => Promise.resolve(isOwner ? { publicKey: new Uint8Array(32), sign: (bytes) => Promise.resolve(bytes) } : null),
    watchNetwork: (told) => {
      network = told;
      return () => void (network = null);
    },
  };
  const local = new LocalMedia({ devices: undefined, permission: () => Promise.resolve(null) });
  const room = new Room(played, local, ROOM, FRAGMENT, keys);
  return {
    room,
    parts,
    workers,
    sent,
    frames,
    saysFrame: (bytes) => events?.frame(bytes),
    sockets,
    peers,
    opens: () => events?.opened(),
    says: (message) => events?.message(message),
    breaks: () => events?.closed(),
    wakes: () => network?.woke(),
    isWatched: () => network !== null,
  };
}

/** A room that has the keys and is about to say hello. */
async function asking(password: string | null): Promise<Making> {
  const made = making();
  made.room.join('Ada', password);
  await settled();
  return made;
}

async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
