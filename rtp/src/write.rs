//! Writing the header of an RTP packet.

use crate::{
    bytes::Writer,
    error::BufferTooSmall,
    extension::{ExtensionMap, Extensions},
    packet::RtpHeader,
};

/// Longest header that [`write_header`] writes, in bytes: 12 fixed, 4 before
/// the extensions, and in the two-byte form three labels of 2 + 16, an audio
/// level of 2 + 1 and a transport sequence of 2 + 2, padded to a word.
pub const HEADER_LEN_MAX: usize = 12 + 4 + 64;

/// Writes a header to the front of `out` and returns its length.
///
/// The payload follows it. No CSRC list and no padding flag are written.
/// Extensions that `map` gives no id are left out; the one-byte form is taken
/// whenever all ids allow it (RFC 8285 section 4.2).
pub fn write_header(
    out: &mut [u8],
    header: &RtpHeader,
    extensions: &Extensions,
    map: &ExtensionMap,
) -> Result<usize, BufferTooSmall> {
    let mut writer = Writer::new(out);
    let has_extensions = write_all(&mut writer, header, extensions, map).ok_or(BufferTooSmall)?;
    let len = writer.len();
    if has_extensions {
        out[0] |= 0x10;
    }
    Ok(len)
}

/// Whether the header has an extension block, which its first byte must say.
fn write_all(
    writer: &mut Writer<'_>,
    header: &RtpHeader,
    extensions: &Extensions,
    map: &ExtensionMap,
) -> Option<bool> {
    writer.u8(2 << 6)?;
    writer.u8(u8::from(header.marker) << 7 | header.payload_type.value())?;
    writer.u16(header.sequence_number)?;
    writer.u32(header.rtp_timestamp)?;
    writer.u32(header.ssrc.0)?;
    extensions.write(writer, map)
}

#[cfg(test)]
mod tests;
