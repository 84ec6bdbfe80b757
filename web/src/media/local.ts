// One's own microphone and camera: asked for, chosen, switched off and on, lost and replaced.
// A camera that is off is released, so its light goes out; a muted microphone stays open and sends silence.
import { deviceProblem, type DeviceProblem } from './problems.ts';

/** What a participant can send. */
export type SourceKind = 'microphone' | 'camera';

/** A microphone or camera as the page shows it. */
export interface SourceState {
  /** What the user wants. */
  readonly wanted: boolean;
  /** `on`: there is a track, and it is wanted. */
  readonly status: 'off' | 'starting' | 'on' | 'failed';
  readonly problem: DeviceProblem | null;
  /** The device in use, or the one to use; null: the browser's choice. */
  readonly deviceId: string | null;
}

/** A device that can be chosen. Browsers give no label before they were allowed to. */
export interface DeviceChoice {
  readonly id: string;
  readonly label: string;
}

/** Everything about one's own devices. */
export interface LocalState {
  readonly microphone: SourceState;
  readonly camera: SourceState;
  readonly microphones: readonly DeviceChoice[];
  readonly cameras: readonly DeviceChoice[];
  readonly speakers: readonly DeviceChoice[];
  readonly speakerId: string | null;
}

/** Something that happened to a device without the user's doing. */
export interface DeviceNotice {
  readonly kind: SourceKind;
  /** The device that took over, or null when none could. */
  readonly replacement: string | null;
}

/** The part of `navigator.mediaDevices` that is used here. */
export type Devices = Pick<
  MediaDevices,
  'getUserMedia' | 'enumerateDevices' | 'addEventListener' | 'removeEventListener'
>;

/** What the devices need from the browser. */
export interface LocalMediaParts {
  /** Undefined where a page may not use devices at all. */
  readonly devices: Devices | undefined;
  /** What the browser says about a permission; null when it does not tell. */
  permission(kind: SourceKind): Promise<PermissionState | null>;
}

const OFF: SourceState = { wanted: true, status: 'off', problem: null, deviceId: null };
const KINDS: readonly SourceKind[] = ['microphone', 'camera'];

/** The microphone and camera of this page. */
export class LocalMedia {
  private current: LocalState = {
    microphone: OFF,
    camera: OFF,
    microphones: [],
    cameras: [],
    speakers: [],
    speakerId: null,
  };
  private readonly held: Record<SourceKind, MediaStreamTrack | null> = { microphone: null, camera: null };
  /** Counts the requests per source, so that a late answer to an old one is thrown away. */
  private readonly turn: Record<SourceKind, number> = { microphone: 0, camera: 0 };
  private readonly listeners = new Set<() => void>();
  private readonly relist = (): void => void this.list();

  /** Called when a device vanished. */
  onNotice: ((notice: DeviceNotice) => void) | null = null;

  constructor(private readonly parts: LocalMediaParts) {
    parts.devices?.addEventListener('devicechange', this.relist);
  }

  get state(): LocalState {
    return this.current;
  }

  /** The track to send and show, or null. */
  track(kind: SourceKind): MediaStreamTrack | null {
    return this.held[kind];
  }

  /** Calls `listener` on every change; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks for both devices at once, so that the browser asks the user once. */
  async start(): Promise<void> {
    const kinds = KINDS.filter((kind) => this.current[kind].wanted && this.held[kind] === null);
    await this.acquire(kinds);
    await this.list();
  }

  /** Switches a source on or off. */
  async setWanted(kind: SourceKind, wanted: boolean): Promise<void> {
    const track = this.held[kind];
    if (kind === 'microphone' && track !== null) {
      track.enabled = wanted;
      this.set(kind, { wanted, status: wanted ? 'on' : 'off' });
      return;
    }
    this.set(kind, { wanted });
    if (wanted) {
      await this.acquire([kind]);
      await this.list();
    } else {
      this.release(kind);
      this.set(kind, { status: 'off', problem: null });
    }
  }

  /** Uses another device. A source that is off keeps the choice for later. */
  async choose(kind: SourceKind, deviceId: string): Promise<void> {
    this.set(kind, { deviceId });
    if (this.held[kind] !== null || this.current[kind].wanted) await this.acquire([kind]);
  }

  /** Plays the others through another device. */
  chooseSpeaker(speakerId: string): void {
    this.current = { ...this.current, speakerId };
    this.tell();
  }

  /** Releases both devices; `start` takes them again. */
  stop(): void {
    for (const kind of KINDS) {
      this.release(kind);
      this.set(kind, { status: 'off', problem: null });
    }
  }

  /** Releases everything for good. */
  close(): void {
    this.parts.devices?.removeEventListener('devicechange', this.relist);
    this.listeners.clear();
    this.stop();
  }

  private async acquire(kinds: readonly SourceKind[]): Promise<void> {
    const { devices } = this.parts;
    if (kinds.length === 0) return;
    if (devices === undefined) {
      for (const kind of kinds) this.fail(kind, 'unavailable');
      return;
    }
    const turns = kinds.map((kind) => this.beginTurn(kind));
    try {
      const stream = await devices.getUserMedia(this.constraints(kinds));
      kinds.forEach((kind, index) => this.take(kind, turns[index] ?? 0, stream));
    } catch (error) {
      await this.acquireSingly(kinds, turns, error);
    }
  }

  /** One refusal says nothing about the other device, so each is asked for alone where that asks nobody twice. */
  private async acquireSingly(kinds: readonly SourceKind[], turns: readonly number[], error: unknown): Promise<void> {
    const problem = deviceProblem(error);
    const permissions = await Promise.all(kinds.map((kind) => this.parts.permission(kind)));
    for (const [index, kind] of kinds.entries()) {
      if (this.turn[kind] !== turns[index]) continue;
      const permission = permissions[index] ?? null;
      // A source that is blocked for good kept the browser from asking about the other.
      const notAsked = permission === 'prompt' && permissions.includes('denied');
      const mayWork = problem !== 'denied' || permission === 'granted' || permission === null || notAsked;
      if (kinds.length > 1 && mayWork) await this.acquire([kind]);
      else this.fail(kind, problem);
    }
  }

  private take(kind: SourceKind, turn: number, stream: MediaStream): void {
    const [track] = kind === 'microphone' ? stream.getAudioTracks() : stream.getVideoTracks();
    if (track === undefined) return;
    if (this.turn[kind] !== turn || !(kind === 'microphone' || this.current[kind].wanted)) {
      track.stop();
      return;
    }
    this.drop(kind);
    this.held[kind] = track;
    const { wanted } = this.current[kind];
    if (kind === 'microphone') track.enabled = wanted;
    track.addEventListener('ended', () => void this.vanished(kind, track));
    const deviceId = track.getSettings().deviceId ?? this.current[kind].deviceId;
    this.set(kind, { status: wanted ? 'on' : 'off', problem: null, deviceId });
  }

  /** A device went away: the browser's choice among the others takes over. */
  private async vanished(kind: SourceKind, track: MediaStreamTrack): Promise<void> {
    if (this.held[kind] !== track) return;
    this.drop(kind);
    this.set(kind, { deviceId: null, status: 'starting' });
    await this.acquire([kind]);
    if (this.held[kind] === null) this.fail(kind, 'vanished');
    this.onNotice?.({ kind, replacement: this.held[kind]?.label ?? null });
    await this.list();
  }

  private async list(): Promise<void> {
    const all = (await this.parts.devices?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind): DeviceChoice[] =>
      all
        .filter((device) => device.kind === kind && device.deviceId !== '')
        .map((device) => ({ id: device.deviceId, label: device.label }));
    this.current = {
      ...this.current,
      microphones: of('audioinput'),
      cameras: of('videoinput'),
      speakers: of('audiooutput'),
    };
    this.tell();
  }

  private constraints(kinds: readonly SourceKind[]): MediaStreamConstraints {
    const device = (kind: SourceKind): MediaTrackConstraints => {
      const { deviceId } = this.current[kind];
      return deviceId === null ? {} : { deviceId: { exact: deviceId } };
    };
    return {
      audio: kinds.includes('microphone') && {
        ...device('microphone'),
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
      },
      // Small until congestion control can tell what the way to the server carries; below 960x540 browsers send
      // two layers and not three.
      video: kinds.includes('camera') && {
        ...device('camera'),
        width: { ideal: 960 },
        height: { ideal: 540 },
        frameRate: { ideal: 24 },
      },
    };
  }

  private beginTurn(kind: SourceKind): number {
    this.turn[kind] += 1;
    this.set(kind, { status: 'starting', problem: null });
    return this.turn[kind];
  }

  private fail(kind: SourceKind, problem: DeviceProblem): void {
    this.drop(kind);
    this.set(kind, { status: 'failed', problem });
  }

  private release(kind: SourceKind): void {
    this.turn[kind] += 1;
    this.drop(kind);
  }

  private drop(kind: SourceKind): void {
    const track = this.held[kind];
    this.held[kind] = null;
    track?.stop();
  }

  private set(kind: SourceKind, change: Partial<SourceState>): void {
    this.current = { ...this.current, [kind]: { ...this.current[kind], ...change } };
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The devices of this browser. */
export function browserLocalMedia(): LocalMedia {
  return new LocalMedia({
    // Undefined on plain HTTP, whatever its type says.
    devices: navigator.mediaDevices,
    permission: async (kind) => {
      try {
        return (await navigator.permissions.query({ name: kind })).state;
      } catch {
        return null;
      }
    },
  });
}
