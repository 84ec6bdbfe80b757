// Two pages of one meeting, without a browser: what one worker seals, the other opens.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bytes } from './bytes.ts';
import type { Counters, E2eeEvent, Media, Track, TrackKind } from './messages.ts';
import type { Reply } from './requests.ts';
import { RoomSecret, type Secret } from './secret.ts';
import { Session } from './session.ts';
import type { EncodedFrame, FrameMetadata, Step } from './transform.ts';

const ROOM = 'YSByb29tIGlkLCAxNiBCLg';
const LINK = new Uint8Array(16).fill(1);
const TRACKS: Track[] = [
  { number: 0, kind: 'microphone' },
  { number: 1, kind: 'camera' },
];
const VP8_KEY = new Uint8Array([0x50, 0x2f, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1, 7, 7, 7]);
const VP8_DELTA = new Uint8Array([0xd1, 1, 2, 3]);

let ada: Page;
let ben: Page;

beforeEach(async () => {
  ada = await Page.enter(1);
  ben = await Page.enter(2);
  await ben.hears(ada, 'Ada');
});

describe('a call', () => {
  it('names and tracks come from the sealed announcement', () => {
    expect(ben.events).toContainEqual({ type: 'participant', seat: 1, name: 'Ada', tracks: TRACKS });
  });

  it('audio and video open to what was sealed, and the slots belong to the sender', async () => {
    const voice = await ada.send('microphone', new Uint8Array([9, 9, 9]), 960);
    const picture = await ada.send('camera', VP8_KEY, 3_000);
    expect(await ben.receive('a0', voice)).toEqual(new Uint8Array([9, 9, 9]));
    expect(await ben.receive('v0', picture)).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toEqual({
      type: 'slot',
      mid: 'v0',
      owner: { seat: 1, track: 1, kind: 'camera' },
      state: 'encrypted',
      reason: null,
      since: 3_000,
    });
    expect(ben.slot('a0')).toMatchObject({ owner: { seat: 1, track: 0, kind: 'microphone' }, state: 'encrypted' });
  });

  it('nothing of the plaintext is on the wire', async () => {
    const picture = await ada.send('camera', new Uint8Array([...VP8_KEY, ...VP8_KEY]), 0);
    expect(Buffer.from(picture.bytes).includes(Buffer.from([7, 7, 7]))).toBe(false);
  });

  it('frames of every layer get counters of their own', async () => {
    const frames = await Promise.all([1, 2, 3].map(() => ada.send('camera', VP8_KEY, 5)));
    const wire = frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    expect(new Set(wire).size).toBe(3);
    for (const frame of frames) expect(await ben.receive('v0', frame)).toEqual(VP8_KEY);
  });

  it('a name that nobody could show is not sealed', async () => {
    const reply = await ada.ask({ type: 'announce', name: 'a\u202eb', tracks: TRACKS });
    expect(reply).toMatchObject({ type: 'failed', problem: 'refused' });
  });
});

describe('no key, no frame', () => {
  it('before a seat is taken nothing is sent', async () => {
    const page = new Page();
    expect(await page.send('camera', VP8_KEY, 0)).toMatchObject({ sent: false });
    expect(page.counters()).toMatchObject({ sealed: 0, not_entered: 1 });
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

  it('frames before the announcement wait, and a key frame is asked for when the key comes', async () => {
    const cleo = await Page.enter(3);
    expect(await cleo.receive('v0', await ada.send('camera', VP8_KEY, 0))).toBe('waiting_for_key');
    await cleo.hears(ada, 'Ada');
    expect(await cleo.receive('v0', await ada.send('camera', VP8_DELTA, 3_000))).toBe('waiting_for_key_frame');
    expect(cleo.keyFrameRequests).toBe(1);
    await cleo.receive('v0', await ada.send('camera', VP8_DELTA, 6_000));
    expect(cleo.keyFrameRequests).toBe(1);
    cleo.time += 500;
    await cleo.receive('v0', await ada.send('camera', VP8_DELTA, 9_000));
    expect(cleo.keyFrameRequests).toBe(2);
  });

  it('with another link nothing opens, and the slot says why', async () => {
    const eve = await Page.enter(4, new Uint8Array(16).fill(2));
    await eve.hears(ada, 'Ada');
    expect(eve.events).toContainEqual({ type: 'announcement_refused', seat: 1, reason: 'unreadable' });
    expect(await eve.receive('a0', await ada.send('microphone', VP8_DELTA, 0))).toBe('announcement_refused');
    expect(eve.slot('a0')).toMatchObject({ owner: null, state: 'failed', reason: 'announcement_refused' });
  });

  it('keys end when the participant leaves', async () => {
    await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 0));
    await ben.tell({ type: 'participant_left', seat: 1 });
    expect(ben.slot('a0')).toMatchObject({ owner: null, state: 'waiting' });
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960))).toBe('waiting_for_key');
  });
});

describe('a malicious server', () => {
  it('that replays, repeats or alters frames is noticed, and the key goes on', async () => {
    const first = await ada.send('microphone', new Uint8Array([1]), 0);
    await ben.receive('a0', first);
    expect(await ben.receive('a0', first)).toBe('duplicate');
    const second = await ada.send('microphone', new Uint8Array([2]), 960);
    for (let index = 3; index < second.bytes.length; index += 1) {
      const bytes = second.bytes.slice();
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      expect(await ben.receive('a0', { ...second, bytes })).toBe('tampered');
    }
    expect(await ben.receive('a0', second)).toEqual(new Uint8Array([2]));
    for (let sent = 0; sent < 1_024; sent += 1) await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 2_000 + sent));
    expect(await ben.receive('a0', first)).toBe('replayed');
  });

  it('that rewrites timestamps to rearrange speech is noticed', async () => {
    const [one, two] = [await ada.send('microphone', new Uint8Array([1]), 0), await ada.send('microphone', VP8_DELTA, 960)];
    await ben.receive('a0', { ...one, timestamp: 5_000 });
    expect(await ben.receive('a0', { ...two, timestamp: 4_000 })).toBe('reordered');
  });

  it('that swaps streams moves pictures between tiles or shows nothing', async () => {
    const cleo = await Page.enter(3);
    await ben.hears(cleo, 'Cleo');
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 0));
    await ben.receive('v1', await cleo.send('camera', VP8_KEY, 0));
    ben.time += 1_000;
    expect(await ben.receive('v0', await cleo.send('camera', VP8_DELTA, 3_000))).toBe('waiting_for_key_frame');
    expect(await ben.receive('v0', await cleo.send('camera', VP8_KEY, 6_000))).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 3 }, since: 6_000 });
    expect(ben.slot('v1')).toMatchObject({ owner: null, state: 'waiting' });
  });

  it('that sends one frame to two slots shows it once', async () => {
    const frame = await ada.send('camera', VP8_KEY, 0);
    const shown = await Promise.all([ben.step('v0')(fakeFrame(frame)), ben.step('v1')(fakeFrame(frame))]);
    expect(shown.filter(Boolean)).toHaveLength(1);
    expect(ben.counters()).toMatchObject({ opened: 1, duplicate: 1 });
  });

  it('that lets somebody leave and come back gets no old frame in', async () => {
    const old = await ada.send('microphone', new Uint8Array([1]), 0);
    await ben.receive('a0', old);
    await ben.tell({ type: 'participant_left', seat: 1 });
    await ben.tell({ type: 'participant_announced', seat: 1, sealed: ada.announcement });
    ben.time += 500;
    expect(await ben.receive('a0', old)).toBe('duplicate');
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960))).toEqual(VP8_DELTA);
  });

  it('that brings back an announcement after a newer one is refused', async () => {
    const old = ada.announcement;
    const frame = await ada.send('microphone', VP8_DELTA, 0);
    await ada.ask({ type: 'enter', room: ROOM, seat: 1 });
    await ben.hears(ada, 'Ada');
    await ben.tell({ type: 'participant_announced', seat: 1, sealed: old });
    expect(ben.events).toContainEqual({ type: 'announcement_refused', seat: 1, reason: 'superseded' });
    expect(await ben.receive('a0', frame)).toBe('tampered');
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960))).toEqual(VP8_DELTA);
  });

  it('that gives an announcement to another seat, or back to its maker, is refused', async () => {
    await ben.tell({ type: 'participant_announced', seat: 5, sealed: ada.announcement });
    await ada.tell({ type: 'participant_announced', seat: 1, sealed: ada.announcement });
    expect(ben.events).toContainEqual({ type: 'announcement_refused', seat: 5, reason: 'other_seat' });
    expect(ada.events).toContainEqual({ type: 'announcement_refused', seat: 1, reason: 'own_seat' });
  });

  it('that sends nonsense in somebody’s name takes no key away', async () => {
    await ben.tell({ type: 'participant_announced', seat: 1, sealed: new Uint8Array(50) });
    expect(ben.events).toContainEqual({ type: 'announcement_refused', seat: 1, reason: 'unreadable' });
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 0))).toEqual(VP8_DELTA);
  });
});

describe('sender contexts', () => {
  it('a fresh seat has fresh keys: the same frame is never sealed alike', async () => {
    const first = await ada.send('microphone', VP8_DELTA, 0);
    await ada.ask({ type: 'enter', room: ROOM, seat: 1 });
    const second = await ada.send('microphone', VP8_DELTA, 0);
    expect(first.bytes.slice(0, 2)).toEqual(second.bytes.slice(0, 2));
    expect(first.bytes).not.toEqual(second.bytes);
  });

  it('counters outlive the transform', async () => {
    const first = await ada.send('microphone', VP8_DELTA, 0);
    ada.forgetSteps();
    const second = await ada.send('microphone', VP8_DELTA, 0);
    expect(first.bytes).not.toEqual(second.bytes);
    await ben.receive('a0', first);
    expect(await ben.receive('a0', { ...second, timestamp: 960 })).toEqual(VP8_DELTA);
  });
});

describe('slots', () => {
  it('a slot that is attached again begins anew, above all counters seen', async () => {
    const late = await ada.send('microphone', new Uint8Array([1]), 0);
    await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960));
    ben.forgetSteps();
    expect(await ben.receive('a0', late)).toBe('reordered');
    expect(await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 1_920))).toEqual(VP8_DELTA);
  });

  it('a slot whose mid was attached again lets nothing through', async () => {
    const stale = ben.step('a0');
    ben.forgetSteps();
    ben.step('a0');
    const frame = fakeFrame(await ada.send('microphone', VP8_DELTA, 0));
    expect(await stale(frame)).toBe(false);
    expect(ben.counters().detached).toBe(1);
  });

  it('empty frames are passed over in silence', async () => {
    expect(await ben.receive('a0', { bytes: new Uint8Array(), mimeType: 'audio/opus', timestamp: 0, sent: true })).toBe('empty');
    expect(ben.slot('a0')).toBeUndefined();
  });
});

describe('unlocking', () => {
  it('gives the gate and its hash, and a newer one takes the place of an older', async () => {
    const page = new Page();
    const [older, newer] = [page.ask({ type: 'unlock', link: LINK, password: 'a' }), page.ask({ type: 'unlock', link: LINK, password: 'b' })];
    expect(await older).toMatchObject({ type: 'failed', problem: 'superseded' });
    const unlocked = await newer;
    if (unlocked.type !== 'unlocked') throw new Error(unlocked.type);
    const hash = await crypto.subtle.digest('SHA-256', unlocked.gate);
    expect(new Uint8Array(hash)).toEqual(unlocked.gateHash);
    const fractions = page.events.map((event) => (event.type === 'unlock_progress' ? event.fraction : 0));
    expect(fractions.length).toBeGreaterThan(5);
    // Progress of one derivation only: that of two would go back.
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  });

  it('a seat is not taken before, and nonsense is not answered', async () => {
    const page = new Page();
    expect(await page.ask({ type: 'enter', room: ROOM, seat: 1 })).toMatchObject({ problem: 'refused' });
    expect(await page.ask({ type: 'announce', name: 'n', tracks: [] })).toMatchObject({ problem: 'refused' });
    for (const nonsense of [null, 'enter', {}, { type: 'enter', id: 'x' }, { type: 'announce', id: 1, name: 1 }]) {
      page.session.handle(nonsense);
    }
    await page.session.settled();
    expect(page.replies.size).toBe(2);
  });
});

describe('a new connection of the same seat', () => {
  it('goes on counting where the old one was: no key seals two frames under one number', async () => {
    const before = await ada.send('camera', VP8_KEY, 0);
    ada.forgetSteps();
    const after = await ada.send('camera', VP8_KEY, 0);
    expect(Buffer.from(after.bytes).equals(Buffer.from(before.bytes))).toBe(false);
    expect(await ben.receive('v0', before)).toEqual(VP8_KEY);
    expect(await ben.receive('v0', after)).toEqual(VP8_KEY);
    expect(ben.counters()).toMatchObject({ opened: 2, duplicate: 0 });
  });

  it('seals for two transforms at once, the old one not yet ended, without repeating itself', async () => {
    const old = ada.steps('camera');
    ada.forgetSteps();
    const frames = await Promise.all([old(VP8_KEY), ada.send('camera', VP8_KEY, 0), old(VP8_KEY)]);
    const wire = frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    expect(new Set(wire).size).toBe(3);
  });

  it('begins its slots without owners, and the page hears so before anything else of them', async () => {
    await ben.receive('v0', await ada.send('camera', VP8_KEY, 3_000));
    const old = ben.step('v0');
    ben.forgetSteps();
    ben.step('v0');
    expect(ben.slot('v0')).toMatchObject({ owner: null, state: 'waiting', reason: null });
    expect(await ben.receive('v0', await ada.send('camera', VP8_DELTA, 6_000))).toBe('waiting_for_key_frame');
    expect(await ben.receive('v0', await ada.send('camera', VP8_KEY, 9_000))).toEqual(VP8_KEY);
    expect(ben.slot('v0')).toMatchObject({ owner: { seat: 1 }, state: 'encrypted', since: 9_000 });
    const late = await ada.send('camera', VP8_KEY, 12_000);
    const told = ben.events.length;
    expect(await old({ data: late.bytes.slice().buffer, getMetadata: () => ({ mimeType: 'video/VP8', rtpTimestamp: 12_000 }) })).toBe(false);
    expect(ben.events.slice(told).filter(({ type }) => type === 'slot')).toEqual([]);
  });

  it('opens nothing again that was opened before', async () => {
    const first = await ada.send('microphone', new Uint8Array([1]), 0);
    await ben.receive('a0', first);
    ben.forgetSteps();
    expect(await ben.receive('a0', first)).toBe('duplicate');
    for (let sent = 0; sent < 1_024; sent += 1) await ben.receive('a0', await ada.send('microphone', VP8_DELTA, 960 + sent));
    ben.forgetSteps();
    expect(await ben.receive('a0', first)).toBe('replayed');
  });
});

interface Wire {
  readonly bytes: Bytes;
  readonly mimeType: string | undefined;
  readonly timestamp: number;
  readonly sent: boolean;
}

/** A page's worker, and the frames it was given. */
class Page {
  readonly events: E2eeEvent[] = [];
  readonly replies = new Map<number, Reply>();
  announcement: Bytes = new Uint8Array();
  keyFrameRequests = 0;
  time = 0;
  readonly session: Session;
  #steps = new Map<string, Step>();
  #lastId = 0;
  #answers = new Map<number, (reply: Reply) => void>();

  constructor(derive: (...given: Parameters<typeof RoomSecret.derive>) => Promise<Secret> = RoomSecret.derive) {
    this.session = new Session({ post: (message) => this.#hear(message), now: () => this.time, derive });
  }

  static async enter(seat: number, link: Bytes = LINK): Promise<Page> {
    const page = new Page();
    await page.ask({ type: 'unlock', link, password: null });
    await page.ask({ type: 'enter', room: ROOM, seat });
    return page;
  }

  ask(question: object): Promise<Reply> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.session.handle({ ...question, id });
    });
  }

  tell(message: object): Promise<void> {
    this.session.handle(message);
    return this.session.settled();
  }

  async hears(other: Page, name: string): Promise<void> {
    const reply = await other.ask({ type: 'announce', name, tracks: TRACKS });
    if (reply.type !== 'announced') throw new Error(reply.type);
    other.announcement = reply.sealed;
    await this.tell({ type: 'participant_announced', seat: name === 'Ada' ? 1 : 3, sealed: reply.sealed });
  }

  async send(kind: TrackKind, plaintext: Bytes, timestamp: number, mimeType = kind === 'camera' ? 'video/VP8' : 'audio/opus'): Promise<Wire> {
    const options = { role: 'sender', track: kind === 'camera' ? 1 : 0, kind };
    const step = this.#step(kind, options);
    const wire = { bytes: plaintext.slice(), mimeType, timestamp, sent: true };
    const frame = fakeFrame(wire);
    const sent = await step(frame);
    return { ...wire, bytes: new Uint8Array(frame.data), sent };
  }

  /** The plaintext, or why the frame was dropped. */
  async receive(mid: string, wire: Wire): Promise<Bytes | string> {
    const before = this.counters();
    const frame = fakeFrame(wire);
    if (await this.step(mid)(frame)) return new Uint8Array(frame.data);
    const after = this.counters();
    const names = Object.keys(after) as (keyof Counters)[];
    return names.find((name) => after[name] !== before[name]) ?? 'nothing was counted';
  }

  step(mid: string): Step {
    const media: Media = mid.startsWith('a') ? 'audio' : 'video';
    return this.#step(mid, { role: 'receiver', mid, media });
  }

  /** What the sending transform that is there now makes of a frame, also after another one took its place. */
  steps(kind: TrackKind): (plaintext: Bytes) => Promise<Wire> {
    const mimeType = kind === 'camera' ? 'video/VP8' : 'audio/opus';
    const step = this.#step(kind, { role: 'sender', track: kind === 'camera' ? 1 : 0, kind });
    return async (plaintext) => {
      const wire = { bytes: plaintext.slice(), mimeType, timestamp: 0, sent: true };
      const frame = fakeFrame(wire);
      const sent = await step(frame);
      return { ...wire, bytes: new Uint8Array(frame.data), sent };
    };
  }

  forgetSteps(): void {
    this.#steps.clear();
  }

  counters(): Counters {
    this.session.dropped('fault');
    this.session.tick();
    const last = this.events.findLast((event) => event.type === 'statistics');
    if (last === undefined) throw new Error('no statistics');
    return { ...last.counters, fault: 0 };
  }

  slot(mid: string): E2eeEvent | undefined {
    return this.events.findLast((event) => event.type === 'slot' && event.mid === mid);
  }

  #step(name: string, options: object): Step {
    const asking = { sendKeyFrameRequest: () => Promise.resolve((this.keyFrameRequests += 1)) };
    const step = this.#steps.get(name) ?? this.session.step(options, asking);
    if (step === null) throw new Error('the options were refused');
    this.#steps.set(name, step);
    return step;
  }

  #hear(message: Reply | E2eeEvent): void {
    if (!('id' in message)) {
      this.events.push(message);
      return;
    }
    this.replies.set(message.id, message);
    this.#answers.get(message.id)?.(message);
  }
}

function fakeFrame({ bytes, mimeType, timestamp }: Wire): EncodedFrame {
  const metadata: FrameMetadata = { mimeType, rtpTimestamp: timestamp };
  return { data: bytes.slice().buffer, getMetadata: () => metadata };
}
