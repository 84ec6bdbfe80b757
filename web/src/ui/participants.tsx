// The list of participants, and what the owner of the meeting may do about them.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { tiles, type Tile } from '../room/view.ts';
import { CALL, CONTROLS, OWNER, TILES } from '../strings.ts';
import type { MeetingModel } from './meeting_model.ts';

interface Props {
  readonly model: MeetingModel;
  /** Whether it can be seen. While it cannot, screen readers still read the list, but nothing in it takes the focus. */
  readonly isOpen: boolean;
}

export function Participants({ model, isOpen }: Props): JSX.Element {
  const state = model.state.value;
  const mayAct = state.isOwner && isOpen;
  const [asked, setAsked] = useState<Tile | null>(null);
  const others = tiles(state);
  // Whoever is gone meanwhile need not be removed.
  const doomed = others.find(({ seat }) => seat === asked?.seat) ?? null;
  return (
    <>
      <ul class="people" aria-label={CONTROLS.participants}>
        <li>
          <span class="people-name">{state.name}</span>
          <span class="people-state">{state.isOwner ? OWNER.youOwn : CALL.you}</span>
        </li>
        {others.map((tile) => (
          <li key={tile.seat}>
            <span class="people-name">{tile.name ?? CALL.unknown}</span>
            <span class="people-state">{standing(tile)}</span>
            {mayAct && tile.name !== null ? (
              <button
                type="button"
                class="button button-small"
                aria-label={OWNER.removeName(tile.name)}
                onClick={() => setAsked(tile)}
              >
                {OWNER.remove}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
      {state.unknown > 0 ? <p class="hint">{CALL.unknownMembers(state.unknown)}</p> : null}
      {mayAct ? (
        <button
          type="button"
          class="button button-wide"
          aria-pressed={state.isLocked}
          onClick={() => model.room.lock(!state.isLocked)}
        >
          {state.isLocked ? OWNER.unlock : OWNER.lock}
        </button>
      ) : null}
      {state.isLocked ? <p class="hint">{OWNER.isLocked}</p> : null}
      {doomed === null || doomed.name === null ? null : (
        <Confirm
          name={doomed.name}
          onYes={() => {
            model.room.remove(doomed.seat);
            setAsked(null);
          }}
          onNo={() => setAsked(null)}
        />
      )}
    </>
  );
}

function standing(tile: Tile): string {
  const words = tile.e2ee === 'encrypted' || tile.reason === null ? CALL.encryptedBadge : TILES[tile.reason];
  return tile.isOwner ? `${OWNER.owns} · ${words}` : words;
}

interface ConfirmProps {
  readonly name: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks before somebody is removed: it cannot be taken back, and the link changes for everybody. */
function Confirm({ name, onYes, onNo }: ConfirmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="remove-heading" aria-describedby="remove-text" onClose={onNo}>
      <h2 id="remove-heading">{OWNER.confirmHeading(name)}</h2>
      <p id="remove-text">{OWNER.confirmText}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" autofocus onClick={onNo}>
          {OWNER.cancel}
        </button>
        <button type="button" class="button button-danger" onClick={onYes}>
          {OWNER.confirm}
        </button>
      </div>
    </dialog>
  );
}
