// Before joining: look at oneself, choose devices, say one's name.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { APP, CONTROLS, FIELDS, joinProblem, PREJOIN, SUPPORT } from '../strings.ts';
import { Brand } from './brand.tsx';
import { DeviceFields } from './device_fields.tsx';
import { DeviceProblems } from './device_problems.tsx';
import { NameField, PasswordField } from './fields.tsx';
import { PASSWORD_LENGTH_MAX } from './home.tsx';
import { Icon } from './icons.tsx';
import type { MeetingModel } from './meeting_model.ts';
import { checkName, NAME_LENGTH_MAX, recallName, rememberName, wasIn } from './names.ts';
import { Preview } from './preview.tsx';
import { Progress } from './progress.tsx';

interface Props {
  readonly model: MeetingModel;
  readonly onHome: () => void;
}

export function PreJoin({ model, onHome }: Props): JSX.Element {
  const support = model.support.value;
  useEffect(() => {
    document.title = `${PREJOIN.title} – ${APP}`;
  }, []);
  if (support !== null && support !== 'asking') {
    return (
      <div class="page page-narrow">
        <Brand />
        <main class="card message">
          <h1>{PREJOIN.cannotHeading}</h1>
          <div role="alert" class="alert">
            {SUPPORT[support]}
          </div>
        </main>
      </div>
    );
  }
  return (
    <div class="page">
      <Brand />
      <main class="prejoin">
        <h1>{PREJOIN.heading}</h1>
        <JoinForm model={model} onHome={onHome} />
        <section class="prejoin-devices">
          <Preview model={model} />
          <DeviceProblems model={model} />
          <DeviceFields model={model} />
        </section>
      </main>
    </div>
  );
}

function JoinForm({ model, onHome }: Props): JSX.Element {
  const { phase, hasPassword, room } = model.state.value;
  const [name, setName] = useState(recallName);
  const [password, setPassword] = useState(model.room.knownPassword ?? '');
  const [missing, setMissing] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const [wasHere] = useState(() => wasIn(room));
  const isBusy = phase.type !== 'outside';
  const refusal = phase.type === 'outside' ? phase.problem : null;
  const problem = missing ?? (refusal === null ? null : joinProblem(refusal));

  useEffect(() => {
    if (refusal === null) return;
    const target = refusal.type === 'wrong_password' ? 'input.covered' : 'button[type=submit]';
    form.current?.querySelector<HTMLElement>(target)?.focus();
  }, [refusal]);

  useEffect(() => {
    // After a reload one key press leads back; where a password is needed, its field comes first.
    if (!wasHere) return;
    const target = hasPassword ? 'input.covered' : 'button[type=submit]';
    form.current?.querySelector<HTMLElement>(target)?.focus();
  }, [wasHere, hasPassword]);

  const join = (): void => {
    const fault = checkName(name);
    const passwordFault = hasPassword && password === '' ? PREJOIN.passwordMissing : null;
    setMissing(fault ?? passwordFault);
    if (fault !== null || passwordFault !== null) {
      form.current?.querySelectorAll('input')[fault === null ? 1 : 0]?.focus();
      return;
    }
    rememberName(name.trim());
    model.room.join(name.trim(), hasPassword ? password : null);
  };

  return (
    <form
      ref={form}
      class="card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) join();
      }}
    >
      <div role="alert" class="alert">
        {problem}
      </div>
      {wasHere && problem === null ? <p>{PREJOIN.wasHere}</p> : null}
      {refusal?.type === 'ended_or_incomplete' ? (
        <button type="button" class="button" onClick={onHome}>
          {CONTROLS.newMeeting}
        </button>
      ) : null}
      <NameField
        label={FIELDS.name}
        placeholder={FIELDS.namePlaceholder}
        value={name}
        onValue={setName}
        maxLength={NAME_LENGTH_MAX}
        isDisabled={isBusy}
        isInvalid={missing !== null && checkName(name) !== null}
      />
      {hasPassword ? (
        <PasswordField
          label={FIELDS.password}
          value={password}
          onValue={setPassword}
          maxLength={PASSWORD_LENGTH_MAX}
          isDisabled={isBusy}
          isInvalid={refusal?.type === 'wrong_password' || (missing !== null && password === '')}
        />
      ) : null}
      {isBusy ? <Joining model={model} /> : (
        <button type="submit" class="button button-primary button-wide">
          {PREJOIN.join}
        </button>
      )}
      <p class="hint hint-lock">
        <Icon name="lock" />
        <span>{PREJOIN.encrypted}</span>
      </p>
    </form>
  );
}

function Joining({ model }: { readonly model: MeetingModel }): JSX.Element {
  const { phase, hasPassword } = model.state.value;
  const isUnlocking = phase.type === 'unlocking';
  const unlocking = hasPassword ? PREJOIN.unlocking : PREJOIN.unlockingLink;
  return (
    <>
      <Progress label={isUnlocking ? unlocking : PREJOIN.entering} />
      <button type="button" class="button button-wide" onClick={() => model.room.leave()}>
        {PREJOIN.cancel}
      </button>
    </>
  );
}
