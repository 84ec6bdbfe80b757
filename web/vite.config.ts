// How the page is built. Nothing may be inlined as a data: URL or fetched from
// elsewhere: the server's Content-Security-Policy allows its own origin only.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    environment: 'node',
    // Deriving a key from a password takes a second, and several on a machine that is busy.
    testTimeout: 30_000,
  },
});
