// Reads what the server says: decoded and checked, never cast. The types come from
// the Rust crate `protocol`, so a change there that is not made here does not compile.
import { fromBase64url } from '../e2ee/bytes.ts';
import {
  ERROR_CODES,
  MESSAGE_BYTES_MAX,
  SEALED_BYTES_MAX,
  SEATS,
  SERVER_DEPTH_MAX,
  type Participant,
  type ServerMessage,
  type SlotBinding,
} from './generated.ts';
import { DecodeError, parseJson, type Json, type JsonObject } from './json.ts';

/** Reads one message of the server. Fails with a `DecodeError`. */
export function decodeServerMessage(json: string): ServerMessage {
  // A UTF-16 unit takes at least one byte, so a long text need not be encoded to know.
  if (json.length > MESSAGE_BYTES_MAX || utf8Length(json) > MESSAGE_BYTES_MAX) throw new DecodeError('too_large');
  const message = parseJson(json, SERVER_DEPTH_MAX);
  if (!isObject(message)) throw new DecodeError('not_an_object');
  const type = message.get('type');
  if (typeof type !== 'string') throw new DecodeError('no_type');
  const decode = DECODERS.get(type);
  if (decode === undefined) throw new DecodeError('unknown_type');
  return decode(message);
}

type Decoder<T> = (value: Json) => T;
type Fields<T> = { readonly [K in keyof T]-?: Decoder<T[K]> };

/** An object with exactly these fields. Faults are reported in the order of the text. */
function object<T extends object>(decoders: Fields<T>): Decoder<T> {
  return (value) => {
    if (!isObject(value)) throw new DecodeError('wrong_type');
    const result: Partial<T> = {};
    for (const [key, field] of value) {
      if (!Object.hasOwn(decoders, key)) throw new DecodeError('unknown_field');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above has just found the key
      const known = key as keyof T;
      result[known] = decoders[known](field);
    }
    for (const key of Object.keys(decoders)) {
      if (!value.has(key)) throw new DecodeError('missing_field');
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field was decoded, and none is missing
    return result as T;
  };
}

function list<T>(entry: Decoder<T>): Decoder<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new DecodeError('wrong_type');
    return value.map((item: Json) => entry(item));
  };
}

function nullable<T>(inner: Decoder<T>): Decoder<T | null> {
  return (value) => (value === null ? null : inner(value));
}

function text(accepts: (value: string) => boolean): Decoder<string> {
  return (value) => {
    if (typeof value !== 'string') throw new DecodeError('wrong_type');
    if (!accepts(value)) throw new DecodeError('bad_value');
    return value;
  };
}

function word<const T extends string>(words: readonly T[]): Decoder<T> {
  return (value) => {
    if (typeof value !== 'string') throw new DecodeError('wrong_type');
    const found = words.find((known) => known === value);
    if (found === undefined) throw new DecodeError('bad_value');
    return found;
  };
}

function whole(below: number): Decoder<number> {
  return (value) => {
    if (typeof value !== 'number' || Number.isNaN(value)) throw new DecodeError('wrong_type');
    if (value >= below) throw new DecodeError('bad_value');
    return value;
  };
}

function bytes(lengthMin: number, lengthMax: number): Decoder<string> {
  return text((value) => {
    const decoded = fromBase64url(value);
    return decoded !== null && decoded.length >= lengthMin && decoded.length <= lengthMax;
  });
}

function isObject(value: Json): value is JsonObject {
  return value instanceof Map;
}

function utf8Length(value: string): number {
  return new TextEncoder().encode(value).length;
}

/** RFC 8866 section 9, `token`. */
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,16}$/;

const u32 = whole(2 ** 32);
const seat = whole(SEATS);
const mid = text((value) => TOKEN.test(value));
const room = bytes(16, 16);
const sealed = bytes(1, SEALED_BYTES_MAX);
const offer = bytes(1, MESSAGE_BYTES_MAX / 2);
const token = bytes(32, 32);
const onOff = word(['on', 'off']);
const presence = word(['here', 'away']);
const transportState = word(['connected', 'closed']);
const candidate = text(() => true);
const source = word(['microphone', 'camera']);

const binding = object<SlotBinding>({ mid, seat: nullable(seat), source: nullable(source) });
const participant = object<Participant>({ seat, microphone: onOff, camera: onOff, presence, sealed: nullable(sealed) });

type Of<K extends ServerMessage['type']> = Extract<ServerMessage, { type: K }>;
type Messages = { readonly [K in ServerMessage['type']]: Decoder<Of<K>> };

const MESSAGES: Messages = {
  created: object<Of<'created'>>({ type: word(['created']), room }),
  joined: object<Of<'joined'>>({
    type: word(['joined']),
    seat,
    participants: list(participant),
    slots: list(binding),
    negotiation: u32,
    offer: nullable(offer),
    token,
    tcp_candidates: list(candidate),
  }),
  resumed: object<Of<'resumed'>>({
    type: word(['resumed']),
    seat,
    participants: list(participant),
    slots: list(binding),
    transport: transportState,
  }),
  offer: object<Of<'offer'>>({
    type: word(['offer']),
    negotiation: u32,
    transport: word(['kept', 'new']),
    slots: list(binding),
    offer,
  }),
  participant_joined: object<Of<'participant_joined'>>({ type: word(['participant_joined']), seat }),
  participant_left: object<Of<'participant_left'>>({ type: word(['participant_left']), seat }),
  announced: object<Of<'announced'>>({ type: word(['announced']), seat, sealed }),
  media: object<Of<'media'>>({ type: word(['media']), seat, microphone: onOff, camera: onOff }),
  presence: object<Of<'presence'>>({ type: word(['presence']), seat, presence }),
  slots: object<Of<'slots'>>({ type: word(['slots']), slots: list(binding) }),
  transport: object<Of<'transport'>>({ type: word(['transport']), state: transportState }),
  stopping: object<Of<'stopping'>>({ type: word(['stopping']), deadline_ms: u32 }),
  pong: object<Of<'pong'>>({ type: word(['pong']) }),
  error: object<Of<'error'>>({
    type: word(['error']),
    code: word(ERROR_CODES),
    detail: text(() => true),
    retry_after_ms: nullable(u32),
  }),
};

const DECODERS: ReadonlyMap<string, Decoder<ServerMessage>> = new Map<string, Decoder<ServerMessage>>(
  Object.entries(MESSAGES),
);
