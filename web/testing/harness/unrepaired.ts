// A page whose browser is kept from repairing losses, for comparison: it neither asks for lost packets nor is asked.
declare global {
  /** How many lines were taken out of the offer: the control that there were any. */
  var linesTakenOut: number | undefined;
}

/** Runs in the page before its own scripts: takes NACK and RTX out of every offer (RFC 4585 and RFC 4588). */
export function withoutRepair(): void {
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const lines = (description.sdp ?? '').split('\r\n');
      const rtx = new Set(lines.flatMap((line) => /^a=rtpmap:(\d+) rtx\//i.exec(line)?.[1] ?? []));
      const isRepair = (line: string): boolean => {
        const about = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /.exec(line)?.[1];
        return /^a=rtcp-fb:\S+ nack$/.test(line) || line.startsWith('a=ssrc-group:FID ') || rtx.has(about ?? '');
      };
      const kept = lines.filter((line) => !isRepair(line));
      globalThis.linesTakenOut = (globalThis.linesTakenOut ?? 0) + lines.length - kept.length;
      const sdp = kept
        .map((line) => {
          if (!line.startsWith('m=')) return line;
          const [media = '', port = '', profile = '', ...types] = line.split(' ');
          return [media, port, profile, ...types.filter((type) => !rtx.has(type))].join(' ');
        })
        .join('\r\n');
      return super.setRemoteDescription({ type: description.type, sdp });
    }
  };
}
