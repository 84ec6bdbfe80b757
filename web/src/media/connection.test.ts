// The order of steps is what keeps media encrypted, so it is tested against a connection that records it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MediaConnection, type MediaPath } from './connection.ts';

describe('answering an offer', () => {
  it('attaches encryption in the very tick in which the offer is applied, and before any track', async () => {
    const { connection, pc, log } = connecting();
    await connection.setSource('microphone', track('microphone'));
    await connection.setSource('camera', track('camera'));
    const answering = connection.answer('offer', () => log.push('send answer'));
    pc.applied();
    // One turn of the microtasks later and nothing else may have run.
    await Promise.resolve();
    await Promise.resolve();
    expect(log.slice(0, 4)).toEqual(['remote offer', 'tick', 'transform microphone 0', 'transform camera 1']);
    await answering;
    expect(log.slice(4)).toEqual([
      'replace m microphone',
      'replace c camera',
      'parameters c',
      'create answer',
      'send answer',
      'local answer',
    ]);
    expect(pc.transceivers.map(({ mid, direction }) => [mid, direction])).toEqual([
      ['m', 'sendonly'],
      ['c', 'sendonly'],
    ]);
  });

  it('attaches decryption while the slot is being announced', async () => {
    const { connection, pc, log, slots } = connecting();
    const answering = connection.answer('offer', () => undefined);
    pc.announces('v0', 'video');
    expect(log).toContain('decrypt v0 video');
    expect(slots).toEqual(['v0']);
    pc.applied();
    await answering;
  });

  it('caps each layer of the camera', async () => {
    const { connection, pc } = connecting();
    const answering = connection.answer('offer', () => undefined);
    pc.applied();
    await answering;
    expect(pc.encodings).toEqual([
      { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 100_000, maxFramerate: 24 },
      { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 300_000, maxFramerate: 24 },
      { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 800_000, maxFramerate: 24 },
    ]);
  });

  it('fails where the offer has no line for the camera, and sends nothing', async () => {
    const { connection, pc, log } = connecting();
    pc.transceivers.pop();
    const answering = connection.answer('offer', () => log.push('send answer'));
    pc.applied();
    await expect(answering).rejects.toThrow('no m-line c');
    expect(log).not.toContain('send answer');
  });

  it('again touches no sender, and attaches decryption to the new lines while they are announced', async () => {
    const { connection, pc, log, slots } = await answered();
    const before = log.length;
    const answering = connection.answer('larger offer', () => log.push('send answer'));
    pc.announces('v9', 'video');
    pc.applied();
    await answering;
    expect(log.slice(before)).toEqual([
      'remote offer',
      'decrypt v9 video',
      'tick',
      'create answer',
      'send answer',
      'local answer',
    ]);
    expect(slots).toEqual(['v9']);
  });

  it('again waits for no connection that is there already', async () => {
    vi.useFakeTimers();
    const { connection, pc, paths } = await answered();
    pc.becomes('connected');
    const answering = connection.answer('larger offer', () => undefined);
    pc.applied();
    await answering;
    vi.advanceTimersByTime(60_000);
    expect(paths).toEqual(['connected']);
    vi.useRealTimers();
  });

  it('takes a track that came meanwhile, and one that comes later', async () => {
    const { connection, pc, log } = connecting();
    const answering = connection.answer('offer', () => undefined);
    await connection.setSource('camera', track('first'));
    pc.applied();
    await answering;
    expect(log).toContain('replace c first');
    await connection.setSource('camera', null);
    expect(log.at(-1)).toBe('replace c nothing');
  });
});

describe('the path of media', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is unreachable when it does not connect within ten seconds', async () => {
    const { paths } = await answered();
    vi.advanceTimersByTime(9_999);
    expect(paths).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(paths).toEqual(['unreachable']);
  });

  it('may still connect after that', async () => {
    const { pc, paths } = await answered();
    vi.advanceTimersByTime(10_000);
    pc.becomes('connected');
    expect(paths).toEqual(['unreachable', 'connected']);
  });

  it('that connects, breaks and comes back is told step by step', async () => {
    const { pc, paths } = await answered();
    for (const state of ['connecting', 'connected', 'disconnected', 'connected'] as const) pc.becomes(state);
    vi.advanceTimersByTime(120_000);
    expect(paths).toEqual(['connected', 'interrupted', 'connected']);
  });

  it('that breaks for good leaves the server time to offer another, and is unreachable then', async () => {
    const { pc, paths } = await answered();
    for (const state of ['connected', 'disconnected', 'failed'] as const) pc.becomes(state);
    vi.advanceTimersByTime(44_999);
    expect(paths).toEqual(['connected', 'interrupted', 'interrupted']);
    vi.advanceTimersByTime(1);
    expect(paths.at(-1)).toBe('unreachable');
  });

  it('that never connected and fails is unreachable at once, where there is nothing else to try', async () => {
    const { pc, paths } = await answered();
    pc.becomes('failed');
    expect(paths).toEqual(['unreachable']);
  });

  it('is told no more once the connection is closed', async () => {
    const { connection, pc, paths } = await answered();
    connection.close();
    pc.becomes('failed');
    vi.advanceTimersByTime(60_000);
    expect(paths).toEqual([]);
    expect(pc.isClosed).toBe(true);
  });
});

describe('TCP', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is tried a second after the answer, at every place that the server named', async () => {
    const { log, pc } = await answered(['first', 'bad', 'last']);
    vi.advanceTimersByTime(999);
    expect(log).not.toContain('candidate m first');
    vi.advanceTimersByTime(1);
    expect(log.slice(-3)).toEqual(['candidate m first', 'candidate m bad', 'candidate m last']);
    pc.becomes('connected');
    pc.becomes('disconnected');
    vi.advanceTimersByTime(60_000);
    expect(log.filter((line) => line.startsWith('candidate'))).toHaveLength(3);
  });

  it('is not tried where UDP connects first', async () => {
    const { log, pc } = await answered(['first']);
    vi.advanceTimersByTime(999);
    pc.becomes('connected');
    vi.advanceTimersByTime(60_000);
    expect(log).not.toContain('candidate m first');
  });

  it('is tried when UDP breaks for longer than a moment', async () => {
    const { log, pc } = await answered(['first']);
    pc.becomes('connected');
    pc.becomes('disconnected');
    vi.advanceTimersByTime(500);
    pc.becomes('connected');
    vi.advanceTimersByTime(5_000);
    expect(log).not.toContain('candidate m first');
    pc.becomes('disconnected');
    vi.advanceTimersByTime(1_000);
    expect(log).toContain('candidate m first');
  });

  it('gets its chance before a failure of UDP is told', async () => {
    const { log, pc, paths } = await answered(['first']);
    pc.becomes('failed');
    vi.advanceTimersByTime(1_000);
    expect([log.at(-1), paths]).toEqual(['candidate m first', []]);
    pc.becomes('connected');
    expect(paths).toEqual(['connected']);
  });

  it('is not tried on a connection that was closed', async () => {
    const { connection, log } = await answered(['first']);
    connection.close();
    vi.advanceTimersByTime(5_000);
    expect(log).not.toContain('candidate m first');
  });
});

class FakePeerConnection {
  connectionState: RTCPeerConnectionState = 'new';
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: unknown) => void) | null = null;
  isClosed = false;
  encodings: object[] = [];
  readonly transceivers;
  applied: () => void = () => undefined;

  constructor(private readonly log: string[]) {
    this.transceivers = ['m', 'c'].map((mid) => this.transceiver(mid));
  }

  getTransceivers(): unknown[] {
    return this.transceivers;
  }

  async setRemoteDescription(): Promise<void> {
    this.log.push('remote offer');
    await new Promise<void>((resolve) => {
      this.applied = resolve;
    });
    this.log.push('tick');
  }

  createAnswer(): Promise<{ type: string; sdp: string }> {
    this.log.push('create answer');
    return Promise.resolve({ type: 'answer', sdp: 'v=0' });
  }

  setLocalDescription(): Promise<void> {
    this.log.push('local answer');
    return Promise.resolve();
  }

  addIceCandidate({ candidate, sdpMid }: { candidate: string; sdpMid: string }): Promise<void> {
    this.log.push(`candidate ${sdpMid} ${candidate}`);
    return candidate === 'bad' ? Promise.reject(new Error('not understood')) : Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }

  announces(mid: string, kind: string): void {
    this.ontrack?.({ transceiver: { mid }, receiver: {}, track: { kind } });
  }

  becomes(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  private transceiver(mid: string): { mid: string; direction: string; sender: object } {
    const sender = {
      replaceTrack: (taken: { id: string } | null) => {
        this.log.push(`replace ${mid} ${taken?.id ?? 'nothing'}`);
        return Promise.resolve();
      },
      getParameters: () => ({ encodings: [{ rid: 'l' }, { rid: 'm' }, { rid: 'h' }] }),
      setParameters: ({ encodings }: { encodings: object[] }) => {
        this.log.push(`parameters ${mid}`);
        this.encodings = encodings;
        return Promise.resolve();
      },
    };
    return { mid, direction: 'recvonly', sender };
  }
}

function track(id: string): MediaStreamTrack {
  return { id } as MediaStreamTrack;
}

function connecting(tcpCandidates: readonly string[] = []): {
  connection: MediaConnection;
  pc: FakePeerConnection;
  log: string[];
  slots: string[];
  paths: MediaPath[];
} {
  const log: string[] = [];
  const slots: string[] = [];
  const paths: MediaPath[] = [];
  const pc = new FakePeerConnection(log);
  const connection = new MediaConnection(
    {
      createPeerConnection: () => pc as unknown as RTCPeerConnection,
      transforms: {
        sender: (_, { kind, track: number }) => void log.push(`transform ${kind} ${number}`),
        receiver: (_, { mid, kind }) => void log.push(`decrypt ${mid} ${kind}`),
      },
      tcpCandidates,
    },
    { slot: (mid) => void slots.push(mid), path: (path) => void paths.push(path) },
  );
  return { connection, pc, log, slots, paths };
}

async function answered(tcpCandidates: readonly string[] = []): Promise<ReturnType<typeof connecting>> {
  const made = connecting(tcpCandidates);
  const answering = made.connection.answer('offer', () => undefined);
  made.pc.applied();
  await answering;
  return made;
}
