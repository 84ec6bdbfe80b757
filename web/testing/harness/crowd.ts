// Members without a browser, from the load tester: they send sound and small pictures that pages really show.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';

import { loadtestBinary } from './environment.ts';

/** How a crowd comes and how long it stays. */
export interface CrowdOptions {
  readonly members: number;
  readonly seconds: number;
  /** Between one joining and the next, in milliseconds. */
  readonly joinEveryMs: number;
}

/** A running crowd. */
export class Crowd {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  private output = '';

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  /** Whether the load tester was built. */
  static isThere(): boolean {
    return existsSync(loadtestBinary());
  }

  /** Sends members into the meeting at `link`. */
  static join(link: string, { members, seconds, joinEveryMs }: CrowdOptions): Crowd {
    const numbers = ['--members', String(members), '--seconds', String(seconds), '--join-every', String(joinEveryMs)];
    const command = ['crowd', '--link', link, ...numbers];
    return new Crowd(spawn(loadtestBinary(), command, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Waits until it has left. Fails with what it printed unless all went well. */
  async leaves(): Promise<void> {
    const code = await this.ended;
    if (code !== 0) throw new Error(`The crowd ended with ${code}:\n${this.output}`);
  }

  /** Ends it where it stands. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
  }
}
