// What is wrong with microphone and camera. It stands in the way of nothing, so it is said calmly.
import type { JSX } from 'preact';
import type { SourceKind } from '../media/local.ts';
import { DEVICES, PREJOIN } from '../strings.ts';
import { Icon } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';

const KINDS: readonly SourceKind[] = ['microphone', 'camera'];

interface Props {
  readonly model: MeetingModel;
  /** In the call only what went away meanwhile stays on the screen; the rest was said before or when it happened. */
  readonly isInCall?: boolean;
}

export function DeviceProblems({ model, isInCall = false }: Props): JSX.Element {
  const local = model.localState.value;
  const problems = KINDS.flatMap((kind) => {
    const { problem } = local[kind];
    return problem === null || (isInCall && problem !== 'vanished') ? [] : [{ kind, text: DEVICES[kind][problem] }];
  });
  return (
    <div class="device-problems">
      <div role="status">
        {problems.map(({ kind, text }) => (
          <p key={kind} class="note">
            <Icon name={kind === 'microphone' ? 'microphoneOff' : 'cameraOff'} />
            <span>{text}</span>
          </p>
        ))}
      </div>
      {problems.length === 0 ? null : (
        <div class="device-retry">
          <button type="button" class="button" onClick={() => void model.local.start()}>
            {PREJOIN.tryDevices}
          </button>
          {isInCall ? null : <p class="hint">{PREJOIN.withoutDevices}</p>}
        </div>
      )}
    </div>
  );
}
