// Everything the page says, in one place. Names of controls are a contract with tests and assistive technology.
import type { DeviceProblem } from './media/problems.ts';
import type { SupportProblem } from './media/support.ts';
import type { LinkProblem } from './room/link.ts';
import type { JoinProblem, OverReason } from './room/state.ts';
import type { TileReason } from './room/view.ts';
import type { MediaPorts } from './media/candidates.ts';
import type { MediaPath } from './media/connection.ts';
import { MEDIA_MEMBERS_MAX } from './protocol/generated.ts';
import type { CreateError } from './room/create.ts';

export const APP = 'Undertone';

export const HOME = {
  title: 'Undertone',
  heading: 'Talk in private.',
  lead: 'Video calls that are encrypted in your browser. The server passes them on and cannot listen.',
  newMeeting: 'New meeting',
  making: 'Making the meeting…',
  password: 'Meeting password',
  passwordHint: 'Optional. People then need the link and the password.',
  join: 'Were you invited? Open the link that you were sent.',
  promises: [
    ['No account', 'A link is all that anybody needs.'],
    ['No listening in', 'Sound, picture and names are encrypted before they leave your browser.'],
    ['No tracking', 'This page asks nobody but its own server for anything.'],
  ],
} as const;

export const FIELDS = {
  name: 'Your name',
  namePlaceholder: 'As the others will see it',
  password: 'Meeting password',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  microphone: 'Microphone',
  camera: 'Camera',
  speaker: 'Speaker',
  inviteLink: 'Invite link',
  defaultDevice: 'Browser’s choice',
  unnamedDevice: (index: number): string => `Device ${index + 1}`,
} as const;

export const PREJOIN = {
  title: 'Join a meeting',
  heading: 'Ready to join?',
  cannotHeading: 'No call in this browser',
  preview: 'Your picture',
  level: 'Microphone level',
  join: 'Join',
  encrypted: 'End-to-end encrypted. The key is in your link and stays in this browser.',
  unlocking: 'Making keys from the password…',
  unlockingLink: 'Making keys…',
  entering: 'Asking to join…',
  cancel: 'Cancel',
  nameMissing: 'Please type your name, so that the others know who you are.',
  nameBad: 'Please use a name of at most 64 ordinary characters.',
  passwordMissing: 'This meeting has a password. Please type it.',
  tryDevices: 'Try again',
  withoutDevices: 'You can join without, and switch it on later.',
  wasHere: 'You were in this meeting a moment ago.',
  cameraOff: 'Camera is off',
  starting: 'Starting the camera…',
} as const;

export const CONTROLS = {
  mute: 'Mute microphone',
  unmute: 'Unmute microphone',
  cameraOff: 'Turn camera off',
  cameraOn: 'Turn camera on',
  copyLink: 'Copy invite link',
  leave: 'Leave',
  devices: 'Devices',
  participants: 'Participants',
  security: 'Security',
  connection: 'Connection',
  close: 'Close',
  toolbar: 'Meeting controls',
  soundOn: 'Turn sound on',
  tryAgain: 'Try again',
  rejoin: 'Rejoin',
  restart: 'Start the meeting again',
  newMeeting: 'New meeting',
  // What stands on a button where there is room; each is part of its accessible name.
  short: {
    mute: 'Mute',
    unmute: 'Unmute',
    cameraOff: 'Camera off',
    cameraOn: 'Camera on',
    copyLink: 'Invite link',
    leave: 'Leave',
    devices: 'Devices',
  },
} as const;

export const CALL = {
  title: 'In a meeting',
  heading: 'Meeting',
  you: 'You',
  unknown: 'Unknown participant',
  muted: 'Muted',
  cameraIsOff: 'Camera is off',
  speaking: 'Speaking',
  poor: 'Poor connection',
  tiles: 'Pictures of the participants',
  speakingOffScreen: (names: readonly string[]): string => `Speaking: ${names.join(', ')}`,
  encrypted: 'Encrypted',
  encryptedBadge: 'End-to-end encrypted',
  alone: 'Nobody else is here yet. Send someone the invite link.',
  linkCopied: 'The invite link is copied.',
  linkByHand: 'Your browser did not allow copying. Copy the link from here:',
  soundBlocked: 'Your browser holds back the sound.',
  unknownMembers: (count: number): string =>
    count === 1
      ? 'Somebody in this meeting has not said who they are. They can hear and see you.'
      : `${count} people in this meeting have not said who they are. They can hear and see you.`,
  wasRemoved: (name: string): string => `${name} was removed from the meeting. The invite link has changed.`,
  linkChanged: 'The invite link has changed. Copy it again before you send it.',
  locked: 'The meeting is locked: nobody new can join.',
  unlocked: 'The meeting is open again.',
  came: (name: string): string => `${name} joined.`,
  went: (name: string): string => `${name} left.`,
  back: 'You are connected again.',
  backAfterAway: 'You were away for a while and are back in the meeting.',
  rejoining: 'Connecting…',
  away: 'The connection to the server is lost. Trying again…',
  awayStopped: 'The server was stopped. Trying to come back…',
  restoring: 'The connection to the server is being restored. Sound and picture go on if they can.',
  restoringAll: 'The connection is being restored…',
  offline: 'This device has no network. The call goes on as soon as there is one.',
  count: (count: number): string => (count === 1 ? '1 person' : `${count} people`),
} as const;

export const OWNER = {
  owns: 'Made this meeting',
  youOwn: 'You, who made this meeting',
  remove: 'Remove',
  removeName: (name: string): string => `Remove ${name} from meeting`,
  confirmHeading: (name: string): string => `Remove ${name} from the meeting?`,
  confirmText:
    'They stop hearing and seeing at once. The invite link changes for everybody, and the old one opens nothing any more.',
  confirm: 'Remove from meeting',
  cancel: 'Cancel',
  lock: 'Lock meeting',
  unlock: 'Unlock meeting',
  isLocked: 'Locked: nobody new can join.',
} as const;

/** What the group found wrong. */
export function alarmWords(alarm: string): string {
  switch (alarm) {
    case 'withheld':
      return 'The server holds back changes of this meeting, perhaps a removal. Nothing is sent until they arrive.';
    case 'forked':
      return 'What others say does not open: the server may have split this meeting. Rejoin to meet them.';
    case 'nobody_answers':
      return 'Nobody here has shown that they hold the link. The server may have made this meeting up.';
    case 'other_group':
      return 'The server shows another meeting under this link. Reload the page to join it.';
    case 'no_psk':
    case 'wrong_psk':
    case 'old_psk':
    case 'bad_mac':
    case 'welcome_without_psk':
      return 'Somebody tried to come in without this meeting’s secret. They were refused.';
    case 'locked':
      return 'Somebody tried to come in although the meeting is locked. They were refused.';
    default:
      return 'The server handed over a change that does not hold. It was refused.';
  }
}

/** A counter of the statistics, in words. */
export function counterWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** What is said of media; `again`: it flowed before. */
export function pathWords(path: MediaPath, again: boolean): string | null {
  switch (path) {
    case 'connecting':
      return again ? 'Reconnecting sound and picture…' : 'Connecting sound and picture…';
    case 'interrupted':
      return 'Sound and picture are interrupted. Waiting for the network…';
    case 'connected':
    case 'unreachable':
      return null;
  }
}

/** What is said where no media comes through: what to do now, and what whoever runs the server has to open. */
export function unreachableWords(ports: MediaPorts | null): string {
  const open = portWords(ports);
  const remedy = open === null ? '' : ` Whoever runs the server or this network has to open ${open}.`;
  return `Sound and picture cannot reach the server; a firewall seems to block them. Try another network.${remedy}`;
}

function portWords(ports: MediaPorts | null): string | null {
  if (ports === null || ports.udp === null) return ports?.tcp == null ? null : `TCP port ${ports.tcp}`;
  if (ports.tcp === null) return `UDP port ${ports.udp}`;
  if (ports.tcp === ports.udp) return `port ${ports.udp} for UDP and TCP`;
  return `UDP port ${ports.udp} and TCP port ${ports.tcp}`;
}

/** How long the server still runs, in steps that are worth a word. */
export function stoppingWords(msLeft: number): string {
  return `The server is being stopped. This call ends ${timeLeft(msLeft / 1_000)}.`;
}

function timeLeft(seconds: number): string {
  if (seconds >= 90) return `in about ${Math.round(seconds / 60)} minutes`;
  if (seconds >= 45) return 'in about a minute';
  if (seconds >= 20) return 'in about half a minute';
  return seconds >= 4 ? 'in a few seconds' : 'now';
}

export const CONNECTION = {
  server: 'Server',
  serverOpen: 'Connected',
  serverRestoring: 'Being restored…',
  media: 'Sound and picture',
  udp: 'Connected over UDP, the fastest way.',
  tcp: 'UDP is blocked here: the call runs over TCP and may stutter.',
  connected: 'Connected',
  unreachable: 'Cannot reach the server',
  quality: 'Quality',
  measuring: 'Being measured…',
  good: 'Good',
  ownPoor: 'Your connection is poor. Switching the camera off may help.',
  others: 'Poor connection',
  numbers: 'Numbers',
  roundTrip: (ms: number): string => `Round trip: ${Math.round(ms)} ms`,
  lostReceiving: (share: number): string => `Lost on the way to you: ${percent(share)}`,
  lostSending: (share: number): string => `Lost on the way from you: ${percent(share)}`,
  overTcp: 'over TCP',
  isPoor: 'poor',
} as const;

function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? 'less than 1' : Math.round(value)} %`;
}

/** Why the meeting is over; the text of `unreachable` depends on the server's ports. */
export const OVER: Readonly<Record<OverReason, readonly [heading: string, text: string]>> = {
  left: ['You left the meeting', 'You can come back as long as the meeting lasts.'],
  ended: ['This meeting has ended', 'The server no longer knows it. It can be started again, behind the same link.'],
  forgotten: [
    'The server has forgotten this meeting',
    'The server was restarted and has forgotten this meeting. Nothing of it was kept. Everybody who starts it again meets here, behind the same link.',
  ],
  full: ['The meeting is full', `It has its ${MEDIA_MEMBERS_MAX} people. Try again when somebody has left.`],
  locked: ['The meeting is locked', 'Nobody new can join until whoever made it opens it again.'],
  removed: [
    'You were removed from the meeting',
    'The invite link has changed. To come back, ask the others for the new one.',
  ],
  lost: ['The connection is lost', 'The server could not be reached for two minutes. Check your network, then rejoin.'],
  unreachable: ['Sound and picture cannot reach the server', ''],
  encryption: ['Encryption stopped', 'Without it nothing is sent. Rejoin to start it again.'],
  refused: ['The server refused this page', 'It may have been updated. Reload the page, then rejoin.'],
};

export const LINKS: Readonly<Record<LinkProblem, string>> = {
  incomplete: 'This link is incomplete. Ask for it again, and copy all of it.',
  newer: 'This link was made by a newer version. Reload the page; if that does not help, ask whoever runs this server.',
  replaced: 'This link was replaced by a new one. Ask the others for it.',
};
export const LINK_HEADING = 'This link does not work';

export const SUPPORT: Readonly<Record<SupportProblem, string>> = {
  insecure_context:
    'Your browser allows encrypted calls only over HTTPS or on this same computer. Open this page with https:// in front.',
  no_webrtc: 'This browser cannot make calls. Use a current Chrome, Edge, Firefox or Safari.',
  no_encoded_transform:
    'This browser cannot encrypt calls end to end, and here there is no call without it. Use a current Chrome, Edge, Firefox or Safari.',
  no_crypto: 'This browser lacks the cryptography for encrypted calls. Use a current Chrome, Edge, Firefox or Safari.',
  no_deflate: 'This browser is too old for encrypted calls. Use a current Chrome, Edge, Firefox or Safari.',
};

export const DEVICES: Readonly<Record<'microphone' | 'camera', Readonly<Record<DeviceProblem, string>>>> = {
  microphone: {
    denied: 'Your browser has not allowed the microphone. Allow it in the address bar to be heard.',
    missing: 'No microphone was found. The others do not hear you.',
    busy: 'The microphone is in use by another program, or the system refused it.',
    vanished: 'The microphone was disconnected. The others do not hear you.',
    unavailable: 'This browser gives the page no microphone.',
    unknown: 'The microphone did not start.',
  },
  camera: {
    denied: 'Your browser has not allowed the camera. Allow it in the address bar to be seen.',
    missing: 'No camera was found. The others do not see you.',
    busy: 'The camera is in use by another program, or the system refused it.',
    vanished: 'The camera was disconnected. The others do not see you.',
    unavailable: 'This browser gives the page no camera.',
    unknown: 'The camera did not start.',
  },
};

/** What is said when a device vanished and another took over. */
export function deviceReplaced(kind: 'microphone' | 'camera', label: string): string {
  const what = kind === 'microphone' ? 'The microphone' : 'The camera';
  return `${what} was disconnected. Now using ${label === '' ? 'another one' : label}.`;
}

/** Why one is not let in. */
export function joinProblem(problem: JoinProblem): string {
  switch (problem.type) {
    case 'wrong_password':
      return 'Wrong password, or the meeting has ended, or its link was replaced. Ask the others for the link.';
    case 'ended_or_incomplete':
      return 'This meeting has ended, or its link was replaced or is incomplete. Ask the others for the link.';
    case 'full':
      return `The meeting is full: it has its ${MEDIA_MEMBERS_MAX} people. Try again when somebody has left.`;
    case 'locked':
      return 'The meeting is locked: nobody new can join until whoever made it opens it again.';
    case 'rate_limited':
      return problem.seconds === null
        ? 'Too many tries. Wait a little, then try again.'
        : `Too many tries. Try again in ${problem.seconds === 1 ? '1 second' : `${problem.seconds} seconds`}.`;
    case 'server_unreachable':
      return 'The server cannot be reached. Check your network, then try again.';
    case 'server_full':
      return 'The server has no room for more people. Try again later.';
    case 'server_stopping':
      return 'The server is being restarted. Try again in a moment.';
    case 'version':
      return 'This page is of another version than the server. Reload it, then try again.';
    case 'encryption':
      return 'Encryption could not be started in this browser. Reload the page, then try again.';
    case 'unexpected':
      return `The server refused this page (${problem.detail}). Reload it, then try again.`;
  }
}

/** Why no meeting could be made. */
export function createProblem(problem: CreateError['problem']): string {
  switch (problem) {
    case 'server_unreachable':
      return joinProblem({ type: 'server_unreachable' });
    case 'encryption':
      return 'Encryption could not be started in this browser. If this is a private window, try an ordinary one.';
    case 'rate_limited':
      return joinProblem({ type: 'rate_limited', seconds: null });
    case 'server_full':
      return joinProblem({ type: 'server_full' });
    case 'server_stopping':
      return joinProblem({ type: 'server_stopping' });
    case 'version_unsupported':
      return joinProblem({ type: 'version' });
    default:
      return joinProblem({ type: 'unexpected', detail: problem });
  }
}

/** Why a tile shows nothing that was opened. */
export const TILES: Readonly<Record<TileReason, string>> = {
  reconnecting: 'Reconnecting…',
  announcement_awaited: 'Has not shown yet that they hold the link…',
  nothing_sent: 'Sends nothing yet',
  media_awaited: 'Waiting for encrypted sound and picture…',
  disputed: 'Two people claim this place. What they send stays closed.',
  silent: 'Has not been heard for long. The server may keep them apart from the others.',
  malformed: 'What arrives is damaged and stays closed.',
  announcement_refused: 'Claims the place of somebody else. It stays closed.',
  waiting_for_key: 'Waiting for the key of what arrives…',
  removed: 'Was removed. What still arrives stays closed.',
  waiting_for_key_frame: 'Waiting for a whole picture…',
  tampered: 'The key does not fit, or what arrives was changed on its way. It stays closed.',
  replayed: 'What arrives was sent before. It stays closed.',
  reordered: 'What arrives is out of order. It stays closed.',
  wrong_kind: 'What arrives is not what was announced. It stays closed.',
  changed_too_soon: 'The server changes streams too fast. They stay closed.',
  codec: 'Sends in a form that this browser does not know.',
  exhausted: 'Its key is used up. It has to rejoin.',
  overload: 'This computer cannot keep up with decrypting.',
  not_entered: 'Keys are not ready yet…',
  detached: 'An earlier connection still delivers. It stays closed.',
  fault: 'Decrypting failed in this browser.',
  empty: 'Nothing arrives yet…',
  duplicate: 'Nothing new arrives…',
};

export const SECURITY = {
  lead: 'Sound, picture and names are encrypted in your browser and opened only in the browsers of the others.',
  cannotHeading: 'The server cannot see',
  cannot: [
    'what you say and show',
    'your name',
    'the secret in the link, and the password',
  ],
  canHeading: 'The server can see',
  can: [
    'your network address, and those of the others',
    'who is in this meeting at the same time, and for how long',
    'how loud each microphone is, and so who speaks',
    'when and how much is sent',
  ],
  limitsHeading: 'What is not protected',
  limits: [
    'Whoever has the link (and the password) can join, until the meeting is locked or the link changes.',
    'Everybody in the meeting can record it.',
    'This page itself comes from the server. Whoever runs it could send another page.',
  ],
  countersHeading: 'Refused in this call',
  nothingRefused: 'Nothing yet.',
  withPassword: 'This meeting has a password. The server checks it without learning it.',
  withoutPassword: 'This meeting has no password. The link alone opens it.',
} as const;
