// Real Chromium with a made-up camera and microphone.
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

import { chromiumBinary } from './environment.ts';
import { watchFrames } from './frames.ts';
import { watchPeerConnections } from './observe.ts';
import { PATIENCE_MS } from './wait.ts';

/** Frames per second of the made-up camera: three pages encode and decode on two cores. */
const CAMERA_FPS = 10;

/** What the browser finds when a page asks for camera and microphone. */
export type Devices =
  /** Both are there and the question is answered with yes. */
  | 'granted'
  /** Both are there and the question is answered with no. */
  | 'refused'
  /** Neither is there. */
  | 'missing';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts one browser with a profile of its own. Close it after the test. */
export function launch(devices: Devices = 'granted', further: readonly string[] = []): Promise<Browser> {
  const camera = devices === 'missing' ? [] : [`--use-fake-device-for-media-stream=fps=${CAMERA_FPS}`];
  // Without this flag a headless browser answers the question with no.
  const answer = devices === 'refused' ? [] : ['--use-fake-ui-for-media-stream'];
  return chromium.launch({
    executablePath: chromiumBinary(),
    headless: true,
    args: [...QUIET, ...camera, ...answer, ...further],
  });
}

/** What a page of its own profile may be like. */
export interface Visitor extends BrowserContextOptions {
  /** No camera and no microphone for this page alone, which spares two cores an encoder. */
  readonly withoutDevices?: boolean;
}

/** Opens a page in a profile of its own within `browser`: a person, as the server sees it. */
export async function visit(browser: Browser, visitor: Visitor = {}): Promise<Page> {
  const { withoutDevices = false, ...options } = visitor;
  const context: BrowserContext = await browser.newContext({ ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await context.addInitScript(watchPeerConnections);
  await context.addInitScript(watchFrames);
  if (withoutDevices) await context.addInitScript(hideDevices);
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}

/** Runs in the page: behaves like a machine without camera and microphone. */
function hideDevices(): void {
  const devices = navigator.mediaDevices;
  devices.getUserMedia = () => Promise.reject(new DOMException('Requested device not found', 'NotFoundError'));
  devices.enumerateDevices = () => Promise.resolve([]);
}
