// Something takes a while, nobody knows how long.
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

export function Progress({ label }: { readonly label: string }): JSX.Element {
  const id = useId();
  return (
    <div class="progress">
      <p role="status" id={id}>
        {label}
      </p>
      <progress aria-labelledby={id} />
    </div>
  );
}
