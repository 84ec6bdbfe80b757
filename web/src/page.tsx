// Puts the page together. What ships is `shippedParts`; the tests' bent pages start from the same pieces and
// put one of their own in place of another.
import { render } from 'preact';
import { E2eeWorker } from './e2ee/index.ts';
import { loadOwner } from './e2ee/owner.ts';
import { createPeerConnection } from './media/connection.ts';
import { watchNetwork } from './protocol/network.ts';
import { connect } from './protocol/socket.ts';
import type { RoomParts } from './room/room.ts';
import { App } from './ui/app.tsx';

/** The pieces of the page as it ships. */
export const shippedParts: RoomParts = {
  startE2ee: () => E2eeWorker.start(),
  attachTransforms: (e2ee) => ({
    sender: (sender, track) => e2ee.attachSender(sender, track),
    receiver: (receiver, slot) => e2ee.attachReceiver(receiver, slot),
  }),
  createPeerConnection,
  connect,
  loadOwner,
  watchNetwork,
};

/** Draws the page into `root`. */
export function startPage(root: HTMLElement, parts: RoomParts): void {
  render(<App parts={parts} />, root);
}
