// The same crate, built natively and for browsers, and another implementation of MLS: they say the same and understand
// each other.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { GroupMember, initSync, Keys } from '../../src/e2ee/wasm/e2ee.js';
import { nativeExample } from '../harness/environment.ts';

interface Call {
  readonly call: string;
  readonly now: number;
  readonly bytes?: string;
  readonly member?: string;
  readonly seat?: number;
  readonly name?: string;
  readonly text?: string;
  readonly tracks?: readonly number[];
  readonly locked?: boolean;
  /** What it says to the server then. */
  readonly frames: readonly string[];
  readonly events: number;
  readonly authenticator: string | null;
}

interface Transcript {
  readonly fragment: string;
  readonly room: string;
  readonly unix_seconds: number;
  readonly owner: string;
  readonly members: readonly { readonly seed: string; readonly is_owner: boolean; readonly calls: readonly Call[] }[];
}

describe('a member of the group', () => {
  let transcript: Transcript;

  beforeAll(() => {
    initSync({ module: readFileSync(path.join(import.meta.dirname, '../../src/e2ee/wasm/e2ee_bg.wasm')) });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
    transcript = JSON.parse(execFileSync(nativeExample('transcript'), { encoding: 'utf8', maxBuffer: 2 ** 26 })) as Transcript;
  });

  it.each([0, 1, 2])('says the same in WebAssembly as natively, byte for byte: member %i', (index) => {
    const { fragment, room, unix_seconds: unixSeconds, owner, members } = transcript;
    const { seed, is_owner: isOwner, calls } = sure(members[index]);
    // It is long enough to say something: joins, a lock and a removal among others.
    expect(calls.length).toBeGreaterThan(10);
    const keys = new Keys(fragment, undefined);
    const member = new GroupMember(keys, room, unixSeconds, bytes(seed), isOwner ? bytes(owner) : undefined);
    for (const [number, call] of calls.entries()) {
      perform(member, call);
      const frames: string[] = [];
      for (let frame = member.next_message(); frame !== undefined; frame = member.next_message()) frames.push(hex(frame));
      let events = 0;
      while (isThere(member.next_event())) events += 1;
      const authenticator = member.epoch_authenticator();
      const said = { frames, events, authenticator: authenticator === undefined ? null : hex(authenticator) };
      const { frames: wanted, events: wantedEvents, authenticator: wantedAuthenticator } = call;
      expect(said, `call ${number}, ${call.call} at ${call.now} ms`).toEqual({
        frames: wanted,
        events: wantedEvents,
        authenticator: wantedAuthenticator,
      });
    }
    member.free();
    keys.free();
  });

  it('with another seed says something else: the comparison can fail', () => {
    const { fragment, room, unix_seconds: unixSeconds, owner, members } = transcript;
    const [first] = members;
    const keys = new Keys(fragment, undefined);
    const member = new GroupMember(keys, room, unixSeconds, new Uint8Array(32).fill(77), bytes(owner));
    const connected = sure(first?.calls.find(({ frames }) => frames.length > 0));
    perform(member, connected);
    expect(hex(sure(member.next_message()))).not.toBe(connected.frames[0]);
  });
});

function perform(member: GroupMember, call: Call): void {
  const { now } = call;
  switch (call.call) {
    case 'announce':
      member.announce(call.seat ?? 0, call.name ?? '', true, false, new Uint8Array(call.tracks ?? []), now);
      break;
    case 'connected':
      member.connected(now);
      break;
    case 'message':
      member.message(bytes(call.bytes ?? ''), now);
      break;
    case 'timeout':
      member.timeout(now);
      break;
    case 'update':
      member.update(now);
      break;
    case 'chat':
      member.chat(call.text ?? '', now);
      break;
    case 'lock':
      member.lock(call.locked === true, now);
      break;
    case 'remove':
      member.remove(bytes(call.member ?? ''), now);
      break;
    case 'owner_signed':
      member.owner_signed(bytes(call.bytes ?? ''), now);
      break;
    default:
      throw new Error(`This is no call: ${call.call}`);
  }
}

function isThere(event: unknown): boolean {
  return event !== undefined && event !== null;
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function hex(some: Uint8Array): string {
  return Buffer.from(some).toString('hex');
}

function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There is nothing.');
  return value;
}
