// Members of an MLS group in a native process (`mls/examples/interop.rs`), one line of JSON a request.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { nativeExample } from './environment.ts';

/** Where a member stands: equal for all who are in one epoch, but for the leaf. */
export interface GroupState {
  readonly epoch: number;
  readonly leaf: number;
  readonly members: number;
  /** 16 bytes of the exporter, as media keys are derived from them. */
  readonly exported: string;
  readonly authenticator: string;
}

/** A commit that its maker has merged. Bytes are hexadecimal. */
export interface Committed {
  readonly commit: string;
  readonly welcome: string | null;
  readonly tree: string;
}

/** A process with any number of members, each by its name. */
export class NativeGroup {
  private readonly child: ChildProcess;
  private readonly waiting: PromiseWithResolvers<string>[] = [];

  private constructor(child: ChildProcess) {
    this.child = child;
    if (child.stdout === null) throw new Error('The process has no output.');
    createInterface({ input: child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
    child.once('exit', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('The process has ended.'));
    });
  }

  static start(): NativeGroup {
    return new NativeGroup(spawn(nativeExample('interop'), [], { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  /** Asks for something; fails with what the process says went wrong. */
  async ask<Answer>(who: string, op: string, further: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const answered = Promise.withResolvers<string>();
    this.waiting.push(answered);
    this.child.stdin?.write(`${JSON.stringify({ who, op, ...further })}\n`);
    const line = await answered.promise;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
    const answer = JSON.parse(line) as Answer & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${who} cannot ${op}: ${answer.error}`);
    return answer;
  }

  state(who: string): Promise<GroupState> {
    return this.ask<GroupState>(who, 'state');
  }

  stop(): void {
    this.child.kill();
  }
}
