import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SignalingSocket } from './socket.ts';

describe('a connection to signaling', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says nothing before it is open, and what it is told after', () => {
    const { socket, web } = opening();
    socket.send({ type: 'leave' });
    web.opens();
    socket.send({ type: 'leave' });
    expect(web.sent).toEqual(['{"type":"leave"}']);
  });

  it('shows every ten seconds that it is there', () => {
    const { web } = opening();
    web.opens();
    vi.advanceTimersByTime(20_000);
    expect(web.sent).toEqual(['{"type":"ping"}', '{"type":"ping"}']);
  });

  it('is over after thirty seconds of silence', () => {
    const { web, told } = opening();
    web.opens();
    vi.advanceTimersByTime(29_999);
    expect(told).toEqual(['opened']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['opened', 'closed']);
  });

  it('that was given up says no goodbye, which would cost the seat, until the page closes it', () => {
    const { socket, web } = opening();
    web.opens();
    vi.advanceTimersByTime(30_000);
    expect(web.isClosed).toBe(false);
    socket.close();
    expect(web.isClosed).toBe(true);
  });

  it('that is doubted is asked at once, and over in seconds without an answer', () => {
    const { socket, web, told } = opening();
    web.opens();
    socket.check();
    socket.check();
    expect(web.sent).toEqual(['{"type":"ping"}']);
    vi.advanceTimersByTime(3_999);
    expect(told).toEqual(['opened']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['opened', 'closed']);
    socket.check();
    expect(web.sent).toEqual(['{"type":"ping"}']);
  });

  it('that is doubted and answers lives on', () => {
    const { socket, web, told } = opening();
    web.opens();
    socket.check();
    vi.advanceTimersByTime(3_999);
    web.says('{"type":"pong"}');
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(['opened', 'steady']);
  });

  it('lives on while pongs come, and tells of them as steadiness', () => {
    const { web, told } = opening();
    web.opens();
    for (let round = 0; round < 6; round += 1) {
      vi.advanceTimersByTime(10_000);
      web.says('{"type":"pong"}');
    }
    expect(told).toEqual(['opened', ...Array<string>(6).fill('steady')]);
  });

  it('to a server that never answers is over after thirty seconds, and sought no longer', () => {
    const { web, told } = opening();
    vi.advanceTimersByTime(30_000);
    expect(told).toEqual(['closed']);
    expect(web.isClosed).toBe(true);
  });

  it('passes binary messages on, and sends them while it is open', () => {
    const { socket, web, told } = opening();
    socket.sendFrame(new Uint8Array([1]));
    web.opens();
    web.says(new ArrayBuffer(2));
    socket.sendFrame(new Uint8Array([2]));
    expect(told).toEqual(['opened', 'frame of 2']);
    expect(web.sent).toEqual([new Uint8Array([2])]);
    expect(web.binaryType).toBe('arraybuffer');
  });

  it.each([['{"type":"pong","more":1}'], [7]])('ends, once, at what it cannot read', (data) => {
    const { web, told } = opening();
    web.opens();
    web.says(data);
    web.closes();
    web.says('{"type":"participant_left","seat":1}');
    expect(told).toEqual(['opened', 'closed']);
    expect(web.isClosed).toBe(true);
  });

  it('that the page closes tells nothing any more', () => {
    const { socket, web, told } = opening();
    web.opens();
    socket.close();
    web.says('{"type":"participant_left","seat":1}');
    web.closes();
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual(['opened']);
    expect(web.isClosed).toBe(true);
  });
});

class FakeWebSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: unknown[] = [];
  isClosed = false;
  binaryType: BinaryType = 'blob';

  send(text: unknown): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  opens(): void {
    this.onopen?.();
  }

  says(data: unknown): void {
    this.onmessage?.({ data });
  }

  closes(): void {
    this.onclose?.();
  }
}

function opening(): { socket: SignalingSocket; web: FakeWebSocket; told: string[] } {
  const web = new FakeWebSocket();
  const told: string[] = [];
  const socket = new SignalingSocket(
    web,
    {
      opened: () => void told.push('opened'),
      steady: () => void told.push('steady'),
      message: (message) => void told.push(message.type),
      frame: (bytes) => void told.push(`frame of ${bytes.length}`),
      closed: () => void told.push('closed'),
    },
    () => Date.now(),
  );
  return { socket, web, told };
}
