// Drawings of our own, 24 by 24, in the colour of the text around them. They say nothing to assistive
// technology: the control that holds one has a name.
import type { JSX } from 'preact';

const PATHS = {
  microphone: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6',
  microphoneOff: 'M9 9v2a3 3 0 0 0 4.6 2.5M15 10V6a3 3 0 0 0-5.8-1M6 11a6 6 0 0 0 9.5 4.9M18 11a6 6 0 0 1-.4 2.2M12 17v4M9 21h6M4 3l16 18',
  camera: 'M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1ZM15 11l6-3v8l-6-3',
  cameraOff: 'M9 7h4a2 2 0 0 1 2 2v2l6-3v8l-3.5-1.7M15 15.5a2 2 0 0 1-2 1.5H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h1M4 3l16 18',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17',
  leave: 'M13 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h7M10 12h11M17 8l4 4-4 4',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M15.5 4.4a3.5 3.5 0 0 1 0 6.2M18 14.5a6.5 6.5 0 0 1 3.5 5.5',
  lock: 'M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1ZM8 11V8a4 4 0 0 1 8 0v3',
  sliders: 'M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4',
  close: 'M6 6l12 12M18 6 6 18',
  warning: 'M12 4 2.5 20h19L12 4ZM12 10v4M12 17v.5',
  sound: 'M4 9.5h3.5L12 5v14l-4.5-4.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  eye: 'M2.5 12s3.5-6.5 9.5-6.5S21.5 12 21.5 12s-3.5 6.5-9.5 6.5S2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  eyeOff: 'M9 5.9A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-2.8 3.4M5.5 8a16 16 0 0 0-3 4s3.5 6.5 9.5 6.5a9 9 0 0 0 4-1M10 10a3 3 0 0 0 4 4.2M4 3l16 18',
  signal: 'M4.5 20v-4M9.5 20v-8M14.5 20V8M19.5 20V4',
  signalWeak: 'M4.5 20v-4M9.5 20v-7M14 13.5l6 6M20 13.5l-6 6',
  wave: 'M3 12h2M7 8v8M11 5v14M15 8v8M19 10.5v3',
} as const;

/** The name of a drawing. */
export type IconName = keyof typeof PATHS;

/** One drawing. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the product: a voice, and the line beneath it. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="mark-voice" d="M8 6v8a8 8 0 0 0 16 0V6" />
      <path class="mark-line" d="M8 27h16" />
    </svg>
  );
}

/** Two waves, the lower one in the other's shadow. */
export function Waves(): JSX.Element {
  return (
    <svg class="waves" viewBox="0 0 1200 160" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <path class="wave-over" d="M0 70C100 10 200 10 300 70S500 130 600 70 800 10 900 70s200 60 300 0" />
      <path class="wave-under" d="M0 100c75-30 150-30 225 0s150 30 225 0 150-30 225 0 150 30 225 0 150-30 225 0 75 15 75 15" />
    </svg>
  );
}
