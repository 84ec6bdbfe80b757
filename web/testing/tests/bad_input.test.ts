// Rubbish on every socket during a call: who erred is told, it is counted by reason, and the call notices nothing.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { deflateRawSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { Person } from '../harness/meeting.ts';
import { numbers, total } from '../harness/observe.ts';
import { Server } from '../harness/server.ts';
import { BareClient, frame, Overheard, rawWebSocket, type Message } from '../harness/signaling.ts';
import { eventually, sleep } from '../harness/wait.ts';
import { Wire } from '../harness/wire.ts';

/** The largest message that a client may send, in bytes. */
const MESSAGE_BYTES_MAX = 65_536;

/** A sound `hello` for a room that nobody made. */
const UNKNOWN: Message = { type: 'hello', version: 1, room: 'A'.repeat(22), gate: 'A'.repeat(43), media: true };

describe('a running call', () => {
  let server: Server;
  let browser: Browser;
  let ada: Person;
  let ben: Person;
  let hello: Message;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ada = new Person(await visit(browser), 'Ada');
    const overheard = new Overheard(ada.page);
    const link = await ada.createMeeting(server.url);
    await ada.askToJoin();
    await ada.isInCall();
    hello = await overheard.hello();
    ben = new Person(await visit(browser), 'Ben');
    await ben.join(link);
    await flows();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Both see and hear each other, still. */
  async function flows(): Promise<void> {
    for (const [person, name] of [[ada, 'Ben'], [ben, 'Ada']] as const) {
      const before = await energy(person);
      await person.seesMoving(name);
      await eventually(`${person.name} hears ${name}`, () => energy(person), (now) => now > before);
    }
    const { connections } = await numbers(ada.page);
    expect(connections, 'Ada never had to connect anew').toBe(1);
    expect(server.isRunning()).toBe(true);
    expect(server.printed()).not.toMatch(/panicked/);
  }

  it('is not disturbed by garbage, truncated and replayed datagrams, which are counted', async () => {
    const wire = await Wire.open(server.port);
    await sleep(2_000);
    const real = (await wire.close()).filter((datagram) => datagram.destinationPort === server.port);
    expect(real.length).toBeGreaterThan(50);
    const garbage = [
      ...Array.from({ length: 300 }, (_, index) => randomBytes(1 + ((index * 37) % 1_400))),
      // The first byte decides between STUN, DTLS and RTP (RFC 7983): rubbish behind each of them.
      ...[0, 1, 20, 22, 23, 63, 64, 79, 128, 144, 191, 255].flatMap((first) => [
        Buffer.from([first]),
        Buffer.concat([Buffer.from([first]), randomBytes(200)]),
      ]),
      ...real.slice(0, 100).map((datagram) => datagram.payload),
      ...real.slice(0, 100).map((datagram) => datagram.payload.subarray(0, Math.floor(datagram.payload.length / 2))),
    ];
    const before = await server.metrics();
    const socket = createSocket('udp4');
    for (const datagram of garbage) {
      await new Promise<void>((resolve) => socket.send(datagram, server.port, '127.0.0.1', () => resolve()));
    }
    await eventually(
      'every rejected datagram is counted by reason',
      async () => (await server.metrics()).grownSince(before),
      (grown) => dropped(grown) >= 300,
    );
    socket.close();
    await flows();
  });

  it.each<[string, string | Message, string]>([
    ['text that is no JSON', '{"type":', 'malformed'],
    ['JSON that is no object', '[1,2,3]', 'malformed'],
    ['an unknown type', { type: 'administer' }, 'malformed'],
    ['an unknown field', { type: 'ping', extra: 1 }, 'malformed'],
    ['a duplicate key', '{"type":"ping","type":"leave"}', 'malformed'],
    ['a wrong type of a value', { type: 'hello', version: 1, room: 7, gate: [] }, 'malformed'],
    ['deep nesting', `{"type":${'['.repeat(5_000)}`, 'malformed'],
    ['an unknown version', { ...UNKNOWN, version: 2 }, 'version_unsupported'],
    ['an answer before hello', { type: 'answer', negotiation: 1, sdp: deflated('v=0') }, 'out_of_order'],
    ['a message that is too large', 'x'.repeat(MESSAGE_BYTES_MAX + 1), 'too_large'],
    ['an unknown room', UNKNOWN, 'refused'],
  ])('is not disturbed by another client that sends %s', async (_, message, code) => {
    const before = await server.metrics();
    const client = await BareClient.open(server.url);
    client.say(message);
    expect(await client.hears('error')).toMatchObject({ type: 'error', code });
    client.close();
    const grown = (await server.metrics()).grownSince(before);
    expect(Object.keys(grown).filter((key) => key.includes(code)), JSON.stringify(grown)).not.toEqual([]);
    await flows();
  });

  it('is not disturbed by a wrong gate, which is refused in the words for an unknown room', async () => {
    const wrong = await BareClient.open(server.url);
    wrong.say({ ...hello, gate: 'A'.repeat(43) });
    const { detail: wrongDetail, code } = await wrong.hears('error');
    const unknown = await BareClient.open(server.url);
    unknown.say(UNKNOWN);
    const { detail: unknownDetail } = await unknown.hears('error');
    expect(code).toBe('refused');
    expect(wrongDetail).toBe(unknownDetail);
    wrong.close();
    unknown.close();
    await flows();
  });

  it('is not disturbed by a member with a bad answer', async () => {
    const client = await BareClient.join(server.url, hello);
    const { negotiation } = await client.hears('joined');
    client.say({ type: 'answer', negotiation, sdp: deflated('v=0\r\nthis is no answer\r\n') });
    expect(await client.hears('error')).toMatchObject({ code: 'bad_answer' });
    client.close();
    await flows();
  });

  it.each<[string, () => Buffer]>([
    ['bytes that are no UTF-8', () => frame(0x81, Buffer.from([0xff, 0xfe, 0xfd]))],
    ['reserved bits', () => frame(0xf1, Buffer.from('{}'))],
    ['a length of 2^62', () => frame(0x81, Buffer.from('{}'), 2 ** 62)],
    ['an unmasked frame', () => Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
    ['a binary message', () => frame(0x82, randomBytes(64))],
    ['a message within a message', () => Buffer.concat([frame(0x01, Buffer.from('{')), frame(0x01, Buffer.from('}'))])],
    ['a message in endless fragments', () => Buffer.concat([frame(0x01, Buffer.from('{')), ...fragments(10_000)])],
    ['no WebSocket at all', () => randomBytes(4_096)],
  ])('is not disturbed by a connection that sends %s, which is closed', async (_, bytes) => {
    const socket = await rawWebSocket(server.url);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(bytes());
    const kept = await Promise.race([closed.then(() => false), sleep(10_000).then(() => true)]);
    socket.destroy();
    expect(kept, 'the server kept the connection').toBe(false);
    await flows();
  });
});

/** Continuations of a message that never ends (opcode 0 without FIN), 40 bytes each: more than any message may be. */
function fragments(count: number): Buffer[] {
  return Array.from({ length: count }, () => frame(0x00, Buffer.alloc(40, ' ')));
}

/** Everything that a person has heard so far. */
async function energy(person: Person): Promise<number> {
  return total((await numbers(person.page)).received, 'audio', 'audioEnergy');
}

/** How much all counters of dropped or rejected datagrams have grown. */
function dropped(grown: Readonly<Record<string, number>>): number {
  return Object.entries(grown)
    .filter(([name]) => /drop|reject|invalid|discard/.test(name) && /reason=/.test(name))
    .reduce((sum, [, difference]) => sum + difference, 0);
}

/** As an answer travels. */
function deflated(sdp: string): string {
  return deflateRawSync(sdp).toString('base64url');
}
