import { describe, expect, it } from 'vitest';
import { mediaPorts } from './candidates.ts';

describe('the ports of media', () => {
  it('are those of the first candidate of each kind', () => {
    const offer = 'v=0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host\r\na=candidate:2 1 udp 1 192.0.2.2 9 typ host\r\n';
    const tcp = ['candidate:1 1 tcp 2105458943 192.0.2.1 8443 typ host tcptype passive'];
    expect(mediaPorts(offer, tcp)).toEqual({ udp: 8080, tcp: 8443 });
  });

  it('are unknown where the server names none', () => {
    expect(mediaPorts('v=0', ['candidate:'])).toEqual({ udp: null, tcp: null });
  });
});
