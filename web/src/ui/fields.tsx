// Text fields and choices, each with its label.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { DeviceChoice } from '../media/local.ts';
import { FIELDS } from '../strings.ts';
import { Icon } from './icons.tsx';

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly isInvalid?: boolean;
  readonly isDisabled?: boolean;
  readonly maxLength: number;
}

/** A field for a name. */
export function NameField(props: TextProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        {...common(props)}
        placeholder={props.placeholder}
        aria-invalid={props.isInvalid === true}
      />
    </div>
  );
}

/**
 * A field for a meeting's password.
 *
 * It is text whose letters are covered, not an input of type `password`: browsers would offer to keep it as
 * the password of this site, and it belongs to one meeting only.
 */
export function PasswordField(props: TextProps): JSX.Element {
  const id = useId();
  const [isShown, setShown] = useState(false);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <div class="field-row">
        <input
          id={id}
          type="text"
          class={isShown ? '' : 'covered'}
          autocomplete="off"
          autocapitalize="none"
          autocorrect="off"
          {...common(props)}
          aria-invalid={props.isInvalid === true}
          aria-describedby={props.hint === undefined ? undefined : `${id}-hint`}
        />
        <button
          type="button"
          class="icon-button"
          aria-label={isShown ? FIELDS.hidePassword : FIELDS.showPassword}
          disabled={props.isDisabled === true}
          onClick={() => setShown(!isShown)}
        >
          <Icon name={isShown ? 'eyeOff' : 'eye'} />
        </button>
      </div>
      {props.hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {props.hint}
        </p>
      )}
    </div>
  );
}

function common({ value, onValue, isDisabled, maxLength }: TextProps): JSX.IntrinsicElements['input'] {
  return {
    value,
    maxLength,
    spellcheck: false,
    disabled: isDisabled === true,
    onInput: (event) => onValue(event.currentTarget.value),
  };
}

interface ChoiceProps {
  readonly label: string;
  readonly choices: readonly DeviceChoice[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

/** A choice of devices; nothing where there is nothing to choose. */
export function DeviceField({ label, choices, chosen, onChoose }: ChoiceProps): JSX.Element | null {
  const id = useId();
  if (choices.length === 0) return null;
  const isKnown = choices.some((choice) => choice.id === chosen);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={isKnown ? (chosen ?? '') : ''} onChange={(event) => onChoose(event.currentTarget.value)}>
        {isKnown ? null : <option value="">{FIELDS.defaultDevice}</option>}
        {choices.map((choice, index) => (
          <option key={choice.id} value={choice.id}>
            {choice.label === '' ? FIELDS.unnamedDevice(index) : choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}
