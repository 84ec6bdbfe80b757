// Makes a room: its secrets are drawn here, and the server is told only a hash of what it has to check.
import { toBase64url } from '../e2ee/bytes.ts';
import { makeLink, type Fragment } from '../e2ee/fragment.ts';
import { createOwner } from '../e2ee/owner.ts';
import { VERSION, type ErrorCode } from '../protocol/generated.ts';
import { makeRoomId } from './link.ts';
import type { RoomParts, UnlockedKeys } from './room.ts';

/** A room that the server knows, with its keys ready. */
export interface NewRoom {
  readonly room: string;
  readonly fragment: Fragment;
  readonly keys: UnlockedKeys;
}

/** Why there is no room. */
export class CreateError extends Error {
  constructor(readonly problem: ErrorCode | 'server_unreachable' | 'encryption') {
    super(problem);
    this.name = 'CreateError';
  }
}

/** Makes a room. Fails with a `CreateError`. */
export async function createRoom(
  parts: RoomParts,
  password: string | null,
): Promise<NewRoom> {
  const room = makeRoomId();
  const link = makeLink();
  const { fragment, keys } = await makeKeys(parts, room, link, password);
  try {
    await tellServer(parts, room, toBase64url(keys.unlocked.gateHash), toBase64url(fragment.owner));
  } catch (error) {
    keys.e2ee.close();
    throw error;
  }
  return { room, fragment, keys };
}

async function makeKeys(
  parts: RoomParts,
  room: string,
  link: Fragment['link'],
  password: string | null,
): Promise<{ fragment: Fragment; keys: UnlockedKeys }> {
  let e2ee: UnlockedKeys['e2ee'] | null = null;
  try {
    e2ee = parts.startE2ee();
    const owner = await createOwner(room);
    const fragment = { password: password !== null, lobby: false, generation: 0, link, owner };
    const unlocked = await e2ee.unlock({ fragment, password });
    return { fragment, keys: { e2ee, password, unlocked } };
  } catch {
    e2ee?.close();
    throw new CreateError('encryption');
  }
}

/** One connection for one question: the meeting itself opens its own. */
function tellServer(parts: RoomParts, room: string, gateHash: string, owner: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = parts.connect({
      opened: () => socket.send({ type: 'create', version: VERSION, room, gate_hash: gateHash, owner }),
      steady: () => undefined,
      frame: () => undefined,
      message: (message) => {
        if (message.type === 'created' && message.room === room) resolve();
        else if (message.type === 'error') reject(new CreateError(message.code));
        else reject(new CreateError('malformed'));
        socket.close();
      },
      closed: () => {
        // One that only fell silent is still open.
        socket.close();
        reject(new CreateError('server_unreachable'));
      },
    });
  });
}
