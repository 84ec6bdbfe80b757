// Bent: the gate is right, every key behind it is that of another link.
import '../../../src/e2ee/group_worker.ts';
import { makeFragment, parseFragment } from '../../../src/e2ee/fragment.ts';
import { isRecord } from '../../../src/e2ee/decode.ts';
import { GroupSession } from '../../../src/e2ee/group_session.ts';
import { Keys } from '../../../src/e2ee/wasm/e2ee.js';

let rightText = '';
const handle = Object.getOwnPropertyDescriptor(GroupSession.prototype, 'handle')?.value;

GroupSession.prototype.handle = function bent(message) {
  if (!isRecord(message) || message['type'] !== 'unlock' || typeof message['fragment'] !== 'string') {
    handle.call(this, message);
    return;
  }
  rightText = message['fragment'];
  const right = parseFragment(rightText);
  if (typeof right === 'string') return;
  const link = right.link.map((byte) => byte ^ 0x55);
  handle.call(this, { ...message, fragment: makeFragment({ ...right, link }) });
};

for (const name of ['gate', 'gate_hash'] as const) {
  const right = Object.getOwnPropertyDescriptor(Keys.prototype, name)?.value;
  Keys.prototype[name] = () => right.call(new Keys(rightText));
}
