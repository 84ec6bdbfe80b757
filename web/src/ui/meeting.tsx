// One meeting: before joining, in the call, and after it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Fragment } from '../e2ee/fragment.ts';
import type { RoomParts, UnlockedKeys } from '../room/room.ts';
import { CONTROLS, OVER, unreachableWords } from '../strings.ts';
import { Call } from './call.tsx';
import { MeetingModel } from './meeting_model.ts';
import { MessagePage } from './message_page.tsx';
import { PreJoin } from './prejoin.tsx';

interface Props {
  readonly parts: RoomParts;
  readonly room: string;
  readonly fragment: Fragment;
  readonly takeKeys: () => UnlockedKeys | null;
  readonly onHome: () => void;
}

export function Meeting({ parts, room, fragment, takeKeys, onHome }: Props): JSX.Element {
  const [model] = useState(() => new MeetingModel(parts, room, fragment, takeKeys()));
  useEffect(() => {
    model.start();
    return () => model.close();
  }, [model]);

  const { phase, wasInside } = model.state.value;
  if (phase.type === 'over') {
    const [heading, words] = OVER[phase.reason];
    const text = phase.reason === 'unreachable' ? unreachableWords(model.room.ports) : words;
    const isError = phase.reason !== 'left';
    const isGone = phase.reason === 'ended' || phase.reason === 'forgotten';
    return (
      <MessagePage heading={heading} text={text} isError={isError} onHome={onHome}>
        {phase.reason === 'removed' ? null : (
          <button
            type="button"
            class="button button-primary"
            onClick={() => (isGone ? model.restart() : model.rejoin())}
          >
            {isGone ? CONTROLS.restart : CONTROLS.rejoin}
          </button>
        )}
      </MessagePage>
    );
  }
  return phase.type === 'inside' || wasInside ? <Call model={model} /> : <PreJoin model={model} onHome={onHome} />;
}
