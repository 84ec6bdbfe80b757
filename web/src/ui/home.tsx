// The first page: makes a meeting.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { supportProblem } from '../media/support.ts';
import { CreateError, createRoom, type NewRoom } from '../room/create.ts';
import type { RoomParts } from '../room/room.ts';
import { APP, createProblem, HOME, SUPPORT } from '../strings.ts';
import { Brand } from './brand.tsx';
import { PasswordField } from './fields.tsx';
import { Waves } from './icons.tsx';
import { Progress } from './progress.tsx';

/** Longest password in UTF-16 units: enough for a sentence, short enough to be shown. */
export const PASSWORD_LENGTH_MAX = 128;

interface Props {
  readonly parts: RoomParts;
  readonly onMade: (room: NewRoom) => void;
}

export function Home({ parts, onMade }: Props): JSX.Element {
  useEffect(() => {
    document.title = APP;
  }, []);
  return (
    <div class="page home">
      <Brand />
      <main class="home-main">
        <div class="home-words">
          <h1>{HOME.heading}</h1>
          <p class="lead">{HOME.lead}</p>
        </div>
        <NewMeeting parts={parts} onMade={onMade} />
        <ul class="promises">
          {HOME.promises.map(([name, text]) => (
            <li key={name}>
              <strong>{name}</strong>
              <span>{text}</span>
            </li>
          ))}
        </ul>
      </main>
      <Waves />
    </div>
  );
}

function NewMeeting({ parts, onMade }: Props): JSX.Element {
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isGone = useRef(false);

  useEffect(() => {
    void supportProblem(globalThis).then((lack) => {
      if (lack !== null) setProblem(SUPPORT[lack]);
    });
    return () => {
      isGone.current = true;
    };
  }, []);

  const make = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const lack = await supportProblem(globalThis);
      if (lack !== null) {
        setProblem(SUPPORT[lack]);
        return;
      }
      const room = await createRoom(parts, password === '' ? null : password);
      if (isGone.current) room.keys.e2ee.close();
      else onMade(room);
    } catch (error) {
      setProblem(createProblem(error instanceof CreateError ? error.problem : 'encryption'));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) void make();
      }}
    >
      <div role="alert" class="alert">
        {problem}
      </div>
      <PasswordField
        label={HOME.password}
        hint={HOME.passwordHint}
        value={password}
        onValue={setPassword}
        maxLength={PASSWORD_LENGTH_MAX}
        isDisabled={isBusy}
      />
      <button type="submit" class="button button-primary button-wide" aria-disabled={isBusy}>
        {HOME.newMeeting}
      </button>
      {isBusy ? <Progress label={HOME.making} /> : null}
      <p class="hint">{HOME.join}</p>
    </form>
  );
}
