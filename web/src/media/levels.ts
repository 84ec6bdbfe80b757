// How loud somebody is, measured on the decoded sound: what the server says about levels is not asked.

/** Loudness of samples between -1 and 1, from 0 (at most -60 dB) to 1 (at least -15 dB). */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const power = sum / Math.max(samples.length, 1);
  if (power === 0) return 0;
  const decibels = 10 * Math.log10(power);
  return Math.min(1, Math.max(0, (decibels + 60) / 45));
}

/** Loudness from which somebody speaks: about -40 dB, above the noise of a room after suppression. */
const SPEAKING_FROM = 0.45;
/** How long the mark stays after the last sound, in milliseconds: the pauses between words are shorter. */
const SPEAKING_HOLD_MS = 600;

/** Whether somebody speaks, without flicker between words. */
export class SpeakingGate {
  private lastHeard = Number.NEGATIVE_INFINITY;

  speaks(level: number, nowMs: number): boolean {
    if (level >= SPEAKING_FROM) this.lastHeard = nowMs;
    return nowMs - this.lastHeard < SPEAKING_HOLD_MS;
  }
}

/** Period of measurement in milliseconds. */
const PERIOD_MS = 100;

interface Meter {
  readonly track: MediaStreamTrack;
  readonly source: MediaStreamAudioSourceNode;
  readonly analyser: AnalyserNode;
  readonly gate: SpeakingGate;
  readonly samples: Float32Array<ArrayBuffer>;
}

/** Measures tracks that are known by a key. */
export class Levels {
  private context: AudioContext | null = null;
  private readonly meters = new Map<string, Meter>();
  private timer: ReturnType<typeof setInterval> | null = null;
  private speakers: ReadonlySet<string> = new Set();

  /** Called in every period, with the loudness of each key. */
  onLevels: ((levels: ReadonlyMap<string, number>) => void) | null = null;
  /** Called when another set of keys speaks. */
  onSpeakers: ((speakers: ReadonlySet<string>) => void) | null = null;

  /** Measures `track` under `key`; null ends it. */
  set(key: string, track: MediaStreamTrack | null): void {
    const old = this.meters.get(key);
    if (old?.track === track) return;
    old?.source.disconnect();
    this.meters.delete(key);
    if (track !== null) this.meters.set(key, this.meter(track));
    if (this.meters.size > 0) this.timer ??= setInterval(() => this.measure(), PERIOD_MS);
  }

  /** Wakes a context that the browser started asleep; call it on the user's gestures. */
  wake(): void {
    if (this.context?.state === 'suspended') void this.context.resume().catch(() => undefined);
  }

  /** Ends everything. */
  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    for (const meter of this.meters.values()) meter.source.disconnect();
    this.meters.clear();
    void this.context?.close().catch(() => undefined);
    this.context = null;
  }

  private meter(track: MediaStreamTrack): Meter {
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    const source = this.context.createMediaStreamSource(new MediaStream([track]));
    source.connect(analyser);
    return { track, source, analyser, gate: new SpeakingGate(), samples: new Float32Array(analyser.fftSize) };
  }

  private measure(): void {
    const now = performance.now();
    const levels = new Map<string, number>();
    const speakers = new Set<string>();
    for (const [key, meter] of this.meters) {
      meter.analyser.getFloatTimeDomainData(meter.samples);
      const level = loudness(meter.samples);
      levels.set(key, level);
      if (meter.gate.speaks(level, now)) speakers.add(key);
    }
    this.onLevels?.(levels);
    if (speakers.size === this.speakers.size && [...speakers].every((key) => this.speakers.has(key))) return;
    this.speakers = speakers;
    this.onSpeakers?.(speakers);
  }
}
