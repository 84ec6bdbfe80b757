// Bent: the senders get their transforms half a second after the connection stands, when media could long flow.
import { shippedParts } from '../../../src/page.tsx';
import { keepTapped } from '../tapped.ts';
import { startBent } from '../start.ts';

/** How late they come, in milliseconds. */
const LATE_MS = 500;

let connection: RTCPeerConnection | null = null;

/** Resolves half a second after the connection stands. */
async function late(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  connection?.addEventListener('connectionstatechange', () => {
    if (connection?.connectionState === 'connected') setTimeout(resolve, LATE_MS);
  });
  await promise;
}

/** Packets that all senders have sent so far. */
async function packetsSent(): Promise<number> {
  let packets = 0;
  (await connection?.getStats())?.forEach((entry: { type: string; packetsSent?: number }) => {
    if (entry.type === 'outbound-rtp') packets += entry.packetsSent ?? 0;
  });
  return packets;
}

keepTapped();
startBent('bent-page:late-transform', {
  ...shippedParts,
  createPeerConnection: () => {
    connection = shippedParts.createPeerConnection();
    return connection;
  },
  attachTransforms: (e2ee) => {
    const transforms = shippedParts.attachTransforms(e2ee);
    return {
      receiver: (receiver, slot) => transforms.receiver(receiver, slot),
      sender: (sender, track) =>
        void late().then(async () => {
          globalThis.packetsBeforeAttachment = (globalThis.packetsBeforeAttachment ?? 0) + (await packetsSent());
          transforms.sender(sender, track);
        }),
    };
  },
});
