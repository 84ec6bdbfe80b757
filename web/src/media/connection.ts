// The one peer connection of a call. The order of its steps is what keeps media encrypted, so it stands in
// one function, `answer`.
import type { Media, TrackKind } from '../e2ee/index.ts';
import { CAMERA_MID, MICROPHONE_MID } from '../protocol/generated.ts';
import type { SourceKind } from './local.ts';
import { askForSound, repairsSound } from './sound_repair.ts';

/** Puts encryption between the encoders, the decoders and the network. */
export interface Transforms {
  sender(sender: RTCRtpSender, track: { track: number; kind: TrackKind }): void;
  receiver(receiver: RTCRtpReceiver, slot: { mid: string; kind: Media }): void;
}

/**
 * How media stands. `interrupted`: it was connected, and the page waits for the network or for another offer of the
 * server. `unreachable`: it did not connect in time, or stayed interrupted for too long.
 */
export type MediaPath = 'connecting' | 'connected' | 'interrupted' | 'unreachable';

/** What a connection needs. */
export interface MediaConnectionParts {
  createPeerConnection(): RTCPeerConnection;
  readonly transforms: Transforms;
  /** Where the server takes media over TCP, as candidate attributes. */
  readonly tcpCandidates: readonly string[];
}

/** What a connection tells. */
export interface MediaConnectionEvents {
  /** A receive slot is there. Its track lasts as long as the connection. */
  slot(mid: string, track: MediaStreamTrack): void;
  path(path: MediaPath): void;
}

/** Tracks to send; null sends nothing. */
export type Sources = Record<SourceKind, MediaStreamTrack | null>;

/**
 * `encodedInsertableStreams` makes Chromium fail closed: without a transform it sends nothing, whereas by
 * default it ignores a transform that comes late and sends plaintext.
 */
export function createPeerConnection(): RTCPeerConnection {
  const configuration: RTCConfiguration & { encodedInsertableStreams: true } = {
    iceServers: [],
    encodedInsertableStreams: true,
  };
  return new RTCPeerConnection(configuration);
}

const TRACK_NUMBERS: Readonly<Record<SourceKind, number>> = { microphone: 0, camera: 1 };

/** How long media may take to connect, in milliseconds: a late answer took 2.7 s once; the rest is patience. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long media may be interrupted, in milliseconds: by then the server has noticed and offered a new transport. */
const INTERRUPTED_TIMEOUT_MS = 45_000;
/**
 * How long UDP may try alone, in milliseconds. Where it works it connects within a few round trips, and Firefox
 * takes TCP where it has the choice.
 */
const UDP_ALONE_MS = 1_000;

/** Most frames per second that a camera sends. */
const FRAME_RATE_MAX = 24;

/** Size and rate of each simulcast layer. The caps stand in for congestion control. */
const LAYERS: Readonly<Record<string, { scaleResolutionDownBy: number; maxBitrate: number }>> = {
  l: { scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  m: { scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  h: { scaleResolutionDownBy: 1, maxBitrate: 800_000 },
};
const SINGLE_LAYER = { scaleResolutionDownBy: 1, maxBitrate: 800_000 };

/** The path of media between this page and the server. */
export class MediaConnection {
  private readonly pc: RTCPeerConnection;
  private readonly sources: Sources = { microphone: null, camera: null };
  private senders: Record<SourceKind, RTCRtpSender> | null = null;
  private patience: ReturnType<typeof setTimeout> | null = null;
  private tcp: ReturnType<typeof setTimeout> | null = null;
  private wasConnected = false;
  private triedTcp = false;

  constructor(
    private readonly parts: MediaConnectionParts,
    private readonly events: MediaConnectionEvents,
  ) {
    this.pc = parts.createPeerConnection();
    this.pc.onconnectionstatechange = () => this.stateChanged();
    this.pc.ontrack = ({ transceiver, receiver, track }) => {
      const { mid } = transceiver;
      if (mid === null) return;
      parts.transforms.receiver(receiver, { mid, kind: track.kind === 'audio' ? 'audio' : 'video' });
      events.slot(mid, track);
    };
  }

  /**
   * Answers an offer; `send` gets the answer before any packet of a new line leaves. A later offer of the same
   * connection only adds lines to receive, and touches no sender. Call it again only when the last call has ended.
   */
  async answer(offer: string, send: (sdp: string) => unknown): Promise<void> {
    await this.pc.setRemoteDescription({ type: 'offer', sdp: offer });
    // No await between the line above and the transforms; those of receivers were attached in `ontrack`.
    const isFirst = this.senders === null;
    const begun = isFirst ? this.beginSending() : null;
    await begun;
    const { sdp: made = '' } = await this.pc.createAnswer();
    const sdp = repairsSound() ? askForSound(made, offer) : made;
    // The server has to know this peer before its first STUN request arrives.
    await send(sdp);
    await this.pc.setLocalDescription({ type: 'answer', sdp });
    if (isFirst) this.beginConnecting();
  }

  /** What the browser has counted. */
  statistics(): Promise<RTCStatsReport> {
    return this.pc.getStats();
  }

  /** Sends another track, or nothing, from now on. */
  async setSource(kind: SourceKind, track: MediaStreamTrack | null): Promise<void> {
    if (this.sources[kind] === track) return;
    this.sources[kind] = track;
    await this.senders?.[kind].replaceTrack(track);
  }

  /** Ends it. Nothing is told any more. */
  close(): void {
    this.endPatience();
    this.endUdpAlone();
    this.pc.onconnectionstatechange = null;
    this.pc.ontrack = null;
    this.pc.close();
  }

  /** Everything up to its first await runs in the tick in which the offer was applied. */
  private async beginSending(): Promise<void> {
    const microphone = this.transceiver(MICROPHONE_MID);
    const camera = this.transceiver(CAMERA_MID);
    this.parts.transforms.sender(microphone.sender, { track: TRACK_NUMBERS.microphone, kind: 'microphone' });
    this.parts.transforms.sender(camera.sender, { track: TRACK_NUMBERS.camera, kind: 'camera' });
    microphone.direction = 'sendonly';
    camera.direction = 'sendonly';
    this.senders = { microphone: microphone.sender, camera: camera.sender };
    await microphone.sender.replaceTrack(this.sources.microphone);
    await camera.sender.replaceTrack(this.sources.camera);
    await limitBitrates(camera.sender);
  }

  private transceiver(mid: string): RTCRtpTransceiver {
    const found = this.pc.getTransceivers().find((transceiver) => transceiver.mid === mid);
    if (found === undefined) throw new Error(`the offer has no m-line ${mid}`);
    return found;
  }

  private stateChanged(): void {
    switch (this.pc.connectionState) {
      case 'connected':
        this.wasConnected = true;
        this.endPatience();
        this.endUdpAlone();
        this.events.path('connected');
        break;
      case 'disconnected':
      case 'failed':
        this.interrupted();
        break;
      case 'new':
      case 'connecting':
      case 'closed':
        break;
    }
  }

  private interrupted(): void {
    if (!this.wasConnected) {
      // TCP may still connect where UDP has failed before it was tried.
      if (this.triedTcp || this.parts.tcpCandidates.length === 0) this.events.path('unreachable');
      return;
    }
    this.events.path('interrupted');
    if (this.patience === null) this.beginPatience(INTERRUPTED_TIMEOUT_MS);
    this.beginUdpAlone();
  }

  private beginConnecting(): void {
    if (this.pc.connectionState === 'connected' || this.pc.connectionState === 'closed') return;
    this.beginPatience(CONNECT_TIMEOUT_MS);
    this.beginUdpAlone();
  }

  /** Tries TCP too, unless UDP connects first. */
  private beginUdpAlone(): void {
    if (this.triedTcp || this.tcp !== null || this.parts.tcpCandidates.length === 0) return;
    this.tcp = setTimeout(() => this.tryTcp(), UDP_ALONE_MS);
  }

  private tryTcp(): void {
    this.tcp = null;
    this.triedTcp = true;
    for (const candidate of this.parts.tcpCandidates) {
      // All lines share one path, so the first one's is that of all. One that this browser cannot use is no loss.
      void this.pc.addIceCandidate({ candidate, sdpMid: MICROPHONE_MID }).catch(() => undefined);
    }
  }

  private endUdpAlone(): void {
    if (this.tcp !== null) clearTimeout(this.tcp);
    this.tcp = null;
  }

  private beginPatience(ms: number): void {
    this.patience = setTimeout(() => {
      this.patience = null;
      this.events.path('unreachable');
    }, ms);
  }

  private endPatience(): void {
    if (this.patience !== null) clearTimeout(this.patience);
    this.patience = null;
  }
}

async function limitBitrates(sender: RTCRtpSender): Promise<void> {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) {
    Object.assign(encoding, LAYERS[encoding.rid ?? ''] ?? SINGLE_LAYER, { maxFramerate: FRAME_RATE_MAX });
  }
  await sender.setParameters(parameters);
}
