// In the call: tiles, controls, and what there is to say.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RoomState } from '../room/state.ts';
import { alarmWords, APP, CALL, CONTROLS, pathWords, unreachableWords } from '../strings.ts';
import { CallControls } from './call_controls.tsx';
import { CallHeader } from './call_header.tsx';
import { DeviceProblems } from './device_problems.tsx';
import { useLasting } from './lasting.ts';
import type { MeetingModel } from './meeting_model.ts';
import { Panels, type PanelName } from './panels.tsx';
import { Sounds } from './sounds.tsx';
import { TileGrid } from './tile_grid.tsx';

export function Call({ model }: { readonly model: MeetingModel }): JSX.Element {
  const [panel, setPanel] = useState<PanelName | null>(null);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${CALL.title} – ${APP}`;
    title.current?.focus();
  }, []);
  const toggle = (name: PanelName): void => setPanel(panel === name ? null : name);
  return (
    <div class={`call ${panel === null ? '' : 'call-with-panel'}`}>
      <CallHeader model={model} panel={panel} onToggle={toggle} />
      <main class="stage">
        <h1 ref={title} class="visually-hidden" tabIndex={-1}>
          {CALL.heading}
        </h1>
        <Messages model={model} />
        <div class="notice-place">
          <Notice model={model} />
        </div>
        <TileGrid model={model} />
      </main>
      <Panels model={model} panel={panel} onClose={() => setPanel(null)} />
      <CallControls model={model} panel={panel} onToggle={toggle} />
    </div>
  );
}

/** A break that is over sooner, in milliseconds, is not worth a word: nobody could read it. */
const UNSAID_MS = 1_000;

/** What stands in the way right now. */
function Messages({ model }: { readonly model: MeetingModel }): JSX.Element {
  const state = model.state.value;
  const { phase, path, link } = state;
  const isInside = phase.type === 'inside';
  const isBroken = useLasting(isInside && link === 'restoring', UNSAID_MS);
  const calm = isInside ? insideWords(state, isBroken) : awayWords(state);
  const alarm = isInside && path === 'unreachable' ? unreachableWords(model.room.ports) : null;
  const stopping = model.stopping.value;
  return (
    <div class="messages">
      <p role="status" class={calm === null ? '' : 'banner'}>
        {calm}
      </p>
      <p role="status" class={stopping === null ? '' : 'banner'}>
        {stopping}
      </p>
      <div class={alarm === null ? '' : 'banner banner-alarm'}>
        <p role="alert">{alarm}</p>
        {alarm === null ? null : (
          <button type="button" class="button" onClick={() => model.rejoin()}>
            {CONTROLS.tryAgain}
          </button>
        )}
      </div>
      <Alarms state={state} />
      <Sounds model={model} />
      <DeviceProblems model={model} isInCall />
    </div>
  );
}

/** Somebody who came in says at once who it is; a member who does not is worth a word after so many milliseconds. */
const UNKNOWN_MS = 5_000;

/** What the group found wrong, and who listens without having said who it is. */
function Alarms({ state }: { readonly state: RoomState }): JSX.Element {
  const isUnknown = useLasting(state.unknown > 0, UNKNOWN_MS);
  const words = [...new Set(state.alarms.map(alarmWords))];
  if (isUnknown) words.push(CALL.unknownMembers(state.unknown));
  return (
    <div role="alert" class={words.length === 0 ? '' : 'banner banner-alarm'}>
      {words.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </div>
  );
}

function insideWords({ path, hadPath, isOnline }: RoomState, isBroken: boolean): string | null {
  if (!isOnline && (isBroken || path === 'interrupted')) return CALL.offline;
  if (isBroken) return path === 'connected' ? CALL.restoring : CALL.restoringAll;
  return pathWords(path, hadPath);
}

function awayWords({ cause, tries, isOnline }: RoomState): string {
  if (!isOnline) return CALL.offline;
  if (cause === 'stopped') return CALL.awayStopped;
  return tries <= 1 ? CALL.rejoining : CALL.away;
}

/** What is said once, over the tiles. */
function Notice({ model }: { readonly model: MeetingModel }): JSX.Element {
  const text = model.notice.value;
  return (
    <div role="status" class={`notice ${text === null ? 'notice-empty' : ''}`}>
      {text}
    </div>
  );
}
