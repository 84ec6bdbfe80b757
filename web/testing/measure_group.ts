// What the group costs: joining, committing and removing in rooms of several sizes, natively, in Chromium and in Firefox,
// with the sizes of messages; and sealing and opening frames: `npm run measure:group -- [members …]`.
//
// The native program plays a room and writes down what three members did (`simulation/examples/transcript.rs`; build it
// with --release and say where it is: UNDERTONE_EXAMPLES). The browsers replay the same calls in WebAssembly. Each
// figure is the median over the repetitions.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';

import { launch, visit } from './harness/chromium.ts';
import { nativeExample } from './harness/environment.ts';
import { Firefox } from './harness/firefox.ts';
import type { WebPage } from './harness/web_page.ts';

/** Each native run plays the whole room again. */
const NATIVE_RUNS = 3;
const REPETITIONS = 5;
const SIZES = [2, 10, 50, 200];
const SOURCES = path.join(import.meta.dirname, '../src');

interface Call {
  readonly call: string;
  readonly now: number;
  readonly nanoseconds: number;
  readonly bytes?: string;
  readonly frames: readonly string[];
}

interface Transcript {
  readonly members: readonly { readonly calls: readonly Call[] }[];
}

/** Milliseconds of each call, by member. */
type Times = number[][];

/** Which call of whom is what. */
interface Event {
  readonly what: string;
  readonly member: number;
  readonly call: number;
}

const MESSAGE = { groupInfo: 2, commit: 3, committed: 4, welcome: 8 } as const;

const sizes = process.argv.slice(2).map(Number);
const transcripts = new Map<number, string>();
for (const members of sizes.length === 0 ? SIZES : sizes) {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 30 } as const;
  transcripts.set(members, execFileSync(nativeExample('transcript'), [String(members)], options));
}
const server = await serve();
const address = server.address();
const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
const chromium = await launch();
const firefox = await Firefox.launch();
try {
  const pages: [string, WebPage][] = [['Chromium', await visit(chromium)], ['Firefox', await firefox.visit()]];
  for (const [, page] of pages) await page.goto(`${origin}/`);
  for (const [members, text] of transcripts) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
    const transcript = JSON.parse(text) as Transcript;
    const columns: [string, Times][] = [['native', nativeTimes(members)]];
    for (const [name, page] of pages) columns.push([name, await replayed(page, members)]);
    print(members, transcript, columns);
  }
  for (const [name, page] of pages) {
    for (const [kind, size] of [['microphone', 120], ['camera', 1_200], ['camera', 20_000]] as const) {
      const [sealing, opening] = await sealed(page, kind, size);
      console.log(`${name}: a frame of ${size} bytes is sealed in ${micros(sealing)} and opened in ${micros(opening)} µs`);
    }
  }
} finally {
  await Promise.all([chromium.close(), firefox.close()]);
  server.close();
}

/** The modules of the page as they are, their types taken off, and the transcripts. */
async function serve(): Promise<Server> {
  const made = createServer((request, response) => {
    // Isolated pages have clocks of some microseconds.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    const name = new URL(request.url ?? '/', 'http://localhost').pathname;
    const transcript = /^\/transcript\/(\d+)$/.exec(name)?.[1];
    if (transcript !== undefined) response.setHeader('Content-Type', 'application/json').end(transcripts.get(Number(transcript)));
    else if (name === '/') response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Measuring</title>');
    else if (name.startsWith('/e2ee/')) response.setHeader('Content-Type', typeOf(name)).end(source(name));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
}

function typeOf(name: string): string {
  return name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
}

function source(name: string): string | Buffer {
  const file = readFileSync(path.join(SOURCES, path.normalize(name)));
  return name.endsWith('.ts') ? stripTypeScriptTypes(file.toString(), { mode: 'transform' }) : file;
}

function nativeTimes(members: number): Times {
  const runs: Times[] = [];
  for (let run = 0; run < NATIVE_RUNS; run += 1) {
    const text = execFileSync(nativeExample('transcript'), [String(members)], { encoding: 'utf8', maxBuffer: 2 ** 30 });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
    const transcript = JSON.parse(text) as Transcript;
    runs.push(transcript.members.map(({ calls }) => calls.map(({ nanoseconds }) => nanoseconds / 1e6)));
  }
  return medians(runs);
}

async function replayed(page: WebPage, members: number): Promise<Times> {
  const runs: Times[] = [];
  for (let run = 0; run < REPETITIONS; run += 1) runs.push(await page.evaluate(replay, String(members)));
  return medians(runs);
}

/** Runs in the page: plays what the members did, and times each call. */
async function replay(size: string): Promise<number[][]> {
  // oxlint-disable-next-line unicorn/consistent-function-scoping -- the page gets this function alone
  const unhex = (text: string): Uint8Array => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
  const wasm = await import(/* @vite-ignore */ `${location.origin}/e2ee/wasm/e2ee.js`);
  await wasm.default({ module_or_path: '/e2ee/wasm/e2ee_bg.wasm' });
  const transcript = await (await fetch(`/transcript/${size}`)).json();
  const times: number[][] = [];
  for (const { seed, is_owner: isOwner, calls } of transcript.members) {
    const keys = new wasm.Keys(transcript.fragment, undefined);
    const owner = isOwner ? unhex(transcript.owner) : undefined;
    const member = new wasm.GroupMember(keys, transcript.room, transcript.unix_seconds, unhex(seed), owner);
    times.push(
      calls.map((call: Record<string, string & number & boolean & number[]>) => {
        const bytes = unhex(call['bytes'] ?? call['member'] ?? '');
        const now = call['now'];
        const begun = performance.now();
        if (call['call'] === 'announce') {
          member.announce(call['seat'], call['name'], true, false, new Uint8Array(call['tracks'] ?? []), now);
        } else if (call['call'] === 'chat') member.chat(call['text'], now);
        else if (call['call'] === 'lock') member.lock(call['locked'], now);
        else if (bytes.length > 0) member[String(call['call'])](bytes, now);
        else member[String(call['call'])](now);
        const spent = performance.now() - begun;
        while (member.next_message() !== undefined);
        while ((member.next_event() ?? null) !== null);
        return spent;
      }),
    );
    member.free();
    keys.free();
  }
  return times;
}

async function sealed(page: WebPage, kind: string, size: number): Promise<[number, number]> {
  return page.evaluate(seal, JSON.stringify({ kind, size }));
}

/** Runs in the page: seals and opens a thousand frames one after the other; milliseconds for each, on average. */
async function seal(argument: string): Promise<[number, number]> {
  const { kind, size } = JSON.parse(argument);
  const { Session } = await import(/* @vite-ignore */ `${location.origin}/e2ee/session.ts`);
  const track = kind === 'camera' ? 1 : 0;
  const page = (): typeof Session => new Session({ post: () => undefined, now: () => performance.now() });
  const [ada, ben] = [page(), page()];
  const members = [{ leaf: 0, member: 'ada' }, { leaf: 1, member: 'ben' }];
  for (const [leaf, session] of [ada, ben].entries()) {
    session.handleKeys({ type: 'epoch', epoch: 1, baseKey: new Uint8Array(16), leaf, members });
    session.handleKeys({ type: 'send', epoch: 1 });
  }
  ben.handleKeys({ type: 'person', member: 'ada', seat: 0, tracks: [{ number: track, kind }] });
  const media = kind === 'camera' ? 'video' : 'audio';
  const sealing = ada.step({ role: 'sender', track, kind }, {});
  const opening = ben.step({ role: 'receiver', mid: 'v0', media }, {});
  const frames = Array.from({ length: 1_000 }, (_, index) => {
    const data = new Uint8Array(size).fill(7);
    data.set([0x50, 0x2f, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1]);
    const metadata = { mimeType: media === 'video' ? 'video/VP8' : 'audio/opus', rtpTimestamp: 3_000 * index };
    return { data: data.buffer, getMetadata: () => metadata };
  });
  const begun = performance.now();
  for (const frame of frames) await sealing(frame);
  const half = performance.now();
  let opened = 0;
  for (const frame of frames) if (await opening(frame)) opened += 1;
  const end = performance.now();
  if (opened !== frames.length) throw new Error(`Only ${opened} frames were opened.`);
  return [(half - begun) / frames.length, (end - half) / frames.length];
}

function message(type: number): (call: Call) => boolean {
  return ({ call, bytes }) => call === 'message' && Number(`0x${bytes?.slice(0, 2)}`) === type;
}

function called(name: string): (call: Call) => boolean {
  return ({ call }) => call === name;
}

function events({ members }: Transcript): Event[] {
  const [ada, ben, cem] = [0, members.length > 2 ? 1 : null, members.length - 1];
  const calls = (member: number): readonly Call[] => members[member]?.calls ?? [];
  const first = (member: number, since: number, test: (call: Call) => boolean): number =>
    calls(member).findIndex((call) => call.now >= since && test(call));
  const at = (member: number, call: number): number => calls(member)[call]?.now ?? Infinity;
  const joined = first(cem, 0, message(MESSAGE.groupInfo));
  const updater = ben ?? cem;
  const updated = first(updater, 0, called('update'));
  const removed = first(ada, 0, called('remove'));
  const found: Event[] = [
    { what: 'joins: makes an external commit', member: cem, call: joined },
    { what: 'merges that join', member: ada, call: first(ada, at(cem, joined), message(MESSAGE.committed)) },
    { what: 'renews keys: makes a commit', member: updater, call: updated },
    { what: 'merges that renewal', member: ada, call: first(ada, at(updater, updated), message(MESSAGE.committed)) },
    { what: 'removes: makes a commit', member: ada, call: removed },
  ];
  if (ben !== null) {
    found.push({ what: 'merges that removal', member: ben, call: first(ben, at(ada, removed), message(MESSAGE.committed)) });
    found.push({ what: 'comes in by a Welcome', member: ben, call: first(ben, 0, message(MESSAGE.welcome)) });
  }
  return found.filter(({ call }) => call >= 0);
}

function print(members: number, transcript: Transcript, columns: readonly [string, Times][]): void {
  console.log(`\n${members} members, milliseconds (${columns.map(([name]) => name).join(', ')}); bytes heard and said:`);
  for (const { what, member, call } of events(transcript)) {
    const times = columns.map(([, runs]) => (runs[member]?.[call] ?? NaN).toFixed(2).padStart(8));
    const made = transcript.members[member]?.calls[call];
    const said = (made?.frames ?? []).map((frame) => frame.length / 2);
    console.log(`${what.padEnd(34)}${times.join(' ')}   ${(made?.bytes?.length ?? 0) / 2} ${said.join('+') || '0'}`);
  }
}

function medians(runs: readonly Times[]): Times {
  const [first] = runs;
  return (first ?? []).map((calls, member) => calls.map((_, call) => median(runs.map((run) => run[member]?.[call] ?? NaN))));
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function micros(milliseconds: number): string {
  return (1_000 * milliseconds).toFixed(0);
}
