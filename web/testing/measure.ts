// What a call of three costs the server: `npm run measure`. Prints a table; no target is set yet.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { launch, visit } from './harness/chromium.ts';
import { Person } from './harness/meeting.ts';
import { Server } from './harness/server.ts';
import { sleep } from './harness/wait.ts';

/** How long the call is watched, in seconds. */
const SECONDS = 20;

/** The counter of packets that were queued for subscribers. */
const FORWARDED = /rtp_packets_forwarded/;

const NAMES = ['Ada', 'Ben', 'Eve'];

/** CPU time of every thread of a process so far, in nanoseconds, by the thread's name. */
function cpuNanoseconds(pid: number): Map<string, number> {
  const tasks = `/proc/${pid}/task`;
  const times = new Map<string, number>();
  for (const task of readdirSync(tasks)) {
    const name = readFileSync(path.join(tasks, task, 'comm'), 'utf8').trim();
    // schedstat: time on the CPU, time waiting for one, slices; the first two in nanoseconds.
    const time = Number(readFileSync(path.join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]);
    times.set(name, (times.get(name) ?? 0) + time);
  }
  return times;
}

/** Resident memory of a process, in bytes. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}

const server = await Server.start({ capture: false });
const browser = await launch();
try {
  const memory = [residentBytes(server.pid)];
  const people: Person[] = [];
  let link = '';
  for (const name of NAMES) {
    const person = new Person(await visit(browser), name);
    if (link === '') {
      link = await person.createMeeting(server.url);
      await person.askToJoin();
      await person.isInCall();
    } else {
      await person.join(link);
    }
    people.push(person);
    for (const other of people.filter((one) => one !== person)) {
      await person.seesMoving(other.name);
    }
    await sleep(2_000);
    memory.push(residentBytes(server.pid));
  }
  const metricsBefore = await server.metrics();
  const cpuBefore = cpuNanoseconds(server.pid);
  await sleep(SECONDS * 1_000);
  const cpu = cpuNanoseconds(server.pid);
  const grown = (await server.metrics()).grownSince(metricsBefore);
  const seconds = [...cpu].map(([name, time]) => [name, (time - (cpuBefore.get(name) ?? 0)) / 1e9] as const);
  const all = seconds.reduce((sum, [, time]) => sum + time, 0);
  const counted = (pattern: RegExp): number =>
    Object.entries(grown).reduce((sum, [name, value]) => sum + (pattern.test(name) ? value : 0), 0);
  const forwarded = counted(FORWARDED);
  console.log(`Call of ${NAMES.length} for ${SECONDS} s.`);
  console.table({
    'packets forwarded': forwarded,
    'packets forwarded per second': Math.round(forwarded / SECONDS),
    'CPU time of all threads, ms': Math.round(all * 1e3),
    'CPU of one core, %': Number(((100 * all) / SECONDS).toFixed(2)),
    'CPU per forwarded packet, µs': Number(((1e6 * all) / forwarded).toFixed(2)),
    'memory without a call, MiB': mebibytes(memory[0]),
    'memory with three, MiB': mebibytes(memory.at(-1)),
    'memory per participant, kiB': Math.round(((memory.at(-1) ?? 0) - (memory[0] ?? 0)) / NAMES.length / 1024),
  });
  const threads = seconds.map(([name, time]) => [name, { 'CPU time, ms': Number((time * 1e3).toFixed(1)) }]);
  console.table(Object.fromEntries(threads));
} finally {
  await browser.close();
  await server.stop();
}

function mebibytes(bytes: number | undefined): number {
  return Number(((bytes ?? 0) / 1_048_576).toFixed(1));
}
