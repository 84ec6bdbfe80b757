// Bent: the group and the names are right, the keys of all media are not.
import '../../../src/e2ee/worker.ts';
import { isBytes, isRecord } from '../../../src/e2ee/decode.ts';
import { Session } from '../../../src/e2ee/session.ts';

const right = Object.getOwnPropertyDescriptor(Session.prototype, 'handleKeys')?.value;

Session.prototype.handleKeys = function wrong(message) {
  if (isRecord(message) && isBytes(message['baseKey'])) message['baseKey'].forEach((byte, at, key) => (key[at] = byte ^ 0x55));
  right.call(this, message);
};
