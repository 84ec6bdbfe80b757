// One video. It is covered until a frame has been presented that belongs to whom the tile names.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isSince } from './layout.ts';

interface Props {
  readonly stream: MediaStream | null;
  /** Whether there is something to show; a still picture of somebody who switched the camera off is not. */
  readonly isShown: boolean;
  readonly isMirrored?: boolean;
  /** Nothing new comes for now: what was seen last stays, and looks like it. */
  readonly isFrozen?: boolean;
  /** Nobody can see it where it is, so it need not be drawn. */
  readonly isPaused?: boolean;
  /** RTP timestamp of the first frame that may be seen; null: any. */
  readonly since?: number | null;
  /** Whose picture it is, as a key: with another one the cover comes back. */
  readonly ownership?: number;
  readonly label?: string;
  /** Told whether a picture can be seen. */
  readonly onVisible?: (isVisible: boolean) => void;
}

/** How long to wait for a frame that carries an RTP timestamp, in milliseconds: longer than a jitter buffer. */
const UNTIMED_MS = 500;

export function Picture(props: Props): JSX.Element {
  const { stream, isShown, isMirrored = false, isFrozen = false, isPaused = false } = props;
  const { since = null, ownership = 0, label, onVisible } = props;
  const video = useRef<HTMLVideoElement>(null);
  const [isPresented, setPresented] = useState(false);

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    if (element.srcObject !== stream) element.srcObject = stream;
    if (isPaused) element.pause();
    // Muted videos may always play; one that is removed meanwhile rejects, which matters to nobody.
    else if (stream !== null) void element.play().catch(() => undefined);
  }, [stream, isPaused]);

  useEffect(() => {
    const element = video.current;
    setPresented(false);
    if (element === null || stream === null || !isShown) return undefined;
    return onFrame(element, since, () => setPresented(true));
  }, [stream, isShown, since, ownership]);

  const isVisible = isShown && isPresented;
  useEffect(() => {
    onVisible?.(isVisible);
  }, [isVisible, onVisible]);
  return (
    <video
      ref={video}
      class={`picture ${isVisible ? '' : 'picture-covered'} ${isMirrored ? 'picture-mirrored' : ''} ${isFrozen ? 'picture-frozen' : ''}`}
      aria-label={label}
      autoPlay
      playsInline
      muted
      disablePictureInPicture
    />
  );
}

/** Calls `then` at the first frame of RTP time `since` or later; returns what ends the waiting. */
function onFrame(video: HTMLVideoElement, since: number | null, then: () => void): () => void {
  const startedAt = performance.now();
  let handle = 0;
  const look = (now: number, frame: VideoFrameCallbackMetadata): void => {
    const { rtpTimestamp } = frame;
    const isOurs =
      since === null ||
      (rtpTimestamp === undefined ? now - startedAt > UNTIMED_MS : isSince(rtpTimestamp, since));
    if (isOurs) then();
    else handle = video.requestVideoFrameCallback(look);
  };
  handle = video.requestVideoFrameCallback(look);
  return () => video.cancelVideoFrameCallback(handle);
}
