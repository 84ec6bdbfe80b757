// Nothing that opens a meeting is anywhere on its server: not in its memory, its files, its log, its metrics or what it
// sends and gets. The search is shown to find by what the server does hold.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launch, visit } from '../harness/chromium.ts';
import { nativeExample } from '../harness/environment.ts';
import { Person } from '../harness/meeting.ts';
import { memoryOf } from '../harness/memory.ts';
import { NodeMember } from '../harness/node_member.ts';
import { Server } from '../harness/server.ts';
import { Overheard } from '../harness/signaling.ts';
import { sleep } from '../harness/wait.ts';
import { Wire } from '../harness/wire.ts';

const PASSWORD = `canary ${randomBytes(12).toString('base64url')}`;
const NAME = `Canary ${randomBytes(9).toString('hex')}`;
/** Written into the folder of the server by the test. */
const PLANTED = randomBytes(24);

/** How long the call goes on before anybody looks, in milliseconds. */
const CALL_MS = 4_000;

type Place = 'memory' | 'files' | 'log' | 'metrics' | 'wire' | 'messages';
type Found = Readonly<Record<Place, boolean>>;

const NOWHERE: Found = { memory: false, files: false, log: false, metrics: false, wire: false, messages: false };

describe('a server in the middle of a call', () => {
  let server: Server;
  let browser: Browser;
  /** By what it is. */
  const secrets = new Map<string, Buffer>();
  const controls = new Map<string, Buffer>();
  let found: Map<string, Found>;

  beforeAll(async () => {
    server = await Server.start({ options: ['--state-directory', '.'] });
    browser = await launch();
    const tcpdump = await Wire.open(server.port, 'everything');
    const ada = new Person(await visit(browser), 'Ada');
    const adasWords = new Overheard(ada.page);
    const link = await ada.createMeeting(server.url, PASSWORD);
    await ada.askToJoin(PASSWORD);
    await ada.isInCall();
    const ben = new Person(await visit(browser), NAME);
    const bensWords = new Overheard(ben.page);
    await ben.join(link, PASSWORD);
    await ada.seesMoving(NAME);
    const member = await NodeMember.join(link, 'Node', PASSWORD);
    await sleep(CALL_MS / 2);
    const authenticator = Buffer.from(member.authenticator);
    member.update();
    await sleep(CALL_MS / 2);

    const { hash, pathname } = new URL(link);
    const derived = execFileSync(nativeExample('secrets'), [hash.slice(1), PASSWORD], { encoding: 'utf8' });
    const known: unknown = JSON.parse(derived);
    secrets.set('the fragment of the link', Buffer.from(hash.slice(1), 'base64url'));
    secrets.set('the secret in the link', unhex(known, 'link'));
    secrets.set('the password', Buffer.from(PASSWORD));
    secrets.set('the pre-shared key', unhex(known, 'psk'));
    secrets.set('the secret of the mailbox', unhex(known, 'mailbox'));
    secrets.set('a display name', Buffer.from(NAME));
    secrets.set('the authenticator of an epoch', authenticator);
    for (const [index, key] of member.baseKeys.entries()) secrets.set(`media base key ${index}`, Buffer.from(key));
    controls.set('the hash of the gate', unhex(known, 'gate_hash'));
    controls.set('the gate', unhex(known, 'gate'));
    controls.set('the id of the room', Buffer.from(pathname.split('/').at(-1) ?? '', 'base64url'));
    controls.set('what lies in its folder', PLANTED);
    controls.set('what it logs', Buffer.from('is ready'));
    controls.set('what it counts', Buffer.from('undertone_sfu_rtp_packets_received_total'));
    writeFileSync(path.join(server.directory, 'planted'), PLANTED);

    const needles = new Map([...secrets, ...controls].map(([what, bytes]) => [what, written(bytes)] as const));
    const overlap = Math.max(...[...needles.values()].flat().map(({ length }) => length));
    const memory = search(needles, memoryOf(server.pid, overlap));
    const metrics = await (await fetch(server.metricsUrl)).text();
    member.leave();
    const wire = await tcpdump.closeRaw();
    // Browsers mask what they send: on the wire alone it could not be found.
    const said = [adasWords, bensWords].flatMap(({ sent, received }) => [...sent, ...received]);
    const messages = [...said.map((text) => Buffer.from(text)), ...adasWords.binary, ...bensWords.binary];
    expect(adasWords.binary.length, 'the group has spoken').toBeGreaterThan(5);
    const places: Record<Place, ReadonlySet<string>> = {
      memory,
      files: search(needles, filesUnder(server.directory)),
      log: search(needles, [Buffer.from(server.printed())]),
      metrics: search(needles, [Buffer.from(metrics)]),
      wire: search(needles, [wire]),
      messages: search(needles, messages),
    };
    found = new Map([...needles.keys()].map((what) => [what, where(what, places)]));
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('has been looked at for keys of several epochs', () => {
    expect([...secrets.keys()].filter((what) => what.startsWith('media base key')).length).toBeGreaterThan(1);
    for (const bytes of secrets.values()) expect(bytes.length).toBeGreaterThanOrEqual(16);
  });

  it('holds no secret anywhere', () => {
    for (const what of secrets.keys()) expect({ what, ...found.get(what) }).toEqual({ what, ...NOWHERE });
  });

  it('is searched by a search that finds what is there', () => {
    expect(found.get('the hash of the gate')).toMatchObject({ memory: true, messages: true });
    expect(found.get('the gate')).toMatchObject({ messages: true });
    expect(found.get('the id of the room')).toMatchObject({ memory: true, messages: true, log: false, metrics: false });
    expect(found.get('what lies in its folder')).toMatchObject({ files: true });
    expect(found.get('what it logs')).toMatchObject({ log: true, memory: true });
    expect(found.get('what it counts')).toMatchObject({ metrics: true, memory: true });
    // Its answers are not masked.
    expect(found.get('the id of the room')).toMatchObject({ wire: true });
  });
});

/** The ways in which bytes may be written down. */
function written(bytes: Buffer): Buffer[] {
  const texts = [bytes.toString('base64url'), bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  // Padding and the two last characters of the other alphabet do not matter where the first characters are found.
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [bytes, ...[...texts, base64].map((text) => Buffer.from(text))];
}

/** Which of `needles` occur, written in any way. */
function search(needles: ReadonlyMap<string, readonly Buffer[]>, hay: Iterable<Buffer>): Set<string> {
  const seen = new Set<string>();
  for (const bytes of hay) {
    for (const [what, ways] of needles) {
      if (!seen.has(what) && ways.some((way) => bytes.includes(way))) seen.add(what);
    }
  }
  return seen;
}

function where(what: string, places: Readonly<Record<Place, ReadonlySet<string>>>): Found {
  const { memory, files, log, metrics, wire, messages } = places;
  return {
    memory: memory.has(what),
    files: files.has(what),
    log: log.has(what),
    metrics: metrics.has(what),
    wire: wire.has(what),
    messages: messages.has(what),
  };
}

function* filesUnder(folder: string): Generator<Buffer> {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) yield* filesUnder(file);
    else yield readFileSync(file);
  }
}

function unhex(known: unknown, name: string): Buffer {
  if (typeof known !== 'object' || known === null || !(name in known)) throw new Error(`There is no ${name}.`);
  return Buffer.from(String(Reflect.get(known, name)), 'hex');
}
