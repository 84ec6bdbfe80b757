// The owner of a room is an Ed25519 key pair made by the browser that created it:
// not extractable, kept in IndexedDB, one per room.
import { OWNER_LENGTH } from './fragment.ts';
import type { Bytes } from './bytes.ts';

const DATABASE = 'undertone';
const STORE = 'owner';

/** Makes and keeps the owner's key of `room`; returns its hash for the fragment. */
export async function createOwner(room: string): Promise<Bytes> {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
  const database = await open();
  try {
    await request(database.transaction(STORE, 'readwrite').objectStore(STORE).put(pair, room));
  } finally {
    database.close();
  }
  return ownerHash(pair.publicKey);
}

/** The key by which this browser owns a room: it signs grants, and nobody can take it out. */
export interface OwnerKey {
  readonly publicKey: Bytes;
  sign(bytes: Bytes): Promise<Bytes>;
}

/** The owner's key of `room`, or null when another browser made the room, or this one keeps nothing. */
export async function loadOwner(room: string): Promise<OwnerKey | null> {
  const pair = await loadPair(room).catch(() => null);
  if (pair === null) return null;
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, pair.privateKey, bytes)),
  };
}

async function loadPair(room: string): Promise<CryptoKeyPair | null> {
  const database = await open();
  try {
    const found: unknown = await request(database.transaction(STORE).objectStore(STORE).get(room));
    return isKeyPair(found) ? found : null;
  } finally {
    database.close();
  }
}

/** First 16 bytes of SHA-256 of the raw public key. */
export async function ownerHash(publicKey: CryptoKey): Promise<Bytes> {
  const raw = await crypto.subtle.exportKey('raw', publicKey);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', raw)).slice(0, OWNER_LENGTH);
}

function open(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(STORE);
  };
  return request(opening);
}

function request<T>(pending: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    pending.onsuccess = () => resolve(pending.result);
    pending.onerror = () => reject(pending.error ?? new Error('IndexedDB refused'));
  });
}

function isKeyPair(value: unknown): value is CryptoKeyPair {
  if (typeof value !== 'object' || value === null) return false;
  if (!('publicKey' in value) || !('privateKey' in value)) return false;
  return value.publicKey instanceof CryptoKey && value.privateKey instanceof CryptoKey;
}
