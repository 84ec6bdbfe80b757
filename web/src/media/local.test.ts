import { describe, expect, it } from 'vitest';
import { LocalMedia, type DeviceNotice, type SourceKind } from './local.ts';

describe('microphone and camera', () => {
  it('are asked for once, together', async () => {
    const { local, devices } = machine();
    await local.start();
    expect(devices.asked).toEqual(['microphone camera']);
    expect([local.state.microphone.status, local.state.camera.status]).toEqual(['on', 'on']);
    expect(local.state.cameras).toEqual([{ id: 'camera 1', label: 'Label of camera 1' }]);
  });

  it('a camera that is missing leaves the microphone', async () => {
    const { local, devices } = machine();
    devices.refuse('camera', 'NotFoundError');
    await local.start();
    expect(local.state.microphone.status).toBe('on');
    expect(local.state.camera).toMatchObject({ status: 'failed', problem: 'missing' });
  });

  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['Surprise', 'unknown'],
  ])('a camera that fails with %s is %s', async (error, problem) => {
    const { local, devices, permissions } = machine();
    permissions.camera = 'denied';
    devices.refuse('camera', error);
    await local.start();
    expect(local.state.camera).toMatchObject({ status: 'failed', problem });
  });

  it('a user who waves the question away is not asked a second time', async () => {
    const { local, devices, permissions } = machine();
    permissions.camera = 'prompt';
    permissions.microphone = 'prompt';
    devices.refuse('camera', 'NotAllowedError');
    devices.refuse('microphone', 'NotAllowedError');
    await local.start();
    expect(devices.asked).toEqual(['microphone camera']);
    expect(local.state.microphone.problem).toBe('denied');
  });

  it('a camera that is blocked for good does not keep the microphone from being asked for', async () => {
    const { local, devices, permissions } = machine();
    permissions.camera = 'denied';
    permissions.microphone = 'prompt';
    devices.refuse('camera', 'NotAllowedError');
    await local.start();
    expect(devices.asked).toEqual(['microphone camera', 'microphone']);
    expect(local.state.microphone.status).toBe('on');
    expect(local.state.camera.problem).toBe('denied');
  });

  it('without a way to ask for devices both are unavailable', async () => {
    const local = new LocalMedia({ devices: undefined, permission: () => Promise.resolve(null) });
    await local.start();
    expect(local.state.microphone).toMatchObject({ status: 'failed', problem: 'unavailable' });
    expect(local.state.camera).toMatchObject({ status: 'failed', problem: 'unavailable' });
  });

  it('a camera that is switched off is released, and taken again when it is switched on', async () => {
    const { local, devices } = machine();
    await local.start();
    const before = local.track('camera');
    await local.setWanted('camera', false);
    expect(stopped(before)).toBe(true);
    expect(local.track('camera')).toBeNull();
    expect(local.state.camera.status).toBe('off');
    await local.setWanted('camera', true);
    expect(devices.asked.at(-1)).toBe('camera');
    expect(local.state.camera.status).toBe('on');
  });

  it('a muted microphone stays open and sends silence', async () => {
    const { local } = machine();
    await local.start();
    const track = local.track('microphone');
    await local.setWanted('microphone', false);
    expect(local.track('microphone')).toBe(track);
    expect(track?.enabled).toBe(false);
    expect(stopped(track)).toBe(false);
    expect(local.state.microphone.status).toBe('off');
    await local.setWanted('microphone', true);
    expect(track?.enabled).toBe(true);
  });

  it('a microphone that is changed while muted stays muted', async () => {
    const { local } = machine();
    await local.start();
    await local.setWanted('microphone', false);
    await local.choose('microphone', 'microphone 2');
    expect(local.track('microphone')?.enabled).toBe(false);
    expect(local.state.microphone).toMatchObject({ status: 'off', deviceId: 'microphone 2' });
  });

  it('a camera that comes after it was switched off again is stopped', async () => {
    const { local, devices } = machine();
    const release = devices.hold();
    const starting = local.start();
    await local.setWanted('camera', false);
    release();
    await starting;
    expect(local.track('camera')).toBeNull();
    expect(devices.tracks.filter(({ kind }) => kind === 'camera').every((track) => track.isStopped)).toBe(true);
    expect(local.state.microphone.status).toBe('on');
  });

  it('of two choices in a row the second counts, whichever comes first', async () => {
    const { local, devices } = machine();
    await local.start();
    const release = devices.hold();
    const first = local.choose('camera', 'camera 2');
    devices.goOn();
    const second = local.choose('camera', 'camera 3');
    await second;
    release();
    await first;
    expect(local.track('camera')?.getSettings().deviceId).toBe('camera 3');
  });

  it('a device that vanishes is replaced by another one, and that is said', async () => {
    const { local, devices, notices } = machine();
    await local.start();
    await local.choose('camera', 'camera 2');
    devices.vanishes('camera');
    await settled();
    expect(local.state.camera).toMatchObject({ status: 'on', deviceId: 'camera 1' });
    expect(notices).toEqual([{ kind: 'camera', replacement: 'Label of camera 1' }]);
  });

  it('a device that vanishes without another one is said to be gone', async () => {
    const { local, devices, notices } = machine();
    await local.start();
    devices.refuse('microphone', 'NotFoundError');
    devices.vanishes('microphone');
    await settled();
    expect(local.state.microphone).toMatchObject({ status: 'failed', problem: 'vanished' });
    expect(local.state.camera.status).toBe('on');
    expect(notices).toEqual([{ kind: 'microphone', replacement: null }]);
  });

  it('that are stopped are both released, and can be started again', async () => {
    const { local, devices } = machine();
    await local.start();
    local.stop();
    expect(devices.tracks.every((track) => track.isStopped)).toBe(true);
    await local.start();
    expect(local.state.camera.status).toBe('on');
  });
});

class FakeTrack {
  enabled = true;
  isStopped = false;
  private ended: (() => void) | null = null;

  constructor(
    readonly kind: SourceKind,
    private readonly deviceId: string,
  ) {}

  get label(): string {
    return `Label of ${this.deviceId}`;
  }

  getSettings(): { deviceId: string } {
    return { deviceId: this.deviceId };
  }

  addEventListener(_: string, listener: () => void): void {
    this.ended = listener;
  }

  stop(): void {
    this.isStopped = true;
  }

  ends(): void {
    this.ended?.();
  }
}

class FakeDevices {
  readonly asked: string[] = [];
  readonly tracks: FakeTrack[] = [];
  private readonly refusals = new Map<SourceKind, string>();
  private gate: Promise<void> = Promise.resolve();

  refuse(kind: SourceKind, error: string): void {
    this.refusals.set(kind, error);
  }

  /** Answers wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }

  goOn(): void {
    this.gate = Promise.resolve();
  }

  vanishes(kind: SourceKind): void {
    this.tracks.findLast((track) => track.kind === kind)?.ends();
  }

  async getUserMedia(constraints: Record<string, false | { deviceId?: { exact: string } }>): Promise<unknown> {
    const wanted = (['microphone', 'camera'] as const).filter((kind) => constraints[lineOf(kind)] !== false);
    this.asked.push(wanted.join(' '));
    await this.gate;
    const refused = wanted.find((kind) => this.refusals.has(kind));
    if (refused !== undefined) throw Object.assign(new Error(), { name: this.refusals.get(refused) });
    const made = wanted.map((kind) => {
      const constraint = constraints[lineOf(kind)];
      const chosen = constraint === false ? undefined : constraint?.deviceId?.exact;
      return new FakeTrack(kind, chosen ?? `${kind} 1`);
    });
    this.tracks.push(...made);
    const of = (kind: SourceKind) => () => made.filter((track) => track.kind === kind);
    return { getAudioTracks: of('microphone'), getVideoTracks: of('camera') };
  }

  enumerateDevices(): Promise<unknown> {
    return Promise.resolve([
      { kind: 'videoinput', deviceId: 'camera 1', label: 'Label of camera 1' },
      { kind: 'audioinput', deviceId: '', label: '' },
    ]);
  }

  addEventListener(): void {}
  removeEventListener(): void {}
}

function lineOf(kind: SourceKind): 'audio' | 'video' {
  return kind === 'microphone' ? 'audio' : 'video';
}

function stopped(track: MediaStreamTrack | null): boolean {
  return (track as unknown as FakeTrack).isStopped;
}

async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

function machine(): {
  local: LocalMedia;
  devices: FakeDevices;
  permissions: Record<SourceKind, PermissionState | null>;
  notices: DeviceNotice[];
} {
  const devices = new FakeDevices();
  const permissions: Record<SourceKind, PermissionState | null> = { microphone: null, camera: null };
  const notices: DeviceNotice[] = [];
  const local = new LocalMedia({
    devices: devices as unknown as MediaDevices,
    permission: (kind) => Promise.resolve(permissions[kind]),
  });
  local.onNotice = (notice) => void notices.push(notice);
  return { local, devices, permissions, notices };
}
