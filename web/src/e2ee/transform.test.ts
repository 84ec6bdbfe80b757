import { expect, it } from 'vitest';
import { QUEUE_FRAMES_MAX } from './limits.ts';
import { transformFrames, type EncodedFrame } from './transform.ts';

it('frames leave in the order in which they came, however long each takes', async () => {
  const { readable, writable, written } = streams(20);
  await transformFrames(
    readable,
    writable,
    async (frame) => {
      await new Promise((resolve) => setTimeout(resolve, idOf(frame) % 3));
      return true;
    },
    () => undefined,
  );
  expect(written).toEqual(Array.from({ length: 20 }, (_, id) => id));
});

it('a frame whose step says no, or throws, is dropped and the rest goes on', async () => {
  const { readable, writable, written } = streams(4);
  const lost: string[] = [];
  await transformFrames(
    readable,
    writable,
    async (frame) => {
      if (idOf(frame) === 1) throw new Error('broken');
      return idOf(frame) !== 2;
    },
    (reason) => lost.push(reason),
  );
  expect(written).toEqual([0, 3]);
  expect(lost).toEqual(['fault']);
});

it('beyond the bound frames are dropped and counted', async () => {
  const surplus = 10;
  const { readable, writable, written } = streams(QUEUE_FRAMES_MAX + surplus);
  const lost: string[] = [];
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const done = transformFrames(
    readable,
    writable,
    async () => {
      await held;
      return true;
    },
    (reason) => lost.push(reason),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  release();
  await done;
  expect(written).toHaveLength(QUEUE_FRAMES_MAX);
  expect(lost).toEqual(Array.from({ length: surplus }, () => 'overload'));
});

it('streams that break end the transform quietly', async () => {
  const broken = new ReadableStream<EncodedFrame>({ start: (controller) => controller.error(new Error('closed')) });
  await transformFrames(
    broken,
    new WritableStream(),
    () => Promise.resolve(true),
    () => undefined,
  );
  const { readable } = streams(3);
  const closed = new WritableStream<EncodedFrame>({ write: () => Promise.reject(new Error('closed')) });
  await transformFrames(
    readable,
    closed,
    () => Promise.resolve(true),
    () => undefined,
  );
});

function streams(count: number) {
  const frames = Array.from({ length: count }, (_, id) => frameOf(id));
  const written: number[] = [];
  const readable = new ReadableStream<EncodedFrame>({
    start(controller) {
      for (const frame of frames) controller.enqueue(frame);
      controller.close();
    },
  });
  const writable = new WritableStream<EncodedFrame>({
    write(frame) {
      written.push(idOf(frame));
    },
  });
  return { readable, writable, written };
}

function frameOf(id: number): EncodedFrame {
  return { data: new Uint8Array([id]).buffer, getMetadata: () => ({}) };
}

function idOf(frame: EncodedFrame): number {
  return new Uint8Array(frame.data)[0] ?? -1;
}
