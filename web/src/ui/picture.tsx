// One video. It is covered until a frame has been presented that belongs to whom the tile names.
import type { JSX, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isSince } from './layout.ts';

interface Props {
  readonly stream: MediaStream | null;
  /** Whether there is something to show; a still picture of somebody who switched the camera off is not. */
  readonly isShown: boolean;
  readonly isMirrored?: boolean;
  /** Nothing new comes for now: what was seen last stays, and looks like it. */
  readonly isFrozen?: boolean;
  /** The connection of the last picture is closed and the next has none yet: the last one is shown, as a still. */
  readonly isHeld?: boolean;
  /** Tells that pictures are about to end; returns what ends the telling. Without it nothing is ever held. */
  readonly onEnding?: (listener: () => void) => () => void;
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
  const { isHeld = false, onEnding, since = null, ownership = 0, label, onVisible } = props;
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

  const isMoving = isShown && isPresented;
  const still = useStill(video, isMoving, isHeld, onEnding);
  const isStill = isHeld && still.isTaken;
  const isVisible = isMoving || isStill;
  useEffect(() => {
    onVisible?.(isVisible);
  }, [isVisible, onVisible]);
  const look = `${isMirrored ? 'picture-mirrored' : ''} ${isFrozen ? 'picture-frozen' : ''}`;
  return (
    <>
      <video
        ref={video}
        class={`picture ${isMoving ? '' : 'picture-covered'} ${look}`}
        aria-label={label}
        autoPlay
        playsInline
        muted
        disablePictureInPicture
      />
      {onEnding === undefined ? null : (
        <canvas ref={still.canvas} class={`picture picture-frozen ${isStill ? '' : 'picture-covered'}`} aria-hidden="true" />
      )}
    </>
  );
}

/** Widest still in pixels: a tile is rarely wider, and it is shown for seconds. */
const STILL_WIDTH_MAX = 640;

/**
 * Keeps what a video shows when its connection ends, because browsers show black then. The still is taken only of a
 * picture that is uncovered, so it is of whom the tile names, and it is wiped when it is held no longer.
 */
function useStill(
  video: RefObject<HTMLVideoElement | null>,
  isMoving: boolean,
  isHeld: boolean,
  onEnding: Props['onEnding'],
): { canvas: RefObject<HTMLCanvasElement | null>; isTaken: boolean } {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isTaken, setTaken] = useState(false);
  const moving = useRef(isMoving);
  moving.current = isMoving;
  useEffect(
    () =>
      onEnding?.(() => {
        if (moving.current && take(video.current, canvas.current)) setTaken(true);
      }),
    [onEnding, video],
  );
  useEffect(
    () => () => {
      if (!isHeld) return;
      setTaken(false);
      if (canvas.current !== null) canvas.current.width = 0;
    },
    [isHeld],
  );
  return { canvas, isTaken };
}

function take(video: HTMLVideoElement | null, canvas: HTMLCanvasElement | null): boolean {
  const context = canvas?.getContext('2d') ?? null;
  if (video === null || canvas === null || context === null || video.videoWidth === 0) return false;
  const scale = Math.min(1, STILL_WIDTH_MAX / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return true;
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
