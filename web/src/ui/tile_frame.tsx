// The frame of a tile: a group with somebody's name, and the words on it.
import type { ComponentChildren, JSX } from 'preact';
import { CALL } from '../strings.ts';
import { Icon } from './icons.tsx';
import { initials } from './layout.ts';
import type { Tile } from '../room/view.ts';

interface Props {
  /** Null while nobody knows who it is. */
  readonly name: string | null;
  /** The accessible name. */
  readonly label: string;
  /** Which of the six colours stands behind the initials. */
  readonly hue: number;
  /** Null on one's own tile: nothing of it is ever opened. */
  readonly e2ee: Tile['e2ee'] | null;
  readonly isMuted: boolean;
  readonly isCameraOff: boolean;
  readonly isSpeaking: boolean;
  /** Sound and picture get through badly. */
  readonly isPoor: boolean;
  /** Whose tile it is; null for one's own. */
  readonly seat: number | null;
  readonly words: string | null;
  /** Whether the picture shows somebody; initials stand there otherwise. */
  readonly isPictured: boolean;
  /** Beside the name. */
  readonly note?: string;
  /** The picture. */
  readonly children: ComponentChildren;
}

export function TileFrame(props: Props): JSX.Element {
  const { name, label, hue, e2ee, seat, isMuted, isCameraOff, isSpeaking, isPoor, isPictured } = props;
  const { words, note, children } = props;
  return (
    <div
      role="group"
      aria-label={label}
      class={`tile tile-hue-${hue} ${isSpeaking ? 'tile-speaking' : ''} ${e2ee === 'failed' ? 'tile-failed' : ''}`}
      data-e2ee={e2ee ?? undefined}
      data-seat={seat ?? undefined}
    >
      {children}
      <div class={`tile-middle ${isPictured ? 'tile-middle-low' : ''}`}>
        {isPictured ? null : (
          <div class="avatar" aria-hidden="true">
            {name === null ? '?' : initials(name)}
          </div>
        )}
        {words === null ? null : <p class="tile-words">{words}</p>}
      </div>
      <div class="tile-foot">
        <p class="tile-name">
          {e2ee === 'encrypted' ? (
            <>
              <Icon name="lock" />
              <span class="visually-hidden">{CALL.encrypted}</span>
            </>
          ) : null}
          <span class="tile-name-text">{label}</span>
          {note === undefined ? null : <span class="tile-note">{note}</span>}
        </p>
        {isPoor ? <Badge icon="signalWeak" words={CALL.poor} /> : null}
        {isSpeaking ? <Badge icon="wave" words={CALL.speaking} look="voice" /> : null}
        {isCameraOff ? <Badge icon="cameraOff" words={CALL.cameraIsOff} /> : null}
        {isMuted ? <Badge icon="microphoneOff" words={CALL.muted} /> : null}
      </div>
    </div>
  );
}

interface BadgeProps {
  readonly icon: 'wave' | 'cameraOff' | 'microphoneOff' | 'signalWeak';
  readonly words: string;
  readonly look?: 'plain' | 'voice';
}

function Badge({ icon, words, look = 'plain' }: BadgeProps): JSX.Element {
  return (
    <span class={`badge badge-${look}`}>
      <Icon name={icon} />
      <span class="visually-hidden">{words}</span>
    </span>
  );
}
