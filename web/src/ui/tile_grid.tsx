// The tiles, as large as they fit.
import type { JSX, RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { tiles, type Tile } from '../room/view.ts';
import { CALL, TILES } from '../strings.ts';
import { Icon } from './icons.tsx';
import { useLasting } from './lasting.ts';
import { gridFor, LARGE_FROM } from './layout.ts';
import type { MeetingModel } from './meeting_model.ts';
import { useOwnStream } from './own_stream.ts';
import { Picture } from './picture.tsx';
import { TileFrame } from './tile_frame.tsx';

/** Space between tiles in CSS pixels, on small and large screens. */
const GAP_SMALL = 6;
const GAP_LARGE = 12;

export function TileGrid({ model }: { readonly model: MeetingModel }): JSX.Element {
  const grid = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  const others = tiles(model.state.value);
  const count = others.length + 1;
  const hidden = useHiddenSeats(grid, others.map(({ seat }) => seat).join());

  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return undefined;
    const fit = (): void => {
      const { clientWidth, clientHeight } = element;
      const gap = clientWidth < LARGE_FROM ? GAP_SMALL : GAP_LARGE;
      const fitted = gridFor(count, clientWidth, clientHeight, gap);
      element.style.setProperty('--gap', `${gap}px`);
      element.style.setProperty('--tile-width', `${fitted.tileWidth}px`);
      element.style.setProperty('--tile-height', `${fitted.tileHeight}px`);
      setScrolls(fitted.scrolls);
    };
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    fit();
    return () => observer.disconnect();
  }, [count]);

  const unseen = others.filter((tile) => hidden.has(tile.seat) && isSpeaking(model, tile));
  // Who scrolls with the keyboard has to be able to come here.
  const reach = scrolls ? ({ role: 'region', 'aria-label': CALL.tiles, tabIndex: 0 } as const) : {};
  return (
    <>
      <div ref={grid} class={`grid ${scrolls ? 'grid-scrolls' : ''}`} {...reach}>
        {others.map((tile) => (
          <OtherTile key={tile.seat} model={model} tile={tile} isHidden={hidden.has(tile.seat)} />
        ))}
        <OwnTile key="own" model={model} isAlone={others.length === 0} />
      </div>
      {unseen.length === 0 ? null : (
        // Their tiles say the same to a screen reader.
        <p class="unseen" aria-hidden="true">
          <Icon name="wave" />
          <span>{CALL.speakingOffScreen(unseen.map(({ name }) => name ?? CALL.unknown))}</span>
        </p>
      )}
    </>
  );
}

/** The seats whose tiles are scrolled out of sight. */
function useHiddenSeats(grid: RefObject<HTMLElement | null>, seats: string): ReadonlySet<number> {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    const root = grid.current;
    if (root === null) return undefined;
    const out = new Set<number>();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const seat = Number(target instanceof HTMLElement ? target.dataset['seat'] : undefined);
          if (isIntersecting) out.delete(seat);
          else out.add(seat);
        }
        setHidden(new Set(out));
      },
      { root },
    );
    for (const tile of root.querySelectorAll('[data-seat]')) observer.observe(tile);
    return () => observer.disconnect();
  }, [grid, seats]);
  return hidden;
}

function isSpeaking(model: MeetingModel, { sound, microphoneOn }: Tile): boolean {
  return sound !== null && microphoneOn && model.speaks(sound);
}

interface OtherProps {
  readonly model: MeetingModel;
  readonly tile: Tile;
  readonly isHidden: boolean;
}

/** A break that is over sooner, in milliseconds, is seen as a still picture and needs no word. */
const UNSAID_MS = 1_000;

function OtherTile({ model, tile, isHidden }: OtherProps): JSX.Element {
  const [isVisible, setVisible] = useState(false);
  const isReconnecting = tile.reason === 'reconnecting';
  const isSaid = useLasting(isReconnecting, UNSAID_MS);
  const isHeld = useHeld(model, tile, isReconnecting);
  const onEnding = useCallback((listener: () => void) => model.onPicturesEnding(listener), [model]);
  const { picture } = tile;
  return (
    <TileFrame
      name={tile.name}
      label={tile.name ?? CALL.unknown}
      hue={tile.seat % 6}
      e2ee={tile.e2ee}
      seat={tile.seat}
      isMuted={!tile.microphoneOn}
      isCameraOff={!tile.cameraOn}
      isSpeaking={isSpeaking(model, tile)}
      isPoor={!isReconnecting && model.isPoor(picture?.mid ?? null, tile.sound)}
      isPictured={isVisible}
      words={tile.reason === null || (isReconnecting && !isSaid) ? null : TILES[tile.reason]}
    >
      <Picture
        stream={picture === null ? null : model.room.stream(picture.mid)}
        since={picture?.since ?? null}
        ownership={picture?.ownership ?? 0}
        isShown={picture !== null && tile.cameraOn && tile.e2ee !== 'failed'}
        isFrozen={isSaid}
        isHeld={isHeld && tile.cameraOn && tile.e2ee !== 'failed'}
        onEnding={onEnding}
        isPaused={isHidden}
        onVisible={setVisible}
      />
    </TileFrame>
  );
}

/** Whose picture a tile showed last, and over which connection. */
interface Last {
  readonly name: string | null;
  readonly stay: number;
  readonly transport: number;
}

/** How long the last picture of a closed connection stays while the first of the new one is awaited, in milliseconds. */
const HELD_MS = 5_000;

/**
 * Whether a tile holds the last picture of the connection before, because the new one has none of that person yet.
 * While seats and names are the same it is the same person; a new seat begins without a picture.
 */
function useHeld(model: MeetingModel, { picture, name }: Tile, isReconnecting: boolean): boolean {
  const { transport, stay, phase } = model.state.value;
  const last = useRef<Last | null>(null);
  const isTired = useLasting(!isReconnecting && picture === null, HELD_MS);
  if (picture !== null) last.current = { name, stay, transport };
  const held = last.current;
  if (picture !== null || held === null || isTired) return false;
  return held.transport !== transport && held.name === name && (held.stay === stay || phase.type !== 'inside');
}

function OwnTile({ model, isAlone }: { readonly model: MeetingModel; readonly isAlone: boolean }): JSX.Element {
  const { name, seat } = model.state.value;
  const { microphone, camera } = model.localState.value;
  const stream = useOwnStream(model);
  const [isVisible, setVisible] = useState(false);
  return (
    <TileFrame
      name={name}
      label={name}
      hue={(seat ?? 0) % 6}
      e2ee={null}
      seat={null}
      isMuted={microphone.status !== 'on'}
      isCameraOff={camera.status !== 'on'}
      isSpeaking={model.speaks(null)}
      isPoor={model.quality.value?.isOwnPoor === true}
      isPictured={isVisible}
      words={isAlone ? CALL.alone : null}
      note={CALL.you}
    >
      <Picture stream={stream} isShown={camera.status === 'on'} isMirrored onVisible={setVisible} />
    </TileFrame>
  );
}
