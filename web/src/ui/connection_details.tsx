// The connection in words, and the few numbers behind them.
import type { JSX } from 'preact';
import type { RoomState } from '../room/state.ts';
import { tiles } from '../room/view.ts';
import type { Quality } from '../media/quality.ts';
import { CALL, CONNECTION, pathWords } from '../strings.ts';
import type { MeetingModel } from './meeting_model.ts';

export function ConnectionDetails({ model }: { readonly model: MeetingModel }): JSX.Element {
  const state = model.state.value;
  const quality = model.quality.value;
  const isOpen = state.phase.type === 'inside' && state.link === 'open';
  const poor = tiles(state).filter(({ picture, sound }) => model.isPoor(picture?.mid ?? null, sound));
  const numbers = quality === null ? [] : numbersOf(quality);
  return (
    <dl class="details">
      <Line name={CONNECTION.server} lines={[isOpen ? CONNECTION.serverOpen : CONNECTION.serverRestoring]} />
      <Line name={CONNECTION.media} lines={[mediaWords(state, quality)]} />
      <Line name={CONNECTION.quality} lines={[qualityWords(quality)]} />
      {poor.length === 0 ? null : (
        <Line name={CONNECTION.others} lines={poor.map(({ name }) => name ?? CALL.unknown)} />
      )}
      {numbers.length === 0 ? null : <Line name={CONNECTION.numbers} lines={numbers} />}
    </dl>
  );
}

function Line({ name, lines }: { readonly name: string; readonly lines: readonly string[] }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      {lines.map((line, index) => (
        <dd key={index}>{line}</dd>
      ))}
    </div>
  );
}

function mediaWords({ phase, path, hadPath }: RoomState, quality: Quality | null): string {
  if (phase.type !== 'inside') return CALL.rejoining;
  if (path === 'unreachable') return CONNECTION.unreachable;
  if (path !== 'connected') return pathWords(path, hadPath) ?? CALL.rejoining;
  switch (quality?.protocol) {
    case 'tcp':
      return CONNECTION.tcp;
    case 'udp':
      return CONNECTION.udp;
    default:
      return CONNECTION.connected;
  }
}

function qualityWords(quality: Quality | null): string {
  if (quality === null) return CONNECTION.measuring;
  return quality.isOwnPoor ? CONNECTION.ownPoor : CONNECTION.good;
}

function numbersOf({ roundTripMs, lostReceiving, lostSending }: Quality): string[] {
  return [
    ...(roundTripMs === null ? [] : [CONNECTION.roundTrip(roundTripMs)]),
    ...(lostReceiving === null ? [] : [CONNECTION.lostReceiving(lostReceiving)]),
    ...(lostSending === null ? [] : [CONNECTION.lostSending(lostSending)]),
  ];
}
