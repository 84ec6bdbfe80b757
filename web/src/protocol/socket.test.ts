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
    expect(web.isClosed).toBe(true);
  });

  it('lives on while pongs come, and tells nobody of them', () => {
    const { web, told } = opening();
    web.opens();
    for (let round = 0; round < 6; round += 1) {
      vi.advanceTimersByTime(10_000);
      web.says('{"type":"pong"}');
    }
    expect(told).toEqual(['opened']);
  });

  it('to a server that never answers is over after thirty seconds', () => {
    const { told } = opening();
    vi.advanceTimersByTime(30_000);
    expect(told).toEqual(['closed']);
  });

  it.each([['{"type":"pong","more":1}'], [new ArrayBuffer(2)]])('ends, once, at what it cannot read', (data) => {
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
  readonly sent: string[] = [];
  isClosed = false;

  send(text: string): void {
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
      message: (message) => void told.push(message.type),
      closed: () => void told.push('closed'),
    },
    () => Date.now(),
  );
  return { socket, web, told };
}
