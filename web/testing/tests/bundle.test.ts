// The shipped page holds no switch that weakens encryption, and nothing of the bent pages.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { BENDS, builtTo, marker } from '../harness/bends.ts';
import { SHIPPED } from '../harness/environment.ts';

/** Names of switches that this or another product has had for sending in clear. */
const SWITCHES = [
  'createEncodedStreams',
  'passthrough',
  'pass_through',
  'disableE2ee',
  'disableEncryption',
  'enableEncryption',
  'e2eeEnabled',
  'insecureMode',
  'noEncryption',
  'allowPlaintext',
  'plaintextMode',
  'skipEncryption',
  'bent-page',
];

/** Everything in a folder that a browser would run or read, in one text. */
function bundle(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|html|css|json|map)$/.test(file))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
}

describe('the shipped bundle', () => {
  const shipped = bundle(SHIPPED);

  it.each(BENDS)('holds nothing of the bent page %s', (bend) => {
    // The control: the marker is found where it belongs, by the same search.
    expect(bundle(builtTo(bend)).includes(marker(bend))).toBe(true);
    expect(shipped.includes(marker(bend))).toBe(false);
  });

  it.each(SWITCHES)('has no %s', (name) => {
    expect(shipped.toLowerCase().includes(name.toLowerCase())).toBe(false);
  });

  it('asks for encoded streams at every connection and knows one kind of transform', () => {
    // The control of the searches above: what must be there is found by the same means.
    expect(shipped.includes('RTCRtpScriptTransform')).toBe(true);
    const connections = shipped.split('new RTCPeerConnection(').length - 1;
    expect(connections).toBe(1);
    expect(shipped).toMatch(/encodedInsertableStreams:(!0|true)/);
    expect(shipped).not.toMatch(/encodedInsertableStreams:(!1|false)/);
  });

  it('reads no parameter of the address that could switch anything', () => {
    expect(shipped.includes('location.search')).toBe(false);
    expect(shipped.includes('URLSearchParams')).toBe(false);
  });
});
