// The server's counters, read from its Prometheus page.

/** One sample: the labels it carries and its value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All samples of one reading. */
export class Metrics {
  readonly samples: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.samples = samples;
  }

  /** Parses the Prometheus text format, version 0.0.4. */
  static parse(text: string): Metrics {
    const samples: Sample[] = [];
    for (const line of text.split('\n')) {
      const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
      if (match === null) continue;
      const labels: Record<string, string> = {};
      for (const label of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
        labels[label[1] ?? ''] = label[2] ?? '';
      }
      samples.push({ name: match[1] ?? '', labels, value: Number(match[3]) });
    }
    return new Metrics(samples);
  }

  /** Whether the server has a metric of this name at all. */
  has(name: string): boolean {
    return this.samples.some((sample) => sample.name === name);
  }

  /**
   * The sum over all samples of this name whose labels include `labels`.
   *
   * Fails when there is no metric of this name: a misspelt name would otherwise count zero for ever.
   */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    if (!this.has(name)) {
      const names = [...new Set(this.samples.map((sample) => sample.name))].join(', ');
      throw new Error(`The server has no metric ${name}. It has: ${names}`);
    }
    return this.samples
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  /** The samples of this name that grew since `earlier`, as "labels: difference" for messages of failed tests. */
  grownSince(earlier: Metrics): Record<string, number> {
    const before = new Map(earlier.samples.map((sample) => [key(sample), sample.value]));
    const grown: Record<string, number> = {};
    for (const sample of this.samples) {
      const difference = sample.value - (before.get(key(sample)) ?? 0);
      if (difference > 0) grown[key(sample)] = difference;
    }
    return grown;
  }
}

function key(sample: Sample): string {
  const labels = Object.entries(sample.labels).map(([name, value]) => `${name}="${value}"`);
  return `${sample.name}{${labels.join(',')}}`;
}
