// The tiles, as large as they fit.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { tiles } from '../room/view.ts';
import { CALL, TILES } from '../strings.ts';
import { gridFor } from './layout.ts';
import type { MeetingModel } from './meeting_model.ts';
import { useOwnStream } from './own_stream.ts';
import { Picture } from './picture.tsx';
import { TileFrame } from './tile_frame.tsx';

/** Space between tiles in CSS pixels, on small and large screens. */
const GAP_SMALL = 6;
const GAP_LARGE = 12;
/** From this width on a screen is large. */
const LARGE_FROM = 700;

export function TileGrid({ model }: { readonly model: MeetingModel }): JSX.Element {
  const grid = useRef<HTMLDivElement>(null);
  const others = tiles(model.state.value);
  const count = others.length + 1;

  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return undefined;
    const fit = (): void => {
      const { clientWidth, clientHeight } = element;
      const gap = clientWidth < LARGE_FROM ? GAP_SMALL : GAP_LARGE;
      const { tileWidth, tileHeight } = gridFor(count, clientWidth, clientHeight, gap);
      element.style.setProperty('--gap', `${gap}px`);
      element.style.setProperty('--tile-width', `${tileWidth}px`);
      element.style.setProperty('--tile-height', `${tileHeight}px`);
    };
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    fit();
    return () => observer.disconnect();
  }, [count]);

  return (
    <div ref={grid} class="grid">
      {others.map((tile) => (
        <OtherTile key={tile.seat} model={model} tile={tile} />
      ))}
      <OwnTile key="own" model={model} isAlone={others.length === 0} />
    </div>
  );
}

interface OtherProps {
  readonly model: MeetingModel;
  readonly tile: ReturnType<typeof tiles>[number];
}

function OtherTile({ model, tile }: OtherProps): JSX.Element {
  const [isVisible, setVisible] = useState(false);
  const { picture, sound } = tile;
  const isFailed = tile.e2ee === 'failed';
  const isShown = picture !== null && tile.cameraOn && !isFailed;
  return (
    <TileFrame
      name={tile.name}
      label={tile.name ?? CALL.unknown}
      hue={tile.seat % 6}
      e2ee={tile.e2ee}
      isMuted={!tile.microphoneOn}
      isCameraOff={!tile.cameraOn}
      isSpeaking={sound !== null && tile.microphoneOn && model.speaks(sound)}
      isPictured={isVisible}
      words={tile.reason === null ? null : TILES[tile.reason]}
    >
      <Picture
        stream={picture === null ? null : model.room.stream(picture.mid)}
        since={picture?.since ?? null}
        ownership={picture?.ownership ?? 0}
        isShown={isShown}
        onVisible={setVisible}
      />
    </TileFrame>
  );
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
      isMuted={microphone.status !== 'on'}
      isCameraOff={camera.status !== 'on'}
      isSpeaking={model.speaks(null)}
      isPictured={isVisible}
      words={isAlone ? CALL.alone : null}
      note={CALL.you}
    >
      <Picture stream={stream} isShown={camera.status === 'on'} isMirrored onVisible={setVisible} />
    </TileFrame>
  );
}
