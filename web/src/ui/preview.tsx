// One's own picture and level before joining.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { PREJOIN } from '../strings.ts';
import { CameraButton, MicrophoneButton } from './device_buttons.tsx';
import type { MeetingModel } from './meeting_model.ts';
import { Picture } from './picture.tsx';
import { useOwnStream } from './own_stream.ts';

export function Preview({ model }: { readonly model: MeetingModel }): JSX.Element {
  const { camera } = model.localState.value;
  const stream = useOwnStream(model);
  return (
    <div class="preview">
      <div class="preview-picture">
        <Picture stream={stream} isShown={camera.status === 'on'} isMirrored label={PREJOIN.preview} />
        {camera.status === 'on' ? null : (
          <p class="preview-words">{camera.status === 'starting' ? PREJOIN.starting : PREJOIN.cameraOff}</p>
        )}
        <div class="preview-buttons">
          <MicrophoneButton model={model} />
          <CameraButton model={model} />
        </div>
      </div>
      <LevelMeter model={model} />
    </div>
  );
}

/** Moves without being drawn anew ten times a second. */
function LevelMeter({ model }: { readonly model: MeetingModel }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const meter = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      model.level.subscribe((level) => {
        if (bar.current !== null) bar.current.style.transform = `scaleX(${level.toFixed(2)})`;
        meter.current?.setAttribute('aria-valuenow', String(Math.round(level * 100)));
      }),
    [model],
  );
  return (
    <div ref={meter} class="meter" role="meter" aria-label={PREJOIN.level} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0}>
      <div ref={bar} class="meter-bar" />
    </div>
  );
}
