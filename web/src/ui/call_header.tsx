// The head of the call: who is there, and what is safe.
import type { JSX } from 'preact';
import { APP, CALL, CONNECTION, CONTROLS } from '../strings.ts';
import { Icon, Mark, type IconName } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';
import { panelId, type PanelName } from './panels.tsx';

interface Props {
  readonly model: MeetingModel;
  readonly panel: PanelName | null;
  readonly onToggle: (panel: PanelName) => void;
}

export function CallHeader({ model, panel, onToggle }: Props): JSX.Element {
  const count = model.state.value.members.length + 1;
  const quality = model.quality.value;
  const isPoor = quality?.isOwnPoor === true;
  const states = [...(quality?.protocol === 'tcp' ? [CONNECTION.overTcp] : []), ...(isPoor ? [CONNECTION.isPoor] : [])];
  const connection = states.length === 0 ? CONTROLS.connection : `${CONTROLS.connection}: ${states.join(', ')}`;
  const button = (name: PanelName, icon: IconName, label: string, words: string): JSX.Element => (
    <button
      type="button"
      class="header-button"
      aria-label={label}
      aria-expanded={panel === name}
      aria-controls={panelId(name)}
      onClick={() => onToggle(name)}
    >
      <Icon name={icon} />
      <span class="header-words">{words}</span>
    </button>
  );
  return (
    <header class="call-header">
      <span class="brand">
        <Mark />
        <span class="brand-word">{APP}</span>
      </span>
      <span class="header-space" />
      {button('connection', isPoor ? 'signalWeak' : 'signal', connection, CONTROLS.connection)}
      {button('security', 'lock', CONTROLS.security, CONTROLS.security)}
      {button('participants', 'people', `${CONTROLS.participants}: ${CALL.count(count)}`, String(count))}
    </header>
  );
}
