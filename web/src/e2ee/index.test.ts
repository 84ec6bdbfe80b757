// The page's side of the two workers, with workers that are played by the test.
import { beforeEach, describe, expect, it } from 'vitest';
import { E2eeWorker } from './index.ts';
import type { E2eeEvent } from './messages.ts';

const FRAGMENT = {
  password: false,
  lobby: false,
  generation: 0,
  link: new Uint8Array(16).fill(1),
  owner: new Uint8Array(16),
};
const GATE = new Uint8Array(32).fill(5);

let frames: FakeWorker;
let group: FakeWorker;
let e2ee: E2eeWorker;
let events: E2eeEvent[];

beforeEach(() => {
  [frames, group] = [new FakeWorker(), new FakeWorker()];
  e2ee = new E2eeWorker(frames.asWorker(), group.asWorker());
  events = [];
  e2ee.onEvent = (event) => void events.push(event);
});

describe('the page', () => {
  it('asks the group worker to unlock, and gets what the server may see', async () => {
    const unlocking = e2ee.unlock({ fragment: FRAGMENT, password: 'tea' });
    expect(group.heard).toMatchObject([{ type: 'unlock', id: 1, password: 'tea' }]);
    group.says({ type: 'unlocked', id: 1, gate: GATE, gateHash: GATE });
    expect(await unlocking).toEqual({ gate: GATE, gateHash: GATE });
  });

  it('ends an earlier unlock with a later one, and hears a refusal', async () => {
    const first = e2ee.unlock({ fragment: FRAGMENT, password: 'tea' });
    const second = e2ee.unlock({ fragment: FRAGMENT, password: 'coffee' });
    await expect(first).rejects.toMatchObject({ problem: 'superseded' });
    group.says({ type: 'failed', id: 2, problem: 'refused' });
    await expect(second).rejects.toMatchObject({ problem: 'refused' });
  });

  it('hands the port of the group worker to the frame worker, and keeps none of it', () => {
    const { port1 } = new MessageChannel();
    group.says({ port: port1 });
    expect(frames.heard).toEqual([{ port: port1 }]);
    expect(events).toEqual([]);
    port1.close();
  });

  it('hears what both workers tell, and nothing that is not a message of theirs', () => {
    group.says({ type: 'removed' });
    frames.says({ type: 'removed' });
    group.says({ type: 'participant', seat: 1, name: 7 });
    frames.says({ type: 'slot', mid: 'v0', owner: null, state: 'waiting', reason: null, since: null });
    group.says('nonsense');
    expect(events.map(({ type }) => type)).toEqual(['removed', 'slot']);
  });

  it('gives up both workers when one of them dies, says so once, and asks nothing of them any more', async () => {
    const unlocking = e2ee.unlock({ fragment: FRAGMENT, password: null });
    frames.onerror?.();
    group.onerror?.();
    await expect(unlocking).rejects.toMatchObject({ problem: 'lost' });
    expect([frames.isTerminated, group.isTerminated]).toEqual([true, true]);
    expect(events).toEqual([{ type: 'lost' }]);
    await expect(e2ee.unlock({ fragment: FRAGMENT, password: null })).rejects.toMatchObject({ problem: 'lost' });
  });
});

class FakeWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  onmessageerror: (() => void) | null = null;
  isTerminated = false;
  readonly heard: unknown[] = [];

  postMessage(message: unknown): void {
    this.heard.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  says(data: unknown): void {
    this.onmessage?.({ data });
  }

  asWorker(): Worker {
    return this as unknown as Worker;
  }
}
