// The buttons at the foot of the call.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { CALL, CONTROLS, FIELDS } from '../strings.ts';
import { CameraButton, Control, MicrophoneButton } from './device_buttons.tsx';
import { Icon } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';
import { panelId, type PanelName } from './panels.tsx';

interface Props {
  readonly model: MeetingModel;
  readonly panel: PanelName | null;
  readonly onToggle: (panel: PanelName) => void;
}

export function CallControls({ model, panel, onToggle }: Props): JSX.Element {
  const [isByHand, setByHand] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(model.inviteLink);
      setByHand(false);
      model.say(CALL.linkCopied);
    } catch {
      setByHand(true);
    }
  };
  return (
    <footer class="call-footer">
      {isByHand ? <LinkByHand link={model.inviteLink} onClose={() => setByHand(false)} /> : null}
      <div class="controls" role="toolbar" aria-label={CONTROLS.toolbar}>
        <MicrophoneButton model={model} hasWord />
        <CameraButton model={model} hasWord />
        <Control icon="link" name={CONTROLS.copyLink} short={CONTROLS.short.copyLink} onPress={() => void copy()} />
        <button
          type="button"
          class="control control-plain"
          aria-label={CONTROLS.devices}
          title={CONTROLS.devices}
          aria-expanded={panel === 'devices'}
          aria-controls={panelId('devices')}
          onClick={() => onToggle('devices')}
        >
          <Icon name="sliders" />
          <span class="control-word">{CONTROLS.short.devices}</span>
        </button>
        <Control
          icon="leave"
          name={CONTROLS.leave}
          short={CONTROLS.short.leave}
          look="leave"
          onPress={() => model.room.leave()}
        />
      </div>
    </footer>
  );
}

/** The link in a field, where the browser does not let a page copy. */
function LinkByHand({ link, onClose }: { readonly link: string; readonly onClose: () => void }): JSX.Element {
  return (
    <div class="banner by-hand">
      <p role="alert">{CALL.linkByHand}</p>
      <div class="field-row">
        <input
          type="text"
          readOnly
          value={link}
          aria-label={FIELDS.inviteLink}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="icon-button" aria-label={CONTROLS.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
    </div>
  );
}
