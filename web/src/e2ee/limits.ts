// Bounds of the E2EE worker, each with its reason. Those that both sides of a
// call must agree on have a twin in the Rust crate.

/** Highest leaf index: the key id has 10 bits for it. */
export const LEAF_MAX = 1_023;
/** Highest track number: the key id has 6 bits for it. */
export const TRACK_MAX = 63;
/** How far back a counter may lie, per key id: 20 seconds of audio. */
export const REPLAY_WINDOW = 1_024;
/** How many frames one key may seal: four months at 100 a second, far below AES-GCM's bounds. */
export const FRAMES_PER_KEY_MAX = 2 ** 30;
/** Longest frame that is opened, in bytes: an uncompressed 1080p picture would fit. */
export const FRAME_BYTES_MAX = 4 * 2 ** 20;
/**
 * How many frames of one stream wait for their turn. Half a second of three
 * simulcast layers; more means that this device cannot keep up, and then late
 * frames help nobody.
 */
export const QUEUE_FRAMES_MAX = 64;
/** A slot may change its owner once in this time: faster, nobody could tell who is who. */
export const OWNER_CHANGE_MS_MIN = 500;
/** A key frame is asked for at most this often per slot: encoders pay dearly for each. */
export const KEY_FRAME_REQUEST_MS_MIN = 500;
/**
 * So many frames in a row must fail before a slot that worked says so: a server
 * that slips in junk between good frames makes no tile flicker.
 */
export const FAILURES_BEFORE_SHOWN = 30;
/** How many frames of a slot are remembered for their order: more than any reordering on the way. */
export const ORDER_FRAMES_MAX = 64;
/** How many simulcast layers share one counter: low, middle and high. */
export const LAYERS_MAX = 3n;
/**
 * After such a silence RTP timestamps are compared no more: 32 bits come round
 * after 13 hours of video, and half of that looks like going back.
 */
export const ORDER_SILENCE_MS_MAX = 3_600_000;
/**
 * How long frames of an epoch that is not there yet are held back: somebody else's device was quicker. As long as a
 * sender waits for the others, and as much again; `QUEUE_FRAMES_MAX` hold that much sound.
 */
export const EPOCH_WAIT_MS = 1_000;
/** After it was waited in vain: a server that sends junk key ids holds up a slot no more often than this. */
export const EPOCH_WAIT_MS_MIN = 3_000;
