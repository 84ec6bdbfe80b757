// Two pages of one meeting, without a browser: what one worker seals, the other opens.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bytes } from './bytes.ts';
import type { KeyMessage, Seated } from './group_messages.ts';
import type { Counters, FrameEvent, Media, Track, TrackKind } from './messages.ts';
import { Session, type Asking } from './session.ts';
import type { EncodedFrame, FrameMetadata, Step } from './transform.ts';

const TRACKS: Track[] = [
  { number: 0, kind: 'microphone' },
  { number: 1, kind: 'camera' },
  { number: 2, kind: 'screen' },
];
const NUMBERS: Partial<Record<TrackKind, number>> = { microphone: 0, camera: 1, screen: 2 };
const VP8_KEY = new Uint8Array([0x50, 0x2f, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1, 7, 7, 7]);
const VP8_DELTA = new Uint8Array([0xd1, 1, 2, 3]);

let house: Group;
let ada: Page;
let ben: Page;

beforeEach(() => {
  house = new Group();
  ada = house.add('ada');
  ben = house.add('ben');
  house.next();
});

describe('a call', () => {
  it('audio and video open to what was sealed, and the slots belong to the sender', async () => {
    const voice = await ada.send('microphone', new Uint8Array([9, 9, 9]), 960);
    const picture = await ada.send('camera', VP8_KEY, 3_000);
    expect(await ben.receive('a0', voice)).toEqual(new Uint8Array([9, 9, 9]));
    expect(await ben.receive('v0', picture)).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toEqual({
      type: 'slot',
      mid: 'v0',
      owner: { seat: 0, track: 1, kind: 'camera' },
      state: 'encrypted',
      reason: null,
      since: 3_000,
    });
    expect(ben.slot('a0')).toMatchObject({ owner: { seat: 0, track: 0, kind: 'microphone' }, state: 'encrypted' });
  });

  it('nothing of the plaintext is on the wire, and every frame has a counter of its own', async () => {
    const frames = await Promise.all([1, 2, 3].map(() => ada.send('camera', VP8_KEY, 5)));
    const wire = frames.map(({ bytes }) => Buffer.from(bytes));
    for (const bytes of wire) expect(bytes.includes(Buffer.from([7, 7, 7]))).toBe(false);
    expect(new Set(wire.map((bytes) => bytes.toString('hex'))).size).toBe(3);
    for (const frame of frames) expect(await ben.receive('v0', frame)).toEqual(VP8_KEY);
  });

  it('goes on over a new epoch without a key frame, and frames of the old one still open', async () => {
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    const late = await ada.send('camera', VP8_DELTA, 3_000);
    const cleo = house.add('cleo');
    house.next();
    const first = await ada.send('camera', VP8_DELTA, 6_000);
    expect(await ben.receive('v0', late)).toEqual(VP8_DELTA);
    expect(await ben.receive('v0', first)).toEqual(VP8_DELTA);
    expect(await cleo.receive('v0', first)).toBe('waiting_for_key_frame');
    expect(cleo.keyFrameRequests).toBe(1);
    expect(await cleo.receive('v0', late)).toBe('waiting_for_key');
  });

  it('a frame of an epoch that comes a moment later is held back for it', async () => {
    house.add('cleo');
    house.next([ada]);
    const early = await ada.send('microphone', VP8_DELTA, 0);
    const received = ben.receive('a0', early);
    setTimeout(() => house.tell(ben), 20);
    expect(await received).toEqual(VP8_DELTA);
  });
});

describe('epochs that follow each other quickly', () => {
  it('are all waited for, whatever else arrives meanwhile', async () => {
    for (const name of ['cleo', 'dora', 'emil']) {
      house.add(name);
      house.next([ada]);
      const received = ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960 * house.epoch));
      setTimeout(() => ben.session.handleKeys({ type: 'person', member: 'nobody', seat: 9, tracks: TRACKS }), 5);
      setTimeout(() => house.tell(ben), 20);
      expect(await received).toEqual(VP8_DELTA);
      ben.time += 20;
    }
  });

  it('that never come hold up a slot once, and then again after a while only', async () => {
    house.next([ada]);
    const frames = await Promise.all([1, 2].map((index) => ada.send('microphone', VP8_DELTA, 960 * index)));
    const [first, second] = frames as [Sent, Sent];
    const began = performance.now();
    expect(await ben.receive('a0', first)).toBe('waiting_for_key');
    const held = performance.now() - began;
    ben.time += held;
    expect(await ben.receive('a0', second)).toBe('waiting_for_key');
    expect(performance.now() - began - held).toBeLessThan(held / 2);
  });
});

describe('a picture that is torn', () => {
  it('because a key was not there is mended by a key frame, asked for as soon as frames open again', async () => {
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    const forged = await ada.send('camera', VP8_DELTA, 3_000);
    forged.bytes[forged.bytes.length - 1] = (forged.bytes.at(-1) ?? 0) ^ 1;
    expect(await ben.receive('v0', forged)).toBe('tampered');
    expect(ben.keyFrameRequests, 'while nothing opens it would not help').toBe(0);
    expect(await ben.receive('v0', await ada.send('camera', VP8_DELTA, 6_000))).toEqual(VP8_DELTA);
    expect(ben.keyFrameRequests).toBe(1);
    ben.time += 100;
    await ben.receive('v0', await ada.send('camera', VP8_DELTA, 9_000));
    expect(ben.keyFrameRequests, 'encoders pay dearly for each').toBe(1);
    ben.time += 1_000;
    await ben.receive('v0', await ada.send('camera', VP8_DELTA, 12_000));
    expect(ben.keyFrameRequests).toBe(2);
    ben.time += 1_000;
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 15_000));
    await ben.receive('v0', await ada.send('camera', VP8_DELTA, 18_000));
    expect(ben.keyFrameRequests, 'it is whole again').toBe(2);
  });
});

describe('a sender that could not seal for a while', () => {
  it('makes a key frame as soon as it can again, once', async () => {
    await ada.send('camera', VP8_KEY, 0);
    ada.session.handleKeys({ type: 'stop' });
    await ada.send('camera', VP8_DELTA, 3_000);
    expect(ada.keyFramesMade).toBe(0);
    house.next();
    await ada.send('camera', VP8_DELTA, 6_000);
    await ada.send('camera', VP8_DELTA, 9_000);
    expect(ada.keyFramesMade).toBe(1);
    ada.session.handleKeys({ type: 'stop' });
    await ada.send('microphone', VP8_DELTA, 0);
    house.next();
    await ada.send('microphone', VP8_DELTA, 960);
    expect(ada.keyFramesMade, 'sound needs none').toBe(1);
  });
});

describe('no key, no frame', () => {
  it('before an epoch is to be sent with, and after stop, nothing is sent', async () => {
    const page = new Page(house, 'nobody', 9);
    expect(await page.send('camera', VP8_KEY, 0)).toMatchObject({ sent: false });
    ada.session.handleKeys({ type: 'stop' });
    expect(await ada.send('camera', VP8_KEY, 0)).toMatchObject({ sent: false });
    expect(ada.counters()).toMatchObject({ sealed: 0, not_entered: 1 });
  });

  it('unknown codecs and codecs of the wrong kind are neither sent nor received', async () => {
    for (const mimeType of ['audio/red', 'video/H264', '', 'video/VP8']) {
      expect(await ada.send('microphone', VP8_KEY, 0, mimeType)).toMatchObject({ sent: false });
    }
    expect(ada.counters().codec).toBe(4);
    expect(await ben.receive('v0', { ...(await ada.send('camera', VP8_KEY, 0)), mimeType: 'video/H264' })).toBe('codec');
  });

  it('a transform with options that are not ours handles nothing', () => {
    for (const options of [null, {}, { role: 'sender', track: 64, kind: 'camera' }, { role: 'passthrough' }]) {
      expect(ada.session.step(options, {})).toBeNull();
    }
  });

  it('plaintext that the server slips in is not shown', async () => {
    const bytes = new Uint8Array([...VP8_KEY, ...new Uint8Array(30)]);
    expect(await ben.receive('v0', { bytes, mimeType: 'video/VP8', timestamp: 0, sent: true })).toBe('malformed');
    const opus = { bytes: new Uint8Array(40), mimeType: 'audio/opus', timestamp: 0, sent: true };
    expect(await ben.receive('a0', opus)).toBe('waiting_for_key');
    expect(ben.slot('a0')).toMatchObject({ owner: null, state: 'waiting', reason: 'waiting_for_key' });
  });

  it('a member that has no seat on the page is not shown, and neither is one without an announcement', async () => {
    const frame = await ada.send('microphone', VP8_DELTA, 0);
    ben.session.handleKeys({ type: 'person', member: 'ada', seat: null, tracks: TRACKS });
    expect(await ben.receive('a0', frame)).toBe('announcement_refused');
    const cleo = new Page(house, 'cleo', 2);
    cleo.session.handleKeys(house.epochFor('cleo'));
    expect(await cleo.receive('a0', await ada.send('microphone', VP8_DELTA, 960))).toBe('waiting_for_key');
  });

  it('keys end when the member is gone, and what still arrives is said to be of somebody removed', async () => {
    await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 0));
    const late = await ada.send('microphone', VP8_DELTA, 960);
    ben.session.handleKeys({ type: 'forget_leaf', leaf: 0, before: house.epoch + 1 });
    ben.session.handleKeys({ type: 'gone', member: 'ada' });
    expect(ben.slot('a0')).toMatchObject({ owner: null, state: 'waiting' });
    expect(await ben.receive('a0', late)).toBe('removed');
  });

  it('a forgotten epoch opens nothing and seals nothing', async () => {
    const frame = await ada.send('microphone', VP8_DELTA, 0);
    for (const page of [ada, ben]) page.session.handleKeys({ type: 'forget', epoch: house.epoch });
    expect(await ben.receive('a0', frame)).toBe('waiting_for_key');
    expect(await ada.send('microphone', VP8_DELTA, 960)).toMatchObject({ sent: false });
  });

  it('a member that was removed opens nothing of the next epoch', async () => {
    house.remove('ben');
    house.next();
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 0))).toBe('waiting_for_key');
  });
});

describe('a malicious server', () => {
  // Each attack comes with a control: the same bytes, where the check has nothing to find, do open. And after each one
  // the call goes on.
  it('that replays or repeats frames is noticed; a page that has not seen them opens them', async () => {
    const first = await ada.send('microphone', new Uint8Array([1]), 0);
    await ben.receive('a0', first);
    expect(await ben.receive('a0', first)).toBe('duplicate');
    for (let sent = 0; sent < 1_024; sent += 1) await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 2_000 + sent));
    expect(await ben.receive('a0', first)).toBe('replayed');
    expect(await bensTwin().receive('a0', first)).toEqual(new Uint8Array([1]));
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 9_000))).toEqual(VP8_DELTA);
  });

  it('that flips any bit is noticed; the frame as it was opens, and the key goes on', async () => {
    await ben.receive('a0', await ada.send('microphone', new Uint8Array([1]), 0));
    const second = await ada.send('microphone', new Uint8Array([2]), 960);
    for (let bit = 32; bit < 8 * second.bytes.length; bit += 1) {
      const bytes = second.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await ben.receive('a0', { ...second, bytes })).toBe('tampered');
    }
    expect(await ben.receive('a0', second)).toEqual(new Uint8Array([2]));
  });

  it('that rewrites timestamps to rearrange speech is noticed; as they were, both are heard', async () => {
    const [one, two] = [await ada.send('microphone', new Uint8Array([1]), 0), await ada.send('microphone', VP8_DELTA, 960)];
    await ben.receive('a0', { ...one, timestamp: 5_000 });
    expect(await ben.receive('a0', { ...two, timestamp: 4_000 })).toBe('reordered');
    const twin = bensTwin();
    expect(await twin.receive('a0', one)).toEqual(new Uint8Array([1]));
    expect(await twin.receive('a0', two)).toEqual(VP8_DELTA);
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 6_000))).toEqual(VP8_DELTA);
  });

  it('that swaps the streams of two moves pictures between tiles or shows nothing', async () => {
    const cleo = house.add('cleo');
    house.next();
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    await ben.receive('v1', await cleo.send('camera', VP8_KEY, 0));
    const swapped = await cleo.send('camera', VP8_DELTA, 3_000);
    expect(await ben.receive('v0', swapped)).toBe('waiting_for_key_frame');
    expect(ben.slot('v0'), 'the picture of Ada stays hers').toMatchObject({ owner: { seat: 0 } });
    // The control: it is a good frame, and a page that went by the place on the wire would show Cleo as Ada.
    expect(await ben.receive('v1', await cleo.send('camera', VP8_DELTA, 6_000))).toEqual(VP8_DELTA);
    ben.time += 1_000;
    expect(await ben.receive('v0', await cleo.send('camera', VP8_KEY, 9_000))).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 2 } });
    expect(ben.slot('v1')).toMatchObject({ owner: null });
    expect(await ben.receive('v1', await ada.send('camera', VP8_KEY, 9_000))).toEqual(VP8_KEY);
    expect(ben.slot('v1')).toMatchObject({ owner: { seat: 0 } });
  });

  it('that swaps them to and fro shows the first change only; slowly, each change is shown', async () => {
    const cleo = house.add('cleo');
    house.next();
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    ben.time += 1_000;
    expect(await ben.receive('v0', await cleo.send('camera', VP8_KEY, 3_000))).toEqual(VP8_KEY);
    ben.time += 100;
    expect(await ben.receive('v0', await ada.send('camera', VP8_KEY, 6_000))).toBe('changed_too_soon');
    ben.time += 1_000;
    expect(await ben.receive('v0', await ada.send('camera', VP8_KEY, 9_000))).toEqual(VP8_KEY);
  });

  it('that puts a screen where a camera was shows it as a screen, and sound never as a picture', async () => {
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    ben.time += 1_000;
    await ben.receive('v0', await ada.send('screen', VP8_KEY, 3_000));
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 0, track: 2, kind: 'screen' } });
    const voice = await ada.send('microphone', new Uint8Array(40), 0);
    expect(await ben.receive('v0', { ...voice, mimeType: 'video/VP9' })).toBe('wrong_kind');
    expect(await bensTwin().receive('a0', voice), 'the control: as sound it is heard').toEqual(new Uint8Array(40));
    ben.time += 1_000;
    expect(await ben.receive('v0', await ada.send('camera', VP8_KEY, 6_000))).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 0, track: 1, kind: 'camera' } });
  });

  it('that injects plaintext into a stream that works has it dropped, and the stream goes on', async () => {
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    // What an encoder makes, as it is: a decoder would show it.
    const plain = { bytes: new Uint8Array([...VP8_KEY, ...new Uint8Array(40)]), mimeType: 'video/VP8', timestamp: 3_000, sent: true };
    expect(await ben.receive('v0', plain)).toBe('malformed');
    const voice = { bytes: new Uint8Array(60).fill(0x78), mimeType: 'audio/opus', timestamp: 0, sent: true };
    expect(await ben.receive('a0', voice)).toBe('waiting_for_key');
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 0 }, state: 'encrypted' });
    expect(await ben.receive('v0', await ada.send('camera', VP8_DELTA, 6_000))).toEqual(VP8_DELTA);
  });

  it('that turns back to an earlier epoch gets nothing shown twice', async () => {
    const old = await ada.send('microphone', new Uint8Array([1]), 0);
    house.add('cleo');
    house.next();
    const late = await ada.send('microphone', new Uint8Array([2]), 960);
    expect(await ben.receive('a0', late)).toEqual(new Uint8Array([2]));
    expect(await ben.receive('a0', { ...old, timestamp: 2_000 })).toBe('reordered');
    expect(await bensTwin().receive('a0', late)).toEqual(new Uint8Array([2]));
  });
});

/** Another page with the keys of Ben's, which has seen nothing yet. */
function bensTwin(): Page {
  const twin = new Page(house, 'ben', ben.leaf);
  house.tell(twin);
  return twin;
}

/** The group that the workers are told of. Its keys are as many bytes as its epochs. */
class Group {
  epoch = 1;
  readonly #pages: Page[] = [];
  readonly #removed = new Set<string>();

  add(member: string): Page {
    const page = new Page(this, member, this.#pages.length);
    this.#pages.push(page);
    return page;
  }

  remove(member: string): void {
    this.#removed.add(member);
  }

  /** Begins the next epoch: for all, or for some. */
  next(only: readonly Page[] = this.#present()): void {
    this.epoch += 1;
    for (const page of only) this.tell(page);
  }

  tell(page: Page): void {
    page.session.handleKeys(this.epochFor(page.member));
    for (const other of this.#present()) {
      if (other === page) continue;
      page.session.handleKeys({ type: 'person', member: other.member, seat: other.leaf, tracks: TRACKS });
    }
    page.session.handleKeys({ type: 'send', epoch: this.epoch });
  }

  epochFor(member: string): KeyMessage {
    const members: Seated[] = this.#present().map((page) => ({ leaf: page.leaf, member: page.member }));
    const leaf = members.find((seated) => seated.member === member)?.leaf ?? 9;
    return { type: 'epoch', epoch: this.epoch, baseKey: new Uint8Array(16).fill(this.epoch), leaf, members };
  }

  #present(): Page[] {
    return this.#pages.filter(({ member }) => !this.#removed.has(member));
  }
}

interface Sent {
  readonly bytes: Bytes;
  readonly mimeType: string;
  readonly timestamp: number;
  readonly sent: boolean;
}

/** One page's frame worker. */
class Page {
  time = 0;
  keyFrameRequests = 0;
  keyFramesMade = 0;
  readonly events: FrameEvent[] = [];
  readonly session = new Session({ post: (event) => void this.events.push(event), now: () => this.time });
  readonly #receivers = new Map<string, Step>();
  readonly #senders = new Map<TrackKind, Step>();

  constructor(
    readonly group: Group,
    readonly member: string,
    readonly leaf: number,
  ) {}

  async send(kind: TrackKind, plaintext: Uint8Array, timestamp: number, mimeType = mimeOf(kind)): Promise<Sent> {
    const known = this.#senders.get(kind);
    const step = known ?? this.session.step({ role: 'sender', track: NUMBERS[kind], kind }, this.#asking());
    if (step !== null) this.#senders.set(kind, step);
    const frame = new Frame(new Uint8Array(plaintext), { mimeType, rtpTimestamp: timestamp });
    const sent = (await step?.(frame)) === true;
    return { bytes: new Uint8Array(frame.data), mimeType, timestamp, sent };
  }

  /** What comes out of a slot, or why nothing does. */
  async receive(mid: string, { bytes, mimeType, timestamp }: Sent): Promise<Bytes | string> {
    const media: Media = mid.startsWith('a') ? 'audio' : 'video';
    const step = this.#receivers.get(mid) ?? this.session.step({ role: 'receiver', mid, media }, this.#asking());
    if (step === null) throw new Error('no step');
    this.#receivers.set(mid, step);
    const before = this.counters();
    const frame = new Frame(bytes.slice(), { mimeType, rtpTimestamp: timestamp });
    if (await step(frame)) return new Uint8Array(frame.data);
    const after = this.counters();
    const names = Object.keys(after) as (keyof Counters)[];
    return names.find((name) => after[name] > before[name]) ?? 'nothing was counted';
  }

  slot(mid: string): FrameEvent | undefined {
    return this.events.findLast((event) => event.type === 'slot' && event.mid === mid);
  }

  counters(): Counters {
    this.session.tick();
    const told = this.events.findLast((event) => event.type === 'statistics');
    return told?.type === 'statistics' ? told.counters : zero();
  }

  #asking(): Asking {
    return {
      generateKeyFrame: () => {
        this.keyFramesMade += 1;
        return Promise.resolve();
      },
      sendKeyFrameRequest: () => {
        this.keyFrameRequests += 1;
        return Promise.resolve();
      },
    };
  }
}

class Frame implements EncodedFrame {
  data: ArrayBuffer;

  constructor(
    bytes: Bytes,
    private readonly metadata: FrameMetadata,
  ) {
    this.data = bytes.buffer;
  }

  getMetadata(): FrameMetadata {
    return this.metadata;
  }
}

function mimeOf(kind: TrackKind): string {
  return kind === 'microphone' ? 'audio/opus' : 'video/VP8';
}

function zero(): Counters {
  return new Proxy({} as Counters, { get: () => 0 });
}
