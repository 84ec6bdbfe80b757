// Members without a browser, from the load tester: they send sound and small pictures that pages really show.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import path from 'node:path';

import { loadtestBinary } from './environment.ts';

/** Name of the report in the crowd's folder. */
const REPORT = 'report.json';

/** How a crowd comes and how long it stays. */
export interface CrowdOptions {
  readonly members: number;
  readonly seconds: number;
  /** Between one joining and the next, in milliseconds. */
  readonly joinEveryMs: number;
}

/** What one member counted, as far as tests read it. */
export interface MemberReport {
  /** Whose names it could open. */
  readonly names: readonly string[];
  /** Microphones and cameras of others of which a frame was opened. */
  readonly tracks_opened: number;
}

/** A running crowd. */
export class Crowd {
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly ended: Promise<number | null>;
  private output = '';

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    this.folder = folder;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  /** Sends members into the meeting at `link`. */
  static join(link: string, { members, seconds, joinEveryMs }: CrowdOptions): Crowd {
    const numbers = ['--members', String(members), '--seconds', String(seconds), '--join-every', String(joinEveryMs)];
    const folder = mkdtempSync(path.join(tmpdir(), 'undertone-crowd-'));
    const command = ['crowd', '--link', link, ...numbers, '--json', path.join(folder, REPORT)];
    return new Crowd(spawn(loadtestBinary(), command, { stdio: ['ignore', 'pipe', 'pipe'] }), folder);
  }

  /** Waits until it has left, and hands out what its members counted. Fails with what it printed unless all went well. */
  async leaves(): Promise<readonly MemberReport[]> {
    const code = await this.ended;
    if (code !== 0) throw new Error(`The crowd ended with ${code}:\n${this.output}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
    const report = JSON.parse(readFileSync(path.join(this.folder, REPORT), 'utf8')) as { members: MemberReport[] };
    rmSync(this.folder, { recursive: true, force: true });
    return report.members;
  }

  /** Ends it where it stands. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a storm counted, as far as tests read it. */
export interface StormReport {
  /** When each member was in the group, in milliseconds since all began, sorted. */
  readonly entered_after_ms: readonly number[];
  readonly epoch: number;
  /** Names that the one who knew fewest had opened. */
  readonly names_min: number;
  readonly alarms: number;
  readonly ended: readonly string[];
}

/** How long a storm stays once everybody knows everybody, in seconds. */
const SETTLE_SECONDS = 3;

/**
 * Sends `members` without media into the meeting at `link`, all at once, and waits until they know each other, or
 * `seconds` are over, and have left.
 */
export async function storm(link: string, members: number, seconds: number): Promise<StormReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'undertone-storm-'));
  const file = path.join(folder, REPORT);
  const command = ['storm', '--link', link, '--members', String(members), '--seconds', String(seconds)];
  command.push('--settle', String(SETTLE_SECONDS), '--json', file);
  const child = spawn(loadtestBinary(), command, { stdio: ['ignore', 'pipe', 'pipe'] });
  // They stand for as many other machines: the pages come first.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', (exit) => resolve(exit)));
  if (code !== 0) throw new Error(`The storm ended with ${code}:\n${said}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it a moment ago
  const report = JSON.parse(readFileSync(file, 'utf8')) as StormReport;
  rmSync(folder, { recursive: true, force: true });
  return report;
}
