// A live group of members on OpenMLS and one on ts-mls, another implementation of RFC 9420: through Welcome, Add,
// Update, Remove and application messages all export the same.
import {
  acceptAll,
  createApplicationMessage,
  createCommit,
  decodeMlsMessage,
  defaultCapabilities,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  makePskIndex,
  mlsExporter,
  processMessage,
  type CiphersuiteImpl,
  type ClientState,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  type Proposal,
} from 'ts-mls';
import { decodeRatchetTree, encodeRatchetTree } from 'ts-mls/ratchetTree.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NativeGroup, type Committed, type GroupState } from '../harness/native_group.ts';

const PSK_NAME = Buffer.from('room:0');
const PSK = '5a'.repeat(32);
const YEAR_SECONDS = 365n * 24n * 3_600n;

describe('a group of two implementations', () => {
  let native: NativeGroup;
  let tess: Tess;

  beforeAll(async () => {
    native = NativeGroup.start();
    tess = await Tess.make();
    for (const who of ['ada', 'ben']) await native.ask(who, 'psk', { psk: PSK });
    await native.ask('ada', 'create');
  });

  afterAll(() => native.stop());

  /** Everybody in the group is in one epoch and exports the same. */
  async function expectOneEpoch(who: readonly string[]): Promise<void> {
    const states: Omit<GroupState, 'leaf'>[] = await Promise.all(who.map((name) => native.state(name)));
    states.push(await tess.state());
    const [first] = states;
    for (const { epoch, exported, authenticator } of states) {
      expect({ epoch, exported, authenticator }).toEqual({
        epoch: first?.epoch,
        exported: first?.exported,
        authenticator: first?.authenticator,
      });
    }
  }

  it('begins with a Welcome that holds the PSK', async () => {
    const added = await native.ask<Committed>('ada', 'add', { key_package: tess.keyPackage() });
    await tess.join(added);
    await expectOneEpoch(['ada']);
  });

  it('grows by a member of one whom the other adds', async () => {
    const { key_package: keyPackage } = await native.ask<{ key_package: string }>('ben', 'key_package');
    const added = await tess.add(keyPackage);
    await native.ask('ada', 'hear', { message: added.commit });
    await native.ask('ben', 'join', { welcome: added.welcome, tree: added.tree });
    await expectOneEpoch(['ada', 'ben']);
  });

  it('renews keys from either side', async () => {
    const theirs = await tess.update();
    for (const who of ['ada', 'ben']) await native.ask(who, 'hear', { message: theirs });
    await expectOneEpoch(['ada', 'ben']);
    const ours = await native.ask<Committed>('ben', 'update');
    await native.ask('ada', 'hear', { message: ours.commit });
    await tess.hear(ours.commit);
    await expectOneEpoch(['ada', 'ben']);
  });

  it('carries application messages both ways', async () => {
    const message = await tess.say('Grüße');
    for (const who of ['ada', 'ben']) {
      expect(await native.ask<{ said: string }>(who, 'hear', { message })).toEqual({ said: 'Grüße' });
    }
    const { message: answer } = await native.ask<{ message: string }>('ada', 'say', { text: 'hello' });
    expect(await tess.hear(answer)).toBe('hello');
    await expectOneEpoch(['ada', 'ben']);
  });

  it('goes on without a member that the other implementation removes', async () => {
    const before = await tess.state();
    const { leaf } = await native.state('ben');
    const commit = await tess.remove(leaf);
    await native.ask('ada', 'hear', { message: commit });
    await expectOneEpoch(['ada']);
    expect((await native.state('ada')).members).toBe(2);
    // The control: whoever is not told stays behind, with another secret.
    expect((await native.state('ben')).exported).toBe(before.exported);
    expect((await tess.state()).exported).not.toBe(before.exported);
  });
});

/** The member on ts-mls. */
class Tess {
  private member: ClientState | null = null;

  private constructor(
    private readonly suite: CiphersuiteImpl,
    private readonly publicPackage: KeyPackage,
    private readonly privatePackage: PrivateKeyPackage,
  ) {}

  static async make(): Promise<Tess> {
    const suite = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'));
    const now = BigInt(Math.floor(Date.now() / 1_000));
    const made = await generateKeyPackage(
      { credentialType: 'basic', identity: new TextEncoder().encode('tess') },
      defaultCapabilities(),
      { notBefore: now - 3_600n, notAfter: now + YEAR_SECONDS / 12n },
      [],
      suite,
    );
    return new Tess(suite, made.publicPackage, made.privatePackage);
  }

  keyPackage(): string {
    return encoded({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: this.publicPackage });
  }

  async join({ welcome, tree }: Committed): Promise<void> {
    const message = decoded(welcome ?? '');
    if (message.wireformat !== 'mls_welcome') throw new Error('This is no Welcome.');
    const ratchetTree = decodeRatchetTree(Buffer.from(tree, 'hex'), 0)?.[0];
    const { publicPackage, privatePackage, suite } = this;
    this.member = await joinGroup(message.welcome, publicPackage, privatePackage, this.psks(), suite, ratchetTree);
  }

  async add(keyPackage: string): Promise<Committed> {
    const message = decoded(keyPackage);
    if (message.wireformat !== 'mls_key_package') throw new Error('This is no KeyPackage.');
    const pskNonce = crypto.getRandomValues(new Uint8Array(32));
    return this.commit([
      { proposalType: 'add', add: { keyPackage: message.keyPackage } },
      { proposalType: 'psk', psk: { preSharedKeyId: { psktype: 'external', pskId: PSK_NAME, pskNonce } } },
    ]);
  }

  async update(): Promise<string> {
    return (await this.commit([])).commit;
  }

  async remove(leaf: number): Promise<string> {
    return (await this.commit([{ proposalType: 'remove', remove: { removed: leaf } }])).commit;
  }

  async say(text: string): Promise<string> {
    const made = await createApplicationMessage(this.inGroup(), new TextEncoder().encode(text), this.suite);
    this.member = made.newState;
    return encoded({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: made.privateMessage });
  }

  /** Merges a commit, or returns what was said. */
  async hear(text: string): Promise<string | null> {
    const message = decoded(text);
    if (message.wireformat !== 'mls_public_message' && message.wireformat !== 'mls_private_message') {
      throw new Error('This is no message of a group.');
    }
    const heard = await processMessage(message, this.inGroup(), this.psks(), acceptAll, this.suite);
    this.member = heard.newState;
    return heard.kind === 'applicationMessage' ? new TextDecoder().decode(heard.message) : null;
  }

  async state(): Promise<Omit<GroupState, 'leaf'>> {
    const { keySchedule, groupContext, ratchetTree } = this.inGroup();
    const exported = await mlsExporter(
      keySchedule.exporterSecret,
      'SFrame 1.0 Base Key',
      new Uint8Array(),
      16,
      this.suite,
    );
    return {
      epoch: Number(groupContext.epoch),
      members: ratchetTree.filter((node) => node?.nodeType === 'leaf').length,
      exported: hex(exported),
      authenticator: hex(keySchedule.epochAuthenticator),
    };
  }

  private async commit(extraProposals: Proposal[]): Promise<Committed> {
    const made = await createCommit(
      { state: this.inGroup(), cipherSuite: this.suite, pskIndex: this.psks() },
      { wireAsPublicMessage: true, ratchetTreeExtension: false, extraProposals },
    );
    this.member = made.newState;
    const { welcome, commit } = made;
    return {
      commit: encoded(commit),
      welcome: welcome === undefined ? null : encoded({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
      tree: hex(encodeRatchetTree(made.newState.ratchetTree)),
    };
  }

  private inGroup(): ClientState {
    if (this.member === null) throw new Error('She is in no group.');
    return this.member;
  }

  private psks(): ReturnType<typeof makePskIndex> {
    return makePskIndex(this.member ?? undefined, { [PSK_NAME.toString('base64')]: Buffer.from(PSK, 'hex') });
  }
}

function encoded(message: MLSMessage): string {
  return hex(encodeMlsMessage(message));
}

function decoded(text: string): MLSMessage {
  const message = decodeMlsMessage(new Uint8Array(Buffer.from(text, 'hex')), 0)?.[0];
  if (message === undefined) throw new Error('It cannot be decoded.');
  return message;
}

function hex(some: Uint8Array): string {
  return Buffer.from(some).toString('hex');
}
