// Builds the bent pages before the tests run, each apart from the others and from what is shipped.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'vite';

import { BENDS, builtTo, type Bend } from './bends.ts';
import { SHIPPED, TESTING } from './environment.ts';

/** Vitest calls this once, before all test files. */
export async function setup(): Promise<void> {
  if (!existsSync(path.join(SHIPPED, 'index.html'))) {
    throw new Error(`There is no page in ${SHIPPED}. Build it with \`npm run build\`.`);
  }
  for (const bend of BENDS) await buildBent(bend);
}

async function buildBent(bend: Bend): Promise<void> {
  const root = path.join(TESTING, 'pages', bend);
  await build({
    configFile: path.resolve(TESTING, '../vite.config.ts'),
    root,
    publicDir: false,
    logLevel: 'warn',
    plugins: [otherWorker(root)],
    build: { outDir: builtTo(bend), emptyOutDir: true },
  });
}

/** Puts a bent page's own workers in the place of the shipped ones, where it has them. */
function otherWorker(root: string): Plugin {
  return {
    name: 'undertone-bent-worker',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer?.endsWith('/src/e2ee/start.ts') !== true) return null;
      const name = /^\.\/((?:group_)?worker\.ts)\?/.exec(source)?.[1];
      const replacement = path.join(root, name ?? 'none');
      return name !== undefined && existsSync(replacement) ? source.replace(`./${name}`, replacement) : null;
    },
  };
}
