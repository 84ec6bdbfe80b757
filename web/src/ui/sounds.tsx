// The sound of everybody else: one audio element per slot.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CALL, CONTROLS } from '../strings.ts';
import type { MeetingModel } from './meeting_model.ts';

export function Sounds({ model }: { readonly model: MeetingModel }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  // Read so that new streams draw anew.
  void model.state.value;
  const { speakerId } = model.localState.value;
  const slots = model.room.mids().flatMap((mid) => {
    const stream = model.room.stream(mid);
    return stream !== null && stream.getAudioTracks().length > 0 ? [{ mid, stream }] : [];
  });
  const playAll = (): void => {
    model.setSoundBlocked(false);
    for (const audio of box.current?.querySelectorAll('audio') ?? []) void play(audio, model);
  };
  return (
    <>
      <div ref={box}>
        {slots.map(({ mid, stream }) => (
          <Sound key={mid} model={model} stream={stream} speakerId={speakerId} />
        ))}
      </div>
      {model.soundBlocked.value ? (
        <div class="banner">
          <p role="alert">{CALL.soundBlocked}</p>
          <button type="button" class="button button-primary" onClick={playAll}>
            {CONTROLS.soundOn}
          </button>
        </div>
      ) : null}
    </>
  );
}

interface SoundProps {
  readonly model: MeetingModel;
  readonly stream: MediaStream;
  readonly speakerId: string | null;
}

function Sound({ model, stream, speakerId }: SoundProps): JSX.Element {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const element = audio.current;
    if (element === null) return;
    element.srcObject = stream;
    void play(element, model);
  }, [stream, model]);
  useEffect(() => {
    // A speaker that is gone leaves the sound where it is.
    if (speakerId !== null) void audio.current?.setSinkId(speakerId).catch(() => undefined);
  }, [speakerId]);
  // oxlint-disable-next-line jsx-a11y/media-has-caption -- a live voice has no captions yet
  return <audio ref={audio} />;
}

async function play(audio: HTMLAudioElement, model: MeetingModel): Promise<void> {
  try {
    await audio.play();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotAllowedError') model.setSoundBlocked(true);
  }
}
