// The part of a meeting link behind '#'. Browsers never send it, so neither the
// secret nor anything else in it is asked of the server or known to it.
//
// base64url of 36 bytes: version ‖ flags ‖ generation u16 ‖ link (16) ‖ owner (16).
import { concat, fromBase64url, toBase64url, u16, type Bytes } from './bytes.ts';

/** What a meeting link says behind '#'. */
export interface Fragment {
  /** The meeting has a password besides the link. */
  readonly password: boolean;
  /** Newcomers wait until a moderator lets them in. */
  readonly lobby: boolean;
  /** How often the link was replaced, 0 to 65,535. */
  readonly generation: number;
  /** 128 random bits: the secret of the room. */
  readonly link: Bytes;
  /** First 16 bytes of SHA-256 of the owner's public key. */
  readonly owner: Bytes;
}

/** Why a text is no fragment: cut or altered on its way, or made by a newer version. */
export type FragmentProblem = 'malformed' | 'version_unsupported';

/** Length of the link secret in bytes. */
export const LINK_LENGTH = 16;
/** Length of the owner's key hash in bytes. */
export const OWNER_LENGTH = 16;

const VERSION = 1;
const FLAG_PASSWORD = 1;
const FLAG_LOBBY = 2;
const FLAGS_KNOWN = FLAG_PASSWORD | FLAG_LOBBY;
const LENGTH = 36;

/** The text of `fragment`, without '#'. */
export function makeFragment(fragment: Fragment): string {
  const { password, lobby, generation, link, owner } = fragment;
  if (link.length !== LINK_LENGTH || owner.length !== OWNER_LENGTH) {
    throw new RangeError('link and owner are 16 bytes each');
  }
  if (!Number.isInteger(generation) || generation < 0 || generation > 0xffff) {
    throw new RangeError('generation is a 16-bit number');
  }
  const flags = (password ? FLAG_PASSWORD : 0) | (lobby ? FLAG_LOBBY : 0);
  return toBase64url(concat(new Uint8Array([VERSION, flags]), u16(generation), link, owner));
}

/** Reads a fragment, with or without its '#'. Unknown flags mean a version newer than ours. */
export function parseFragment(text: string): Fragment | FragmentProblem {
  const bytes = fromBase64url(text.startsWith('#') ? text.slice(1) : text);
  if (bytes === null || bytes.length === 0) return 'malformed';
  const [version = 0, flags = 0, high = 0, low = 0] = bytes;
  if (version !== VERSION) return 'version_unsupported';
  if (bytes.length !== LENGTH) return 'malformed';
  if ((flags & ~FLAGS_KNOWN) !== 0) return 'version_unsupported';
  return {
    password: (flags & FLAG_PASSWORD) !== 0,
    lobby: (flags & FLAG_LOBBY) !== 0,
    generation: (high << 8) | low,
    link: bytes.slice(4, 4 + LINK_LENGTH),
    owner: bytes.slice(4 + LINK_LENGTH),
  };
}

/** 16 random bytes for a new room. */
export function makeLink(): Bytes {
  return crypto.getRandomValues(new Uint8Array(LINK_LENGTH));
}
