// The network that the tests live in: one namespace with an address that is not loopback, and no way out.
import { execFileSync } from 'node:child_process';

/** Set by `enter.ts` for what it runs inside. */
export const INSIDE = 'UNDERTONE_TEST_NAMESPACE';

/** Set by `enter.ts` to the reason when it could make no namespace. */
export const REFUSED = 'UNDERTONE_TEST_NAMESPACE_REFUSED';

const BRIDGE = 'undertone0';

const REMEDY =
  'This test needs a network namespace of its own. Start it with `npm run test:browser` or `cargo xtask browser`, as ' +
  'root or where user namespaces are allowed, with unshare (util-linux), ip (iproute2) and nft (nftables) installed. ' +
  'In a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined. ' +
  'On Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0.';

/** Which packets to lose, in percent: none unless said. */
export interface Loss {
  /** From the pages to the server. */
  readonly up?: number;
  /** From the server to the pages. */
  readonly down?: number;
}

/** The network namespace that this process runs in. */
export class Namespace {
  /** An IPv4 address for media. Firefox takes no candidate on loopback. */
  static readonly IPV4 = '10.77.0.1';
  /** A unique local IPv6 address (RFC 4193) for media. */
  static readonly IPV6 = 'fd77::1';

  /** The namespace around this process. Fails with what to do about it when there is none. */
  static here(): Namespace {
    if (process.env[INSIDE] === undefined) {
      const reason = process.env[REFUSED];
      throw new Error(reason === undefined ? REMEDY : `${REMEDY} The system said: ${reason}`);
    }
    return new Namespace();
  }

  /** Lets no UDP packet from or to `port` arrive, and answers nothing: a strict firewall. */
  dropUdp(port: number): void {
    this.rules([`udp dport ${port} counter drop`, `udp sport ${port} counter drop`]);
  }

  /** Loses UDP packets from and to `port` at random. */
  lose(port: number, { up = 0, down = 0 }: Loss): void {
    // Per mille, so that half percents can be asked for.
    const rule = (match: string, percent: number): string[] =>
      percent > 0 ? [`udp ${match} ${port} numgen random mod 1000 < ${Math.round(10 * percent)} counter drop`] : [];
    this.rules([...rule('dport', up), ...rule('sport', down)]);
  }

  /** How many packets the present rules have dropped, in their order. */
  dropped(): number[] {
    const listed = execFileSync('nft', ['list', 'table', 'inet', 'undertone'], { encoding: 'utf8' });
    return [...listed.matchAll(/counter packets (\d+)/g)].map((match) => Number(match[1]));
  }

  /** Takes all rules away. */
  open(): void {
    this.rules([]);
  }

  /**
   * Puts these rules in the place of the former ones.
   *
   * They stand on the receiving side: a packet that is dropped on its way out would be an error to its sender.
   */
  private rules(rules: readonly string[]): void {
    const chain = ['type filter hook input priority 0; policy accept;', ...rules].join('\n');
    const input = `table inet undertone\ndelete table inet undertone\ntable inet undertone {\nchain input {\n${chain}\n}\n}\n`;
    execFileSync('nft', ['-f', '-'], { input });
  }
}

/** What makes the namespace: run as shell commands by its root, right after it was made. */
export function setUpCommands(): string[] {
  return [
    'ip link set lo up',
    `ip link add ${BRIDGE} type bridge`,
    `ip address add ${Namespace.IPV4}/24 dev ${BRIDGE}`,
    `ip link set ${BRIDGE} up`,
    // Without nodad the address is unusable for a second.
    `ip -6 address add ${Namespace.IPV6}/64 dev ${BRIDGE} nodad`,
    // Browsers gather candidates on the interface of the default route. Nobody is at the other end.
    'ip route add default via 10.77.0.2',
    'ip -6 route add default via fd77::2',
    'nft list tables',
  ];
}
