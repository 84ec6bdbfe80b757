// What losses do to a call, with and without repair: `npm run measure:loss -- --seconds 15 --pages 2 --percent 0,2,5,10`.
import { parseArgs } from 'node:util';

import { launch, visit } from './harness/chromium.ts';
import { Person } from './harness/meeting.ts';
import { Namespace, type Loss } from './harness/namespace.ts';
import { watchQuality, type Quality } from './harness/quality.ts';
import { Server } from './harness/server.ts';
import { withoutRepair } from './harness/unrepaired.ts';
import { sleep } from './harness/wait.ts';

/** How long a call settles before it is watched, in milliseconds: rates rise in the first seconds. */
const SETTLE_MS = 4_000;

const NAMES = ['Ada', 'Ben', 'Eve'];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    pages: { type: 'string', default: '2' },
    percent: { type: 'string', default: '0,2,5,10' },
    /** `up`, `down` or `both`. */
    way: { type: 'string', default: 'both' },
    /** `with`, `without` or `both`. */
    repair: { type: 'string', default: 'both' },
  },
});
const seconds = Number(values.seconds);
const network = Namespace.here();

/** One call at one loss; the mean over its pages, and the worst where that says more. */
async function measure(loss: Loss, isRepaired: boolean): Promise<Record<string, number | string | null>> {
  const server = await Server.start({ capture: false, media: [Namespace.IPV4] });
  const browser = await launch();
  try {
    const people: Person[] = [];
    let link: string | null = null;
    for (const name of NAMES.slice(0, Number(values.pages))) {
      const page = await visit(browser);
      if (!isRepaired) await page.addInitScript(withoutRepair);
      const person = new Person(page, name);
      link ??= await person.createMeeting(server.url);
      await person.join(link);
      people.push(person);
    }
    for (const person of people) {
      for (const other of people.filter((one) => one !== person)) await person.seesMoving(other.name);
    }
    network.lose(server.port, loss);
    await sleep(SETTLE_MS);
    const seen = await Promise.all(people.map(({ page }) => watchQuality(page, seconds)));
    const others = people.length - 1;
    const mean = (field: keyof Quality): number =>
      Number((seen.reduce((sum, one) => sum + (one[field] ?? 0), 0) / seen.length).toFixed(2));
    return {
      'sound made up, %': mean('concealedPercent'),
      'of it silence, %': mean('silentConcealedPercent'),
      'pictures/s': Number((mean('framesPerSecond') / others).toFixed(1)),
      freezes: mean('freezes'),
      'frozen, ms': mean('frozenMs'),
      'lost': mean('packetsLost'),
      'sent again': mean('retransmitted'),
      'key frames asked': mean('keyFrameRequests'),
      'lips apart, ms': Math.max(...seen.map((one) => one.lipsApartMs ?? Number.NaN)),
    };
  } finally {
    network.open();
    await browser.close();
    await server.stop();
  }
}

const table: Record<string, Record<string, number | string | null>> = {};
for (const percent of values.percent.split(',').map(Number)) {
  const loss: Loss = {
    up: values.way === 'down' ? 0 : percent,
    down: values.way === 'up' ? 0 : percent,
  };
  for (const isRepaired of [true, false]) {
    if (values.repair !== 'both' && (values.repair === 'with') !== isRepaired) continue;
    table[`${percent} % ${values.way}, ${isRepaired ? 'repaired' : 'not repaired'}`] = await measure(loss, isRepaired);
  }
}
console.log(`${values.pages} pages for ${seconds} s; each figure is the mean of what the pages received.`);
console.table(table);
