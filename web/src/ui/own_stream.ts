import { useMemo } from 'preact/hooks';
import type { MeetingModel } from './meeting_model.ts';

/** One's own camera as a stream to show, or null. */
export function useOwnStream(model: MeetingModel): MediaStream | null {
  // Read so that a change of devices draws anew; the track itself is not state.
  const { status } = model.localState.value.camera;
  const track = status === 'on' ? model.local.track('camera') : null;
  return useMemo(() => (track === null ? null : new MediaStream([track])), [track]);
}
