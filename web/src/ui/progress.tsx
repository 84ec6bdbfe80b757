// Something takes a while: how far it is where that is known.
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

interface Props {
  readonly label: string;
  /** From 0 to 1, or null when it cannot be known. */
  readonly fraction: number | null;
}

export function Progress({ label, fraction }: Props): JSX.Element {
  const id = useId();
  return (
    <div class="progress">
      <p role="status" id={id}>
        {label}
      </p>
      <progress aria-labelledby={id} max={1} {...(fraction === null ? {} : { value: fraction })} />
    </div>
  );
}
