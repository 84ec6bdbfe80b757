// The page's side of end-to-end encryption. Keys, names and frames are handled
// in the worker; what comes out is what the page shows and what it may send.
import type { Bytes } from './bytes.ts';
import type { E2eeEvent, Media, Track, TrackKind, Unlocked } from './messages.ts';
import { decodeEvent, decodeReply, type Reply, type Request, type TransformRole } from './requests.ts';
import { startWorker } from './start.ts';

export type {
  AnnouncementRefusal,
  Counters,
  DropReason,
  E2eeEvent,
  Media,
  Owner,
  SlotState,
  Track,
  TrackKind,
  Unlocked,
} from './messages.ts';

/** Why the worker did not do what it was asked. `superseded`: a newer `unlock` took its place. */
export type E2eeProblem = 'superseded' | 'refused' | 'lost';

/** A request to the worker that failed. */
export class E2eeError extends Error {
  constructor(readonly problem: E2eeProblem) {
    super(`end-to-end encryption: ${problem}`);
    this.name = 'E2eeError';
  }
}

type Asked = Extract<Request, { id: number }>;
/** A request without its id. */
type Question = Asked extends infer One ? (One extends Asked ? Omit<One, 'id'> : never) : never;

interface Waiting {
  readonly type: Asked['type'];
  readonly resolve: (reply: Exclude<Reply, { type: 'failed' }>) => void;
  readonly reject: (error: E2eeError) => void;
}

/** One worker that holds the keys of one meeting. */
export class E2eeWorker {
  /** Called with everything that the worker tells; set it before the first call. */
  onEvent: ((event: E2eeEvent) => void) | null = null;

  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost = false;

  /** Takes a worker that is already running. Pages call `start`; tests bring their own. */
  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (message: MessageEvent<unknown>) => this.#hear(message.data);
    worker.onerror = () => this.#lose();
    worker.onmessageerror = () => this.#lose();
  }

  /** Starts the worker through the Trusted Types policy `undertone`. */
  static start(): E2eeWorker {
    return new E2eeWorker(startWorker());
  }

  /**
   * Derives the room's secret from the link and the password (null: it has none)
   * and returns what the server may see of it. With a password this takes
   * seconds; `unlock_progress` events tell how far it is. A second call ends the
   * first, which fails with `superseded`.
   */
  async unlock({ link, password }: { link: Uint8Array; password: string | null }): Promise<Unlocked> {
    for (const [id, { type, reject }] of this.#waiting) {
      if (type !== 'unlock') continue;
      this.#waiting.delete(id);
      reject(new E2eeError('superseded'));
    }
    const reply = await this.#ask({ type: 'unlock', link: new Uint8Array(link), password });
    if (reply.type !== 'unlocked') throw new E2eeError('refused');
    return { gate: reply.gate, gateHash: reply.gateHash };
  }

  /** Takes a seat with a fresh salt: new keys, counters from zero. `room` is the room's id. */
  async enter({ room, seat }: { room: string; seat: number }): Promise<void> {
    await this.#ask({ type: 'enter', room, seat });
  }

  /** Seals one's name and tracks for the others. The server relays it unread. */
  async announce({ name, tracks }: { name: string; tracks: readonly Track[] }): Promise<Bytes> {
    const reply = await this.#ask({ type: 'announce', name, tracks });
    if (reply.type !== 'announced') throw new E2eeError('refused');
    return reply.sealed;
  }

  /** Hands over what the server relayed from `seat`. */
  participantAnnounced(seat: number, sealed: Uint8Array): void {
    this.#tell({ type: 'participant_announced', seat, sealed: new Uint8Array(sealed) });
  }

  /** Ends the keys of `seat`. */
  participantLeft(seat: number): void {
    this.#tell({ type: 'participant_left', seat });
  }

  /**
   * Encrypts what `sender` sends, from this very call on. Call it in the same
   * tick in which the sender exists, before `replaceTrack`.
   */
  attachSender(sender: RTCRtpSender, { track, kind }: { track: number; kind: TrackKind }): void {
    sender.transform = this.#transform({ role: 'sender', track, kind });
  }

  /** Decrypts what `receiver` receives. Call it synchronously in `ontrack`. */
  attachReceiver(receiver: RTCRtpReceiver, { mid, kind }: { mid: string; kind: Media }): void {
    receiver.transform = this.#transform({ role: 'receiver', mid, media: kind });
  }

  /** Ends the worker and forgets all keys. */
  close(): void {
    this.#end();
  }

  #transform(role: TransformRole): RTCRtpScriptTransform {
    return new RTCRtpScriptTransform(this.#worker, role);
  }

  #ask(question: Question): Promise<Exclude<Reply, { type: 'failed' }>> {
    if (this.#lost) return Promise.reject(new E2eeError('lost'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { type: question.type, resolve, reject });
      this.#tell({ ...question, id });
    });
  }

  #tell(request: Request): void {
    this.#worker.postMessage(request, []);
  }

  #hear(data: unknown): void {
    const reply = decodeReply(data);
    if (reply !== null) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.type === 'failed') waiting?.reject(new E2eeError(reply.problem));
      else waiting?.resolve(reply);
      return;
    }
    const event = decodeEvent(data);
    if (event !== null) this.onEvent?.(event);
  }

  #lose(): void {
    if (this.#lost) return;
    this.#end();
    this.onEvent?.({ type: 'lost' });
  }

  #end(): void {
    this.#lost = true;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new E2eeError('lost'));
    this.#waiting.clear();
  }
}
