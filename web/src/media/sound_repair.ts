// Lets lost sound be sent again. Chromium asks for lost packets of Opus, and answers who asks, as soon as both
// descriptions say `nack`, but it never says so in an answer by itself; other browsers would not do it.

const OPUS = /^a=rtpmap:(\d+) opus\//i;

/** Whether this browser repairs sound once its answer says so. */
export function repairsSound(): boolean {
  // What only Chromium's engine has; the name of a browser would say less.
  return typeof RTCRtpTransceiver !== 'undefined' && 'setHeaderExtensionsToNegotiate' in RTCRtpTransceiver.prototype;
}

/** The answer with `nack` for Opus (RFC 4585) where the offer has it. */
export function askForSound(answer: string, offer: string): string {
  const offered = new Set(offer.split('\r\n'));
  const lines: string[] = [];
  for (const line of answer.split('\r\n')) {
    lines.push(line);
    const payloadType = OPUS.exec(line)?.[1];
    if (payloadType !== undefined && offered.has(feedback(payloadType))) lines.push(feedback(payloadType));
  }
  // A browser that says it by itself is not made to say it twice.
  return lines.filter((line, index) => !line.endsWith(' nack') || line !== lines[index + 1]).join('\r\n');
}

function feedback(payloadType: string): string {
  return `a=rtcp-fb:${payloadType} nack`;
}
