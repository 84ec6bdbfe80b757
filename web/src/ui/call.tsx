// In the call: tiles, controls, and what there is to say.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { APP, CALL, CONTROLS, PATHS } from '../strings.ts';
import { CallControls } from './call_controls.tsx';
import { CallHeader } from './call_header.tsx';
import { DeviceProblems } from './device_problems.tsx';
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
        <TileGrid model={model} />
        <Notice model={model} />
      </main>
      <Panels model={model} panel={panel} onClose={() => setPanel(null)} />
      <CallControls model={model} panel={panel} onToggle={toggle} />
    </div>
  );
}

/** What stands in the way right now. */
function Messages({ model }: { readonly model: MeetingModel }): JSX.Element {
  const { phase, path, tries } = model.state.value;
  const isInside = phase.type === 'inside';
  const away = tries === 0 ? CALL.rejoining : CALL.away;
  const calm = isInside && path !== 'unreachable' ? PATHS[path] : null;
  const alarm = isInside && path === 'unreachable' ? PATHS.unreachable : null;
  const words = isInside ? calm : away;
  return (
    <div class="messages">
      <p role="status" class={words === null ? '' : 'banner'}>
        {words}
      </p>
      <div class={alarm === null ? '' : 'banner banner-alarm'}>
        <p role="alert">{alarm}</p>
        {alarm === null ? null : (
          <button type="button" class="button" onClick={() => model.rejoin()}>
            {CONTROLS.tryAgain}
          </button>
        )}
      </div>
      <Sounds model={model} />
      <DeviceProblems model={model} isInCall />
    </div>
  );
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
