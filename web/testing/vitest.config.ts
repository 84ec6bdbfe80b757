// How the browser tests run: one after the other, because two cores hold one call.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  // Nothing of the page's own configuration applies here.
  publicDir: false,
  cacheDir: '../node_modules/.vite-testing',
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    globalSetup: ['./harness/build.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    maxConcurrency: 1,
    sequence: { concurrent: false },
    testTimeout: 180_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    retry: 0,
  },
});
