// The room's secret K and the independent keys derived from it. The link is
// always mixed in; there is no room whose only secret is a password. K itself
// becomes a WebCrypto key that cannot be taken out.
import { argon2idAsync } from '@noble/hashes/argon2.js';
import { concat, fromBase64url, u16, utf8, type Bytes } from './bytes.ts';
import { LINK_LENGTH } from './fragment.ts';

/** What a session needs of the room's secret. */
export interface Secret {
  /** What the server asks for at the door. */
  gate(): Promise<Bytes>;
  /** Seals announcements: AES-256-GCM. */
  announcementKey(): Promise<CryptoKey>;
  /** Until the MLS group is there: what a participant's SFrame keys are derived from. The caller wipes it. */
  interimBaseKey(room: string, seat: number, salt: Bytes): Promise<Bytes>;
}

/** Derives a room's secret; `onProgress` gets fractions of 1, and ends the work by throwing. */
export type DeriveSecret = (
  link: Bytes,
  password: string | null,
  onProgress: (fraction: number) => void,
) => Promise<Secret>;

/** 64 MiB, what a phone's browser still gives. */
const ARGON2_MEMORY_KIB = 64 * 1_024;
const ARGON2_PASSES = 3;
/** Argon2 gives way this often, so that messages and frames are handled while it works. */
const ARGON2_TURN_MS = 20;
const SECRET_BITS = 256;
const BASE_KEY_BITS = 128;
const ROOM_LENGTH = 16;

/** K, as a key that only derives. */
export class RoomSecret implements Secret {
  private constructor(private readonly key: CryptoKey) {}

  /** HKDF(link), or HKDF(link ‖ Argon2id(password)). The password is put into normal form C first. */
  static readonly derive: DeriveSecret = async (link, password, onProgress) => {
    if (link.length !== LINK_LENGTH) throw new RangeError('the link has 16 bytes');
    const input = password === null ? link.slice() : concat(link, await stretch(link, password, onProgress));
    const key = await hkdf(await importSecret(input), '', SECRET_BITS);
    input.fill(0);
    const secret = new RoomSecret(await importSecret(key));
    key.fill(0);
    return secret;
  };

  gate(): Promise<Bytes> {
    return this.output('gate');
  }

  /** An independent output of 32 bytes, named by `purpose` and `more`. */
  output(purpose: string, ...more: Bytes[]): Promise<Bytes> {
    return hkdf(this.key, purpose, SECRET_BITS, ...more);
  }

  announcementKey(): Promise<CryptoKey> {
    const cipher = { name: 'AES-GCM', length: 256 };
    return crypto.subtle.deriveKey(parameters('announce'), this.key, cipher, false, ['encrypt', 'decrypt']);
  }

  interimBaseKey(room: string, seat: number, salt: Bytes): Promise<Bytes> {
    const raw = fromBase64url(room);
    if (raw?.length !== ROOM_LENGTH) throw new RangeError('a room id has 16 bytes');
    return hkdf(this.key, 'interim', BASE_KEY_BITS, raw, u16(seat), salt);
  }
}

async function stretch(link: Bytes, password: string, onProgress: (fraction: number) => void): Promise<Bytes> {
  const salt = await hkdf(await importSecret(link), 'salt', SECRET_BITS);
  const work = () =>
    argon2idAsync(utf8(password.normalize('NFC')), salt, {
      m: ARGON2_MEMORY_KIB,
      t: ARGON2_PASSES,
      p: 1,
      dkLen: 32,
      asyncTick: ARGON2_TURN_MS,
      onProgress,
    });
  return new Uint8Array(await inBackground(work));
}

/**
 * Runs `work` so that messages and frames come first. Without the priority,
 * Chromium resumes a task that gave way before it delivers a message, and then
 * a newer password would wait for the older one.
 */
function inBackground<Result>(work: () => Promise<Result>): Promise<Result> {
  const scheduler: unknown = Reflect.get(globalThis, 'scheduler');
  return isScheduler(scheduler) ? scheduler.postTask(work, { priority: 'background' }) : work();
}

interface TaskScheduler {
  postTask<Result>(task: () => Promise<Result>, options: { priority: 'background' }): Promise<Result>;
}

function isScheduler(value: unknown): value is TaskScheduler {
  return typeof value === 'object' && value !== null && 'postTask' in value && typeof value.postTask === 'function';
}

function importSecret(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey']);
}

async function hkdf(key: CryptoKey, purpose: string, bits: number, ...more: Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.deriveBits(parameters(purpose, ...more), key, bits));
}

/** HKDF-SHA-256 with an empty salt (RFC 5869). */
function parameters(purpose: string, ...more: Bytes[]): HkdfParams {
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: concat(utf8(purpose), ...more) };
}
