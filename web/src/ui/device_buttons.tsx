// Microphone and camera, on and off.
import type { JSX } from 'preact';
import { CONTROLS } from '../strings.ts';
import { Icon, type IconName } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';

interface ControlProps {
  readonly icon: IconName;
  /** The accessible name. */
  readonly name: string;
  /** What stands on the button where there is room. */
  readonly short?: string;
  readonly look?: 'plain' | 'off' | 'leave';
  readonly isBusy?: boolean;
  readonly onPress: () => void;
}

/** A round button with a drawing, and a word where there is room. */
export function Control({ icon, name, short, look = 'plain', isBusy = false, onPress }: ControlProps): JSX.Element {
  return (
    <button
      type="button"
      class={`control control-${look}`}
      aria-label={name}
      title={name}
      aria-busy={isBusy}
      onClick={onPress}
    >
      <Icon name={icon} />
      {short === undefined ? null : <span class="control-word">{short}</span>}
    </button>
  );
}

interface Props {
  readonly model: MeetingModel;
  readonly hasWord?: boolean;
}

export function MicrophoneButton({ model, hasWord = false }: Props): JSX.Element {
  const { wanted, status } = model.localState.value.microphone;
  const isOn = status === 'on' || (status === 'starting' && wanted);
  const word = isOn ? CONTROLS.short.mute : CONTROLS.short.unmute;
  return (
    <Control
      icon={isOn ? 'microphone' : 'microphoneOff'}
      name={isOn ? CONTROLS.mute : CONTROLS.unmute}
      {...(hasWord ? { short: word } : {})}
      look={isOn ? 'plain' : 'off'}
      isBusy={status === 'starting'}
      onPress={() => void model.local.setWanted('microphone', !isOn)}
    />
  );
}

export function CameraButton({ model, hasWord = false }: Props): JSX.Element {
  const { wanted, status } = model.localState.value.camera;
  const isOn = status === 'on' || (status === 'starting' && wanted);
  const word = isOn ? CONTROLS.short.cameraOff : CONTROLS.short.cameraOn;
  return (
    <Control
      icon={isOn ? 'camera' : 'cameraOff'}
      name={isOn ? CONTROLS.cameraOff : CONTROLS.cameraOn}
      {...(hasWord ? { short: word } : {})}
      look={isOn ? 'plain' : 'off'}
      isBusy={status === 'starting'}
      onPress={() => void model.local.setWanted('camera', !isOn)}
    />
  );
}
