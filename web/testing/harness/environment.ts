// Where the tests find what they run: the server, the browser and the built pages.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder `web/testing`. */
export const TESTING = path.resolve(import.meta.dirname, '..');

/** The page as it is shipped, built by `npm run build`. */
export const SHIPPED = path.resolve(TESTING, '../dist');

/** The bent pages and the tap page, built by `npm run test:browser`. */
export const BENT = path.resolve(TESTING, 'dist');

/** The server to start: built with `--features capture`, so that the blindness test can look over its shoulder. */
export function serverBinary(): string {
  const binary = process.env['UNDERTONE_BINARY'];
  if (binary === undefined || !existsSync(binary)) {
    throw new Error(
      `UNDERTONE_BINARY is ${binary ?? 'not set'}, and no server is there. ` +
        'Build one with `cargo build -p undertone --features capture` and give its path, or run `cargo xtask test`.',
    );
  }
  // A server is started in a folder of its own.
  return path.resolve(binary);
}

/** The Chromium to drive. */
export function chromiumBinary(): string {
  const binary = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(binary)) {
    throw new Error(`No Chromium at ${binary}. Install it (apt-get install chromium), or give its path in CHROMIUM.`);
  }
  return binary;
}

/** The Firefox to drive. */
export function firefoxBinary(): string {
  const binary = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';
  if (!existsSync(binary)) {
    throw new Error(`No Firefox at ${binary}. Install it (apt-get install firefox-esr), or give its path in FIREFOX.`);
  }
  return binary;
}

/** The load tester, built by `cargo build -p loadtest`: beside the server unless UNDERTONE_LOADTEST says otherwise. */
export function loadtestBinary(): string {
  return process.env['UNDERTONE_LOADTEST'] ?? path.join(path.dirname(serverBinary()), 'undertone-loadtest');
}

/** A program that stands for another build or another member: `cargo build --examples` puts it beside the server. */
export function nativeExample(name: 'transcript' | 'interop' | 'secrets'): string {
  const folder = process.env['UNDERTONE_EXAMPLES'] ?? path.join(path.dirname(serverBinary()), 'examples');
  return path.join(folder, name);
}
