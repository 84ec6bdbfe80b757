// The page's side against a worker that runs in the same thread.
import { describe, expect, it, vi } from 'vitest';
import type { E2eeEvent } from './messages.ts';
import { RoomSecret } from './secret.ts';
import { Session } from './session.ts';

vi.mock('./start.ts', () => ({ startWorker: () => new WorkerHere() }));
const { E2eeError, E2eeWorker } = await import('./index.ts');

const LINK = new Uint8Array(16).fill(1);
const ROOM = 'YSByb29tIGlkLCAxNiBCLg';
const TRACKS = [{ number: 0, kind: 'microphone' as const }];

describe('E2eeWorker', () => {
  it('unlocks, enters, announces and tells of others', async () => {
    const ada = await entered(1);
    const ben = await entered(2);
    const events = listen(ben);
    ben.participantAnnounced(1, await ada.announce({ name: 'Ada', tracks: TRACKS }));
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(events).toEqual([{ type: 'participant', seat: 1, name: 'Ada', tracks: TRACKS }]);
  });

  it('a second unlock ends the first at once', async () => {
    const worker = E2eeWorker.start();
    const first = worker.unlock({ link: LINK, password: 'long work' });
    const second = worker.unlock({ link: LINK, password: null });
    await expect(first).rejects.toMatchObject({ problem: 'superseded' });
    expect((await second).gate).toHaveLength(32);
  });

  it('a refused request says so', async () => {
    await expect(E2eeWorker.start().enter({ room: ROOM, seat: 1 })).rejects.toBeInstanceOf(E2eeError);
    const worker = await entered(1);
    const announced = worker.announce({ name: 'a\u0000', tracks: TRACKS });
    await expect(announced).rejects.toMatchObject({ problem: 'refused' });
  });

  it('a worker that dies is told once, and everything waiting fails', async () => {
    const here = new WorkerHere();
    const worker = new E2eeWorker(here as unknown as Worker);
    const events = listen(worker);
    const waiting = worker.unlock({ link: LINK, password: 'long work' });
    here.onerror?.();
    here.onerror?.();
    await expect(waiting).rejects.toMatchObject({ problem: 'lost' });
    await expect(worker.enter({ room: ROOM, seat: 1 })).rejects.toMatchObject({ problem: 'lost' });
    expect(events).toEqual([{ type: 'lost' }]);
  });

  it('what the worker says is checked, not believed', () => {
    const here = new WorkerHere();
    const worker = new E2eeWorker(here as unknown as Worker);
    const events = listen(worker);
    const slot = { type: 'slot', mid: 'v0', owner: null, state: 'waiting', reason: null, since: null };
    for (const message of [
      null,
      { type: 'participant', seat: 1_024, name: 'n', tracks: [] },
      { type: 'participant', seat: 1, name: 'n', tracks: [{ number: 0, kind: 'screen' }] },
      { type: 'announcement_refused', seat: 1, reason: 'because' },
      { ...slot, state: 'plaintext' },
      { ...slot, owner: { seat: 1 } },
      { ...slot, reason: 'none' },
      { ...slot, since: '0' },
      { type: 'statistics', counters: { sealed: 1 } },
      { type: 'unlock_progress', fraction: Number.NaN },
    ]) {
      here.onmessage?.({ data: message });
    }
    expect(events).toEqual([]);
    here.onmessage?.({ data: slot });
    expect(events).toEqual([slot]);
  });

  it('transforms carry what they are for', () => {
    const made: unknown[] = [];
    vi.stubGlobal(
      'RTCRtpScriptTransform',
      function RTCRtpScriptTransform(_worker: unknown, options: unknown) {
        made.push(options);
      },
    );
    const worker = E2eeWorker.start();
    const sender = { transform: null } as unknown as RTCRtpSender;
    const receiver = { transform: null } as unknown as RTCRtpReceiver;
    worker.attachSender(sender, { track: 1, kind: 'camera' });
    worker.attachReceiver(receiver, { mid: 'v0', kind: 'video' });
    vi.unstubAllGlobals();
    expect(sender.transform).not.toBeNull();
    expect(receiver.transform).not.toBeNull();
    expect(made).toEqual([
      { role: 'sender', track: 1, kind: 'camera' },
      { role: 'receiver', mid: 'v0', media: 'video' },
    ]);
  });
});

/** A worker in this thread: a session, with copies of messages as a real one gets. */
class WorkerHere {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  onmessageerror: (() => void) | null = null;
  readonly #session = new Session({
    post: (message) => {
      const copy: unknown = structuredClone(message);
      setTimeout(() => this.onmessage?.({ data: copy }), 0);
    },
    now: () => 0,
    derive: RoomSecret.derive,
  });

  postMessage(message: unknown): void {
    const copy: unknown = structuredClone(message);
    setTimeout(() => this.#session.handle(copy), 0);
  }

  terminate(): void {
    this.onmessage = null;
  }
}

async function entered(seat: number) {
  const worker = E2eeWorker.start();
  await worker.unlock({ link: LINK, password: null });
  await worker.enter({ room: ROOM, seat });
  return worker;
}

function listen(worker: InstanceType<typeof E2eeWorker>): E2eeEvent[] {
  const events: E2eeEvent[] = [];
  worker.onEvent = (event) => events.push(event);
  return events;
}
