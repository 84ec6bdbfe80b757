// What one meeting's screens share: the room, the devices, the levels, and what was said once.
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Fragment } from '../e2ee/fragment.ts';
import { Levels } from '../media/levels.ts';
import { LOOK_MS, type Quality } from '../media/quality.ts';
import { browserLocalMedia, type LocalMedia, type LocalState } from '../media/local.ts';
import { supportProblem, type SupportProblem } from '../media/support.ts';
import { storedGenerations, writePlace } from '../room/link.ts';
import { Room, type RoomParts, type UnlockedKeys } from '../room/room.ts';
import type { RoomNotice, RoomState } from '../room/state.ts';
import { tiles } from '../room/view.ts';
import { CALL, deviceReplaced, DEVICES, stoppingWords } from '../strings.ts';
import { rememberRoom } from './names.ts';

/** How long a sentence said once stays on the screen, in milliseconds. */
const NOTICE_MS = 6_000;
/** The key of one's own microphone among the levels; mids have no spaces. */
const OWN = 'own microphone';

/** The shared ground of the screens of one meeting. */
export class MeetingModel {
  readonly room: Room;
  readonly local: LocalMedia;
  private readonly levels = new Levels();
  private readonly linkSignal;
  private readonly stateSignal;
  private readonly localSignal;
  private readonly supportSignal = signal<SupportProblem | null | 'asking'>('asking');
  private readonly noticeSignal = signal<string | null>(null);
  private readonly speakersSignal = signal<ReadonlySet<string>>(new Set());
  private readonly levelSignal = signal(0);
  private readonly soundSignal = signal(false);
  private readonly qualitySignal = signal<Quality | null>(null);
  private readonly stoppingSignal = signal<string | null>(null);
  private readonly endings = new Set<() => void>();
  private stopsAt: { readonly said: RoomState['stopping']; readonly ms: number } | null = null;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private noticeTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly wake = (): void => this.levels.wake();

  private lastNotice: RoomNotice['type'] | null = null;

  constructor(parts: RoomParts, room: string, fragment: Fragment, keys: UnlockedKeys | null) {
    this.local = browserLocalMedia();
    this.room = new Room(parts, this.local, room, fragment, keys);
    this.linkSignal = signal(linkOf(room, fragment));
    this.stateSignal = signal<RoomState>(this.room.state);
    this.localSignal = signal<LocalState>(this.local.state);
  }

  get state(): ReadonlySignal<RoomState> {
    return this.stateSignal;
  }

  /** The link to hand to others. */
  get inviteLink(): string {
    return this.linkSignal.value;
  }

  get localState(): ReadonlySignal<LocalState> {
    return this.localSignal;
  }

  /** What this browser lacks. */
  get support(): ReadonlySignal<SupportProblem | null | 'asking'> {
    return this.supportSignal;
  }

  /** A sentence that is said once. */
  get notice(): ReadonlySignal<string | null> {
    return this.noticeSignal;
  }

  /** Loudness of one's own microphone, 0 to 1. */
  get level(): ReadonlySignal<number> {
    return this.levelSignal;
  }

  /** Whether the browser holds back the sound until it is asked for by hand. */
  get soundBlocked(): ReadonlySignal<boolean> {
    return this.soundSignal;
  }

  /** How well media gets through; null while nothing was measured. */
  get quality(): ReadonlySignal<Quality | null> {
    return this.qualitySignal;
  }

  /** When the server stops, in words; null when it does not. */
  get stopping(): ReadonlySignal<string | null> {
    return this.stoppingSignal;
  }

  /** Whether one of these slots gets through badly. */
  isPoor(...mids: readonly (string | null)[]): boolean {
    const poor = this.qualitySignal.value?.poorSlots;
    return poor !== undefined && mids.some((mid) => mid !== null && poor.has(mid));
  }

  /** Calls `listener` before pictures end; returns what ends that. */
  onPicturesEnding(listener: () => void): () => void {
    this.endings.add(listener);
    return () => this.endings.delete(listener);
  }

  /** Whether somebody speaks: the owner of a slot, or oneself with null. */
  speaks(mid: string | null): boolean {
    return this.speakersSignal.value.has(mid ?? OWN);
  }

  /** Looks at the browser and asks for the devices. */
  start(): void {
    this.levels.onLevels = (levels) => {
      this.levelSignal.value = levels.get(OWN) ?? 0;
    };
    this.levels.onSpeakers = (speakers) => {
      this.speakersSignal.value = speakers;
    };
    this.room.onNotice = (notice) => {
      // The words for a removal say that the link has changed.
      const isSaid = notice.type === 'link_changed' && this.lastNotice === 'was_removed';
      this.lastNotice = notice.type;
      if (!isSaid) this.say(words(notice));
    };
    this.room.onLink = (fragment) => this.linkChanged(fragment);
    this.room.onMediaClosing = () => {
      for (const listener of this.endings) listener();
    };
    this.local.onNotice = ({ kind, replacement }) => {
      if (replacement !== null) this.say(deviceReplaced(kind, replacement));
    };
    this.room.subscribe(() => this.roomChanged());
    this.local.subscribe(() => this.localChanged());
    addEventListener('pointerdown', this.wake);
    addEventListener('keydown', this.wake);
    this.timers.push(setInterval(() => void this.measure(), LOOK_MS), setInterval(() => this.countDown(), 1_000));
    void this.begin();
  }

  /** Ends the meeting on this page. */
  close(): void {
    removeEventListener('pointerdown', this.wake);
    removeEventListener('keydown', this.wake);
    if (this.noticeTimer !== null) clearTimeout(this.noticeTimer);
    for (const timer of this.timers) clearInterval(timer);
    this.room.close();
    this.levels.close();
    this.local.close();
  }

  /** Comes back with the same name. */
  rejoin(): void {
    void this.local.start();
    this.room.rejoin();
  }

  /** Starts the meeting again that the server forgot. */
  restart(): void {
    void this.local.start();
    this.room.restart();
  }

  /** Says a sentence once. */
  say(text: string): void {
    this.noticeSignal.value = text;
    if (this.noticeTimer !== null) clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => {
      this.noticeSignal.value = null;
    }, NOTICE_MS);
  }

  /** The browser refused to play, or plays. */
  setSoundBlocked(isBlocked: boolean): void {
    this.soundSignal.value = isBlocked;
  }

  private async begin(): Promise<void> {
    const problem = await supportProblem(globalThis);
    this.supportSignal.value = problem;
    if (problem === null && this.room.state.phase.type !== 'over') await this.local.start();
  }

  private roomChanged(): void {
    const { state } = this.room;
    const { phase: before, link } = this.stateSignal.value;
    const wasOver = before.type === 'over';
    // Also where only streams came: signals tell nobody about an equal value.
    this.stateSignal.value = { ...state };
    if (state.phase.type === 'over' && !wasOver) this.local.stop();
    if (state.phase.type !== before.type) remember(state);
    // What was said of the connection before is not true any more.
    if (state.link === 'restoring' && link === 'open') this.noticeSignal.value = null;
    this.countDown();
    this.refreshLevels();
  }

  /** Somebody was removed, and the link with it: the address bar and the invitation follow. */
  private linkChanged(fragment: Fragment): void {
    const { room } = this.room.state;
    storedGenerations(() => localStorage).saw(room, fragment.generation);
    history.replaceState(history.state, '', writePlace(room, fragment));
    this.linkSignal.value = linkOf(room, fragment);
  }

  private async measure(): Promise<void> {
    const isConnected = this.room.state.phase.type === 'inside' && this.room.state.path === 'connected';
    this.qualitySignal.value = isConnected ? await this.room.quality() : null;
  }

  private countDown(): void {
    const { stopping } = this.room.state;
    if (stopping === null) this.stopsAt = null;
    else if (this.stopsAt?.said !== stopping) {
      this.stopsAt = { said: stopping, ms: performance.now() + stopping.deadlineMs };
    }
    // Equal words tell nobody anything, so a screen reader hears the few steps only.
    this.stoppingSignal.value = this.stopsAt === null ? null : stoppingWords(this.stopsAt.ms - performance.now());
  }

  private localChanged(): void {
    const before = this.localSignal.value;
    this.localSignal.value = this.local.state;
    if (this.room.state.phase.type === 'inside') this.sayProblems(before);
    this.refreshLevels();
  }

  /** In the call there is no place for what is wrong with a device, so it is said when it happens. */
  private sayProblems(before: LocalState): void {
    for (const kind of ['microphone', 'camera'] as const) {
      const { problem } = this.local.state[kind];
      if (problem !== null && problem !== 'vanished' && before[kind].problem === null) this.say(DEVICES[kind][problem]);
    }
  }

  private refreshLevels(): void {
    const audible = new Set(tiles(this.room.state).map((tile) => tile.sound));
    for (const mid of this.room.mids()) {
      const [track] = this.room.stream(mid)?.getAudioTracks() ?? [];
      if (track !== undefined) this.levels.set(mid, audible.has(mid) ? track : null);
    }
    const own = this.local.state.microphone.status === 'on' ? this.local.track('microphone') : null;
    this.levels.set(OWN, own);
    if (own === null) this.levelSignal.value = 0;
  }
}

function linkOf(room: string, fragment: Fragment): string {
  return new URL(writePlace(room, fragment), location.href).href;
}

function words(notice: RoomNotice): string {
  switch (notice.type) {
    case 'came':
      return CALL.came(notice.name);
    case 'went':
      return CALL.went(notice.name);
    case 'was_removed':
      return CALL.wasRemoved(notice.name);
    case 'link_changed':
      return CALL.linkChanged;
    case 'locked':
      return notice.locked ? CALL.locked : CALL.unlocked;
    case 'back':
      return notice.cause === 'seat_lost' ? CALL.backAfterAway : CALL.back;
  }
}

/** A reload finds out that one was here; who left on purpose is met as a newcomer. */
function remember({ phase, room }: RoomState): void {
  if (phase.type === 'inside') rememberRoom(room);
  if (phase.type === 'over' && phase.reason !== 'lost' && phase.reason !== 'unreachable') rememberRoom(null);
}
