// Strict JSON, the twin of `protocol/src/decode.rs`: each key once, nothing after
// the value, no deeper and no wider than any message is.
import { ENTRIES_MAX, FIELDS_MAX, type DecodeReason } from './generated.ts';

/** A JSON value whose shape has passed: depth, width, duplicate keys. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object, its fields in the order of the text. */
export type JsonObject = ReadonlyMap<string, Json>;

/** A refused message. It holds no text of the sender. */
export class DecodeError extends Error {
  constructor(readonly reason: DecodeReason) {
    super(reason);
    this.name = 'DecodeError';
  }
}

/** Reads one value nested at most `depthMax` deep. Fails with a `DecodeError`. */
export function parseJson(text: string, depthMax: number): Json {
  const reader = new Reader(text);
  const value = reader.value(depthMax);
  if (!reader.atEnd()) throw new DecodeError('trailing_bytes');
  return value;
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
/** Followed by more of a number, it is none: `01`, `1.`. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE])/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.take(SPACE);
    return this.at === this.text.length;
  }

  value(depthLeft: number): Json {
    this.take(SPACE);
    const mark = this.text[this.at];
    if (mark === '{') return this.object(depthLeft);
    if (mark === '[') return this.list(depthLeft);
    return mark === '"' ? this.string() : this.scalar();
  }

  private object(depthLeft: number): JsonObject {
    if (depthLeft === 0) throw new DecodeError('too_deep');
    const fields = new Map<string, Json>();
    this.at += 1;
    if (this.next('}')) return fields;
    do {
      this.take(SPACE);
      const key = this.string();
      if (fields.has(key)) throw new DecodeError('duplicate_key');
      if (fields.size === FIELDS_MAX) throw new DecodeError('unknown_field');
      this.expect(':');
      fields.set(key, this.value(depthLeft - 1));
    } while (this.next(','));
    this.expect('}');
    return fields;
  }

  private list(depthLeft: number): readonly Json[] {
    if (depthLeft === 0) throw new DecodeError('too_deep');
    const entries: Json[] = [];
    this.at += 1;
    if (this.next(']')) return entries;
    do {
      const entry = this.value(depthLeft - 1);
      if (entries.length === ENTRIES_MAX) throw new DecodeError('bad_value');
      entries.push(entry);
    } while (this.next(','));
    this.expect(']');
    return entries;
  }

  private string(): string {
    const token = this.take(STRING);
    if (token === null) throw new DecodeError('syntax');
    const text: unknown = JSON.parse(token);
    if (typeof text !== 'string' || !text.isWellFormed()) throw new DecodeError('syntax');
    return text;
  }

  private scalar(): number | boolean | null {
    const word = this.take(WORD);
    if (word !== null) return WORDS[word] ?? null;
    const token = this.take(NUMBER);
    if (token === null) throw new DecodeError('syntax');
    // Messages hold whole numbers written plainly; any other form stays a number that no field takes.
    return /^[0-9]+$/.test(token) ? Number(token) : Number.NaN;
  }

  private expect(mark: string): void {
    if (!this.next(mark)) throw new DecodeError('syntax');
  }

  private next(mark: string): boolean {
    this.take(SPACE);
    if (this.text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const token = pattern.exec(this.text)?.[0] ?? null;
    this.at += token?.length ?? 0;
    return token;
  }
}
