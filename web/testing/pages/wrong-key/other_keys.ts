// Evaluated before the shipped worker, which takes `derive` as it finds it.
import { RoomSecret } from '../../../src/e2ee/secret.ts';

const { derive } = RoomSecret;

Object.defineProperty(RoomSecret, 'derive', {
  value: (async (link, password, onProgress) => {
    const right = await derive(link, password, onProgress);
    const wrong = await derive(link.map((byte) => byte ^ 0x55), password, onProgress);
    return {
      gate: () => right.gate(),
      announcementKey: () => wrong.announcementKey(),
      interimBaseKey: (room, seat, salt) => wrong.interimBaseKey(room, seat, salt),
    };
  }) satisfies typeof derive,
});
