//! Bounds, each with its reason.

/// Longest display name, in Unicode scalar values: what a tile can show.
pub const NAME_CHARS_MAX: usize = 64;

/// Highest leaf: the key id has 10 bits for it.
pub const LEAF_MAX: u16 = 1_023;

/// Highest track number: the key id has 6 bits for it.
pub const TRACK_MAX: u8 = 63;

/// How far back a frame's counter may lie, per key id. At 50 audio frames a
/// second this is 20 seconds: more than any jitter buffer waits.
pub const REPLAY_WINDOW: u64 = 1_024;

/// How many frames one key may seal. At 100 frames a second it lasts four
/// months, and it stays far below the bounds on AES-GCM under one key
/// (RFC 9605, section 9).
pub const FRAMES_PER_KEY_MAX: u64 = 1 << 30;

/// Longest frame that is opened, in bytes: an uncompressed 1080p picture
/// would fit, so no encoder makes one.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// Tracks in one announcement: microphone, camera, screen and its sound, each a few times anew.
pub const PROFILE_TRACKS_MAX: usize = 16;

/// Longest signed announcement in bytes: a name of 64 characters takes at most 256, sixteen tracks 32, a grant 105,
/// the rest 93.
pub const PROFILE_BYTES_MAX: usize = 512;

/// Longest text of one chat message in bytes.
pub const CHAT_BYTES_MAX: usize = 4_096;

/// Longest reaction in bytes: one emoji with all its joiners.
pub const REACTION_BYTES_MAX: usize = 64;
