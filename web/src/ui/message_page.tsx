// A page that says one thing and shows the way on.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { APP, CONTROLS } from '../strings.ts';
import { Brand } from './brand.tsx';

interface Props {
  readonly heading: string;
  readonly text: string;
  /** It is said as an error. */
  readonly isError?: boolean;
  /** More ways on, before the one that leads home. */
  readonly children?: ComponentChildren;
  readonly onHome: () => void;
}

export function MessagePage({ heading, text, isError = false, children, onHome }: Props): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${heading} – ${APP}`;
    title.current?.focus();
  }, [heading]);
  return (
    <div class="page page-narrow">
      <Brand />
      <main class="card message">
        <div role={isError ? 'alert' : undefined}>
          <h1 ref={title} tabIndex={-1}>
            {heading}
          </h1>
          <p>{text}</p>
        </div>
        <div class="actions">
          {children}
          <button type="button" class="button" onClick={onHome}>
            {CONTROLS.newMeeting}
          </button>
        </div>
      </main>
    </div>
  );
}
