// The page's side of end-to-end encryption. Keys, names and frames are handled
// in two workers; what comes out is what the page shows and what it may send.
import type { Bytes } from './bytes.ts';
import { isRecord } from './decode.ts';
import { makeFragment, type Fragment } from './fragment.ts';
import type { E2eeEvent, Media, TrackKind, Unlocked } from './messages.ts';
import {
  decodeFrameEvent,
  decodeGroupEvent,
  decodeReply,
  type Reply,
  type Request,
  type Saying,
  type TransformRole,
} from './requests.ts';
import { startGroupWorker, startWorker } from './start.ts';

export type {
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
export type { Saying } from './requests.ts';

/** Why a worker did not do what it was asked. `superseded`: a newer `unlock` took its place. */
export type E2eeProblem = 'superseded' | 'refused' | 'lost';

/** A request to a worker that failed. */
export class E2eeError extends Error {
  constructor(readonly problem: E2eeProblem) {
    super(`end-to-end encryption: ${problem}`);
    this.name = 'E2eeError';
  }
}

interface Waiting {
  readonly resolve: (reply: Exclude<Reply, { type: 'failed' }>) => void;
  readonly reject: (error: E2eeError) => void;
}

/** The two workers that hold the keys of one meeting: one the group, one the frames. */
export class E2eeWorker {
  /** Called with everything that the workers tell; set it before the first call. */
  onEvent: ((event: E2eeEvent) => void) | null = null;

  readonly #frames: Worker;
  readonly #group: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost = false;

  /** Takes workers that are already running. Pages call `start`; tests bring their own. */
  constructor(frames: Worker, group: Worker) {
    this.#frames = frames;
    this.#group = group;
    frames.onmessage = (message: MessageEvent<unknown>) => {
      const event = decodeFrameEvent(message.data);
      if (event !== null) this.onEvent?.(event);
    };
    group.onmessage = (message: MessageEvent<unknown>) => this.#hear(message.data);
    for (const worker of [frames, group]) {
      worker.onerror = () => this.#lose();
      worker.onmessageerror = () => this.#lose();
    }
  }

  /** Starts the workers through the Trusted Types policy `undertone`. */
  static start(): E2eeWorker {
    return new E2eeWorker(startWorker(), startGroupWorker());
  }

  /**
   * Derives the room's secret from the link and the password (null: it has none)
   * and returns what the server may see of it. With a password this takes about a
   * second. A second call ends the first, which fails with `superseded`.
   */
  async unlock({ fragment, password }: { fragment: Fragment; password: string | null }): Promise<Unlocked> {
    for (const [id, { reject }] of this.#waiting) {
      this.#waiting.delete(id);
      reject(new E2eeError('superseded'));
    }
    const reply = await this.#unlock(makeFragment(fragment), password);
    return { gate: reply.gate, gateHash: reply.gateHash };
  }

  /** Becomes a member of the room, unless one is already; `owner` is the owner's public key, where it is ours. */
  enter({ room, owner }: { room: string; owner: Bytes | null }): void {
    this.#tell({ type: 'enter', room, owner });
  }

  /** There is a connection to the server, and a seat. */
  connected(): void {
    this.#tell({ type: 'connected' });
  }

  /** The connection is gone. The group stays. */
  disconnected(): void {
    this.#tell({ type: 'disconnected' });
  }

  /** Hands over a binary message of the server. */
  frame(bytes: Bytes): void {
    this.#tell({ type: 'frame', bytes });
  }

  /** Says who one is and what one sends; every member is told. */
  announce(saying: Saying): void {
    this.#tell({ type: 'announce', saying });
  }

  /** Removes the member on a seat, with the owner's right. */
  remove(seat: number): void {
    this.#tell({ type: 'remove', seat });
  }

  /** Closes the meeting to newcomers, or opens it again, with the owner's right. */
  lock(locked: boolean): void {
    this.#tell({ type: 'lock', locked });
  }

  /** The owner's key signed what `owner_signature` asked for. */
  ownerSigned(signature: Bytes): void {
    this.#tell({ type: 'owner_signed', signature });
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

  /** Ends the workers and forgets all keys. */
  close(): void {
    this.#end();
  }

  #transform(role: TransformRole): RTCRtpScriptTransform {
    return new RTCRtpScriptTransform(this.#frames, role);
  }

  #unlock(fragment: string, password: string | null): Promise<Exclude<Reply, { type: 'failed' }>> {
    if (this.#lost) return Promise.reject(new E2eeError('lost'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell({ type: 'unlock', id, fragment, password });
    });
  }

  #tell(request: Request): void {
    if (!this.#lost) this.#group.postMessage(request, []);
  }

  #hear(data: unknown): void {
    if (isRecord(data) && data['port'] instanceof MessagePort) {
      // The one way by which keys reach the frame worker; nobody else listens on it.
      this.#frames.postMessage({ port: data['port'] }, [data['port']]);
      return;
    }
    const reply = decodeReply(data);
    if (reply !== null) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.type === 'failed') waiting?.reject(new E2eeError(reply.problem));
      else waiting?.resolve(reply);
      return;
    }
    const event = decodeGroupEvent(data);
    if (event !== null) this.onEvent?.(event);
  }

  #lose(): void {
    if (this.#lost) return;
    this.#end();
    this.onEvent?.({ type: 'lost' });
  }

  #end(): void {
    this.#lost = true;
    this.#frames.terminate();
    this.#group.terminate();
    for (const { reject } of this.#waiting.values()) reject(new E2eeError('lost'));
    this.#waiting.clear();
  }
}
