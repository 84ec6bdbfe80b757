// What opens beside the tiles, or over them on a phone: participants, security, devices.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CONTROLS, counterWords, SECURITY } from '../strings.ts';
import { ConnectionDetails } from './connection_details.tsx';
import { DeviceFields } from './device_fields.tsx';
import { Icon } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';
import { Participants } from './participants.tsx';

export type PanelName = 'participants' | 'connection' | 'security' | 'devices';

/** Counters of what happens in every call. */
const UNREMARKABLE: ReadonlySet<string> = new Set(['sealed', 'opened', 'empty', 'duplicate', 'merged', 'beaten']);

/** The element id of a panel, for the button that opens it. */
export function panelId(name: PanelName): string {
  return `panel-${name}`;
}

interface Props {
  readonly model: MeetingModel;
  readonly panel: PanelName | null;
  readonly onClose: () => void;
}

export function Panels({ model, panel, onClose }: Props): JSX.Element {
  return (
    <>
      <Panel name="participants" title={CONTROLS.participants} panel={panel} onClose={onClose} isAlwaysRead>
        <Participants model={model} isOpen={panel === 'participants'} />
      </Panel>
      <Panel name="connection" title={CONTROLS.connection} panel={panel} onClose={onClose}>
        <ConnectionDetails model={model} />
      </Panel>
      <Panel name="security" title={CONTROLS.security} panel={panel} onClose={onClose}>
        <Security model={model} />
      </Panel>
      <Panel name="devices" title={CONTROLS.devices} panel={panel} onClose={onClose}>
        <DeviceFields model={model} />
      </Panel>
    </>
  );
}

interface PanelProps {
  readonly name: PanelName;
  readonly title: string;
  readonly panel: PanelName | null;
  readonly onClose: () => void;
  /** Screen readers find it while it is closed, too. */
  readonly isAlwaysRead?: boolean;
  readonly children: ComponentChildren;
}

function Panel({ name, title, panel, onClose, isAlwaysRead = false, children }: PanelProps): JSX.Element {
  const isOpen = panel === name;
  const heading = useRef<HTMLHeadingElement>(null);
  const closing = useRef(onClose);
  closing.current = onClose;
  useEffect(() => {
    if (!isOpen) return undefined;
    const opener = document.activeElement;
    heading.current?.focus();
    const listen = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') closing.current();
    };
    addEventListener('keydown', listen);
    // Whoever closes a panel is back at the button that opened it, unless another one took the focus.
    return () => {
      removeEventListener('keydown', listen);
      const { activeElement } = document;
      const isLost = activeElement === null || activeElement === document.body || activeElement.closest('.panel') !== null;
      if (isLost && opener instanceof HTMLElement) opener.focus();
    };
  }, [isOpen]);
  return (
    <section
      id={panelId(name)}
      class={isOpen ? 'panel' : 'visually-hidden'}
      aria-label={title}
      hidden={!isOpen && !isAlwaysRead}
    >
      <div class="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {isOpen ? (
          <button type="button" class="icon-button" aria-label={CONTROLS.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        ) : null}
      </div>
      {children}
    </section>
  );
}

function Security({ model }: { readonly model: MeetingModel }): JSX.Element {
  const { hasPassword, counters } = model.state.value;
  const refused = Object.entries(counters).filter(([name, count]) => count > 0 && !UNREMARKABLE.has(name));
  return (
    <div class="security">
      <p>{SECURITY.lead}</p>
      <p>{hasPassword ? SECURITY.withPassword : SECURITY.withoutPassword}</p>
      <Lines heading={SECURITY.cannotHeading} lines={SECURITY.cannot} />
      <Lines heading={SECURITY.canHeading} lines={SECURITY.can} />
      <Lines heading={SECURITY.limitsHeading} lines={SECURITY.limits} />
      <h3>{SECURITY.countersHeading}</h3>
      {refused.length === 0 ? <p>{SECURITY.nothingRefused}</p> : null}
      <dl class="details counters">
        {refused.map(([name, count]) => (
          <div key={name}>
            <dt>{counterWords(name)}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Lines({ heading, lines }: { readonly heading: string; readonly lines: readonly string[] }): JSX.Element {
  return (
    <>
      <h3>{heading}</h3>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}
