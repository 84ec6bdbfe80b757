import { describe, expect, it } from 'vitest';
import { toBase64url } from '../e2ee/bytes.ts';
import type { Unlocked } from '../e2ee/index.ts';
import { LocalMedia } from '../media/local.ts';
import type { ClientMessage, ServerMessage } from '../protocol/generated.ts';
import type { SocketEvents } from '../protocol/socket.ts';
import { Room, type E2ee, type RoomParts, type UnlockedKeys } from './room.ts';
import { joined, ROOM } from './samples.ts';

describe('a meeting on its page', () => {
  it('shows the server the gate, and neither link nor password', async () => {
    const { room, sent, opens } = await asking('tea at noon');
    opens();
    expect(sent).toEqual([{ type: 'hello', version: 1, room: ROOM, gate: toBase64url(GATE) }]);
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

  it('seals a new announcement at every seat, and hands over what the others announce', async () => {
    const { room, workers, sent, opens, says } = await asking(null);
    opens();
    const other = { seat: 3, microphone: 'on', camera: 'on', presence: 'here', sealed: 'AQID' } as const;
    says(joined([other], 7));
    await settled();
    expect(workers[0]?.calls).toEqual([`enter ${ROOM} 7`, 'announce Ada', 'announced 3 1,2,3']);
    expect(sent.map(({ type }) => type)).toEqual(['hello', 'media', 'announce']);
    room.leave();
    expect(workers[0]?.calls.at(-1)).toBe('left 3');
    expect(sent.at(-1)).toEqual({ type: 'leave' });
  });

  it('whose encryption does not enter its seat starts again with a new worker', async () => {
    const { room, workers, parts, opens, says } = await asking(null);
    parts.refuseEnter = true;
    opens();
    says(joined());
    await settled();
    expect(room.state.phase.type).toBe('away');
    expect(workers.map((worker) => worker.isClosed)).toEqual([true]);
    room.rejoin();
    await settled();
    expect(workers.map((worker) => worker.isClosed)).toEqual([true, false]);
    room.close();
    expect(workers.map((worker) => worker.isClosed)).toEqual([true, true]);
  });
});

const GATE = new Uint8Array(32).fill(5);
const UNLOCKED: Unlocked = { gate: GATE, gateHash: new Uint8Array(32).fill(6) };
const LINK = new Uint8Array(16).fill(1);
const FRAGMENT = { password: true, lobby: false, generation: 0, link: LINK, owner: new Uint8Array(16) };

class FakeWorker {
  onEvent = null;
  isClosed = false;
  readonly passwords: (string | null)[] = [];
  readonly calls: string[] = [];
  private readonly pending: PromiseWithResolvers<Unlocked>[] = [];

  constructor(private readonly parts = { holdUnlock: false, refuseEnter: false }) {}

  unlock({ password }: { password: string | null }): Promise<Unlocked> {
    this.passwords.push(password);
    if (!this.parts.holdUnlock) return Promise.resolve(UNLOCKED);
    const unlocking = Promise.withResolvers<Unlocked>();
    this.pending.push(unlocking);
    return unlocking.promise;
  }

  enter({ room, seat }: { room: string; seat: number }): Promise<void> {
    this.calls.push(`enter ${room} ${seat}`);
    return this.parts.refuseEnter ? Promise.reject(new Error()) : Promise.resolve();
  }

  announce({ name }: { name: string }): Promise<Uint8Array> {
    this.calls.push(`announce ${name}`);
    return Promise.resolve(new Uint8Array([9]));
  }

  participantAnnounced(seat: number, sealed: Uint8Array): void {
    this.calls.push(`announced ${seat} ${sealed.join()}`);
  }

  participantLeft(seat: number): void {
    this.calls.push(`left ${seat}`);
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
  readonly parts: { holdUnlock: boolean; refuseEnter: boolean };
  readonly workers: FakeWorker[];
  readonly sent: ClientMessage[];
  readonly opens: () => void;
  readonly says: (message: ServerMessage) => void;
}

/** A room whose server is played by the test. Media never comes: there is no browser here. */
function making(keys: UnlockedKeys | null = null): Making {
  const parts = { holdUnlock: false, refuseEnter: false };
  const workers: FakeWorker[] = [];
  const sent: ClientMessage[] = [];
  let events: SocketEvents | null = null;
  const played: RoomParts = {
    startE2ee: () => {
      const worker = new FakeWorker(parts);
      workers.push(worker);
      return worker.asE2ee();
    },
    attachTransforms: () => ({ sender: () => undefined, receiver: () => undefined }),
    createPeerConnection: () => ({ setRemoteDescription: () => new Promise(() => {}), close: () => {} }) as never,
    connect: (told) => {
      events = told;
      return { send: (message) => void sent.push(message), close: () => undefined };
    },
  };
  const local = new LocalMedia({ devices: undefined, permission: () => Promise.resolve(null) });
  const room = new Room(played, local, ROOM, FRAGMENT, keys);
  return {
    room,
    parts,
    workers,
    sent,
    opens: () => events?.opened(),
    says: (message) => events?.message(message),
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
