// The choice of devices, before joining and during the call.
import type { JSX } from 'preact';
import { FIELDS } from '../strings.ts';
import { DeviceField } from './fields.tsx';
import type { MeetingModel } from './meeting_model.ts';

/** Safari plays through the system's choice only. */
const CAN_CHOOSE_SPEAKER = 'setSinkId' in HTMLMediaElement.prototype;

export function DeviceFields({ model }: { readonly model: MeetingModel }): JSX.Element {
  const { microphone, camera, microphones, cameras, speakers, speakerId } = model.localState.value;
  return (
    <div class="devices">
      <DeviceField
        label={FIELDS.microphone}
        choices={microphones}
        chosen={microphone.deviceId}
        onChoose={(id) => void model.local.choose('microphone', id)}
      />
      <DeviceField
        label={FIELDS.camera}
        choices={cameras}
        chosen={camera.deviceId}
        onChoose={(id) => void model.local.choose('camera', id)}
      />
      {CAN_CHOOSE_SPEAKER ? (
        <DeviceField
          label={FIELDS.speaker}
          choices={speakers}
          chosen={speakerId ?? speakers[0]?.id ?? null}
          onChoose={(id) => model.local.chooseSpeaker(id)}
        />
      ) : null}
    </div>
  );
}
