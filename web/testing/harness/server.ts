// The real server, started for a test and ended with it.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type CapturedDatagram, parseCapture } from './capture.ts';
import { serverBinary } from './environment.ts';
import { Metrics } from './metrics.ts';
import { eventually } from './wait.ts';

/** How long the server may take to say that it is ready, in milliseconds. */
const READY_MS = 20_000;

/** How long the server may take to end after it was asked to, in milliseconds. */
const END_MS = 10_000;

/** Name of the capture file in the server's folder. */
const CAPTURE = 'capture.bin';

/** How a server is started. */
export interface ServerOptions {
  /** Whether it keeps what crosses the core's edge. */
  readonly capture?: boolean;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Addresses that it offers for media. */
  readonly media?: readonly string[];
  /** Further options of `undertone serve`. */
  readonly options?: readonly string[];
}

/** A running server of its own port, with its core-edge capture in a file of its own. */
export class Server {
  readonly url: string;
  readonly metricsUrl: string;
  /** One number: HTTP over TCP and media over UDP. */
  readonly port: number;
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly output: string[];

  private constructor(child: ChildProcess, folder: string, output: string[], url: string, metricsUrl: string) {
    this.child = child;
    this.folder = folder;
    this.output = output;
    this.url = url;
    this.metricsUrl = metricsUrl;
    this.port = Number(new URL(url).port);
    this.pid = child.pid ?? 0;
  }

  /** Starts a server, on free ports unless told otherwise, and waits until it says that it is ready. */
  static async start({ capture = true, port = 0, media = ['127.0.0.1'], options = [] }: ServerOptions = {}): Promise<Server> {
    const folder = mkdtempSync(path.join(tmpdir(), 'undertone-test-'));
    const output: string[] = [];
    const address = ['--media-address', media.join(',')];
    const child = spawn(
      serverBinary(),
      ['serve', '--port', String(port), '--metrics-address', '127.0.0.1:0', ...address, ...options],
      {
        cwd: folder,
        env: { ...cleanEnvironment(), ...(capture ? { UNDERTONE_CAPTURE: path.join(folder, CAPTURE) } : {}) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(error));
      child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output.join('')}`)));
    });
    const ready = eventually(
      'the lines that say the server is ready',
      () => output.join(''),
      (text) => /is ready: http\S+/.test(text) && /Metrics: http\S+/.test(text),
      READY_MS,
    );
    const text = await Promise.race([ready, failed]);
    failed.catch(() => {});
    const url = /is ready: (http\S+)/.exec(text)?.[1] ?? '';
    const metricsUrl = /Metrics: (http\S+)/.exec(text)?.[1] ?? '';
    return new Server(child, folder, output, url.replace(/\/$/, ''), metricsUrl);
  }

  /** The counters as they stand. */
  async metrics(): Promise<Metrics> {
    const response = await fetch(this.metricsUrl);
    if (!response.ok) throw new Error(`${this.metricsUrl} answered ${response.status}`);
    return Metrics.parse(await response.text());
  }

  /** RTP packets that the server has taken in and found authentic, padding included. */
  async mediaPacketsReceived(): Promise<number> {
    return (await this.metrics()).sum('undertone_sfu_rtp_packets_received_total');
  }

  /** What crossed the core's edge so far: RTP and RTCP after SRTP was taken off, before it is put on. */
  captured(): CapturedDatagram[] {
    return parseCapture(readFileSync(path.join(this.folder, CAPTURE)));
  }

  /** Where it was started, and the only place where it may keep anything. */
  get directory(): string {
    return this.folder;
  }

  /** Everything that the server has printed. */
  printed(): string {
    return this.output.join('');
  }

  /** Whether the process is still there. */
  isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** With what it ended by itself; null while it runs and after a signal. */
  exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Asks the server to drain, as a service manager does. It goes on until everybody has left, or its deadline. */
  drain(): void {
    this.child.kill('SIGTERM');
  }

  /** Ends the server in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Ends the server as Ctrl-C does, and removes its folder. */
  stop(): Promise<void> {
    return this.end('SIGINT');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.isRunning()) {
      const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill(signal);
      const forced = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(forced);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The environment without settings that somebody made for a server of their own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UNDERTONE_')));
}
