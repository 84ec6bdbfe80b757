// Where the server takes media, for the words about what a firewall has to let through.

/** Port numbers; null where the server names none. */
export interface MediaPorts {
  readonly udp: number | null;
  readonly tcp: number | null;
}

/** Reads the first candidate of each kind. Source: RFC 8839 section 5.1, RFC 6544. */
export function mediaPorts(offer: string, tcpCandidates: readonly string[]): MediaPorts {
  return { udp: port(offer, 'udp'), tcp: port(tcpCandidates.join('\n'), 'tcp') };
}

function port(text: string, transport: 'udp' | 'tcp'): number | null {
  const found = new RegExp(`candidate:\\S+ \\d+ ${transport} \\d+ \\S+ (\\d{1,5}) typ`, 'i').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
