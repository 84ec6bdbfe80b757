// WebDriver BiDi, as much as the tests say of it. Source: https://www.w3.org/TR/webdriver-bidi/

/** How long a browser may take to answer a command, in milliseconds. */
const ANSWER_MS = 60_000;

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What waits for the answer to a command. */
interface Waiting {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

/** One session with one browser. */
export class BidiSession {
  private readonly waiting = new Map<number, Waiting>();
  private readonly socket: WebSocket;
  private last = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => this.heard(String(data)));
    socket.addEventListener('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('The browser closed the session.'));
      this.waiting.clear();
    });
  }

  /** Opens a session with the browser that listens at `url`. */
  static async open(url: string): Promise<BidiSession> {
    const socket = new WebSocket(`${url}/session`);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`No session at ${url}.`)));
    });
    const session = new BidiSession(socket);
    await session.command('session.new', { capabilities: {} });
    return session;
  }

  /** Says a command and returns its result. Fails with the browser's words. */
  command(method: string, params: Json = {}): Promise<Json> {
    const id = (this.last += 1);
    return new Promise<Json>((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error(`The browser did not answer ${method} within ${ANSWER_MS} ms.`));
      }, ANSWER_MS);
      this.waiting.set(id, {
        resolve: (result) => {
          clearTimeout(late);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.socket.close();
  }

  private heard(text: string): void {
    const answer: Json = JSON.parse(text);
    const id = field(answer, 'id');
    if (typeof id !== 'number') return;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (field(answer, 'type') === 'success') waiting?.resolve(field(answer, 'result'));
    else waiting?.reject(new Error(`${string(answer, 'error')}: ${string(answer, 'message')}`));
  }
}

/** A field of an object; null when it is not there. */
export function field(value: Json, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return (value as { readonly [key: string]: Json })[name] ?? null;
}

/** A field that must be text. */
export function string(value: Json, name: string): string {
  const found = field(value, name);
  if (typeof found !== 'string') throw new Error(`The browser's answer has no ${name}: ${JSON.stringify(value)}`);
  return found;
}

/** A field that must be a list. */
export function list(value: Json, name: string): readonly Json[] {
  const found = field(value, name);
  if (!Array.isArray(found)) throw new Error(`The browser's answer has no list ${name}: ${JSON.stringify(value)}`);
  return found;
}
