//! RTP header extensions: which ids stand for what, and the elements we act on.
//!
//! A sender chooses the one-byte or the two-byte form anew for every packet
//! (Chromium and Firefox do), so both are understood at any time.
//! Source: RFC 8285.

use crate::{
    bytes::{Reader, Writer},
    error::RtpError,
    ids::{Mid, Rid},
};

/// A header extension that we know.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Extension {
    /// The media section that the stream belongs to (RFC 8843 section 15).
    Mid,
    /// The simulcast encoding that the stream carries (RFC 8852).
    Rid,
    /// The simulcast encoding that a retransmission stream repairs (RFC 8852).
    RepairedRid,
    /// How loud the packet is (RFC 6464).
    AudioLevel,
    /// The packet's number among all packets of the transport
    /// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    TransportSequence,
}

impl Extension {
    /// Every extension that we know.
    pub const ALL: [Self; 5] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AudioLevel,
        Self::TransportSequence,
    ];

    /// The name that SDP `a=extmap` gives it.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::TransportSequence => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
        }
    }

    /// The extension with that name.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.uri() == uri)
    }
}

/// Which local ids stand for which extensions on one transport.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExtensionMap {
    /// Indexed by [`Extension`]; 0 is no id.
    ids: [u8; Extension::ALL.len()],
}

impl ExtensionMap {
    /// No extension at all.
    pub const fn new() -> Self {
        Self {
            ids: [0; Extension::ALL.len()],
        }
    }

    /// Lets `id` stand for `extension`, instead of whatever either was bound to.
    ///
    /// Returns whether the id is usable: 1 to 255 except 15, which ends a
    /// one-byte block (RFC 8285 section 4.2). Ids above 14 force the packets
    /// that we write with them into the two-byte form.
    pub fn insert(&mut self, id: u8, extension: Extension) -> bool {
        if id == 0 || id == 15 {
            return false;
        }
        for bound in &mut self.ids {
            if *bound == id {
                *bound = 0;
            }
        }
        self.ids[extension as usize] = id;
        true
    }

    /// The id of `extension`, when it was negotiated.
    pub fn id(&self, extension: Extension) -> Option<u8> {
        Some(self.ids[extension as usize]).filter(|&id| id != 0)
    }

    /// The extension that `id` stands for.
    pub fn extension(&self, id: u8) -> Option<Extension> {
        if id == 0 {
            return None;
        }
        Extension::ALL
            .into_iter()
            .find(|&extension| self.ids[extension as usize] == id)
    }
}

impl FromIterator<(u8, Extension)> for ExtensionMap {
    /// Pairs with an unusable id are left out.
    fn from_iter<I: IntoIterator<Item = (u8, Extension)>>(pairs: I) -> Self {
        let mut map = Self::new();
        for (id, extension) in pairs {
            map.insert(id, extension);
        }
        map
    }
}

/// How loud the audio of one packet is. Source: RFC 6464.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AudioLevel {
    /// Whether the sender believes that the packet holds voice.
    pub voice: bool,
    /// Distance below overload in dB: 0 is the loudest, 127 is silence.
    pub below_overload_db: u8,
}

/// The elements of one packet that we know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extensions {
    /// See [`Extension::Mid`].
    pub mid: Option<Mid>,
    /// See [`Extension::Rid`].
    pub rid: Option<Rid>,
    /// See [`Extension::RepairedRid`].
    pub repaired_rid: Option<Rid>,
    /// See [`Extension::AudioLevel`].
    pub audio_level: Option<AudioLevel>,
    /// See [`Extension::TransportSequence`].
    pub transport_sequence: Option<u16>,
}

impl Extensions {
    /// Reads the block that follows an RTP header's CSRC list.
    ///
    /// `profile` is the 16-bit field that tells the form. A form that is
    /// neither holds nothing for us. Unknown ids are skipped; of two elements
    /// with the same id the last one counts.
    pub(crate) fn parse(profile: u16, block: &[u8], map: &ExtensionMap) -> Result<Self, RtpError> {
        let mut extensions = Self::default();
        let Some(form) = Form::of_profile(profile) else {
            return Ok(extensions);
        };
        let mut reader = Reader::new(block);
        while let Some(first) = reader.u8() {
            let (id, len) = match form {
                // The id of padding, and of an element with which the block ends (RFC 8285 section 4.2).
                Form::OneByte if first == 0 => continue,
                Form::OneByte if first >> 4 == 0 || first >> 4 == 15 => break,
                Form::OneByte => (first >> 4, usize::from(first & 0x0F) + 1),
                Form::TwoByte if first == 0 => continue,
                Form::TwoByte => (first, usize::from(reader.u8().ok_or(RtpError::ExtensionOverrun)?)),
            };
            let data = reader.take(len).ok_or(RtpError::ExtensionOverrun)?;
            if let Some(extension) = map.extension(id) {
                extensions
                    .set(extension, data)
                    .ok_or(RtpError::ExtensionMalformed)?;
            }
        }
        Ok(extensions)
    }

    /// Writes the block with its four-byte header, or nothing when it would be empty.
    ///
    /// Returns whether there is a block, or nothing when it does not fit.
    /// Elements without an id in `map` are left out.
    pub(crate) fn write(&self, writer: &mut Writer<'_>, map: &ExtensionMap) -> Option<bool> {
        let mut elements = [(0, Element::EMPTY); Extension::ALL.len()];
        let mut count = 0;
        for extension in Extension::ALL {
            if let (Some(id), Some(element)) = (map.id(extension), self.element(extension)) {
                elements[count] = (id, element);
                count += 1;
            }
        }
        let elements = &elements[..count];
        if elements.is_empty() {
            return Some(false);
        }
        // No element of ours is empty or longer than 16 bytes, so only the id decides.
        let form = if elements.iter().all(|&(id, _)| id < 15) {
            Form::OneByte
        } else {
            Form::TwoByte
        };
        let header_len = match form {
            Form::OneByte => 1,
            Form::TwoByte => 2,
        };
        let len: usize = elements
            .iter()
            .map(|(_, element)| header_len + element.bytes().len())
            .sum();
        writer.u16(form.profile())?;
        writer.u16(len.div_ceil(4) as u16)?;
        for (id, element) in elements {
            let data = element.bytes();
            match form {
                Form::OneByte => writer.u8(id << 4 | (data.len() - 1) as u8)?,
                Form::TwoByte => writer.put(&[*id, data.len() as u8])?,
            }
            writer.put(data)?;
        }
        writer.pad_to_word()?;
        Some(true)
    }

    /// Takes in one element; nothing when its contents are impossible.
    fn set(&mut self, extension: Extension, data: &[u8]) -> Option<()> {
        match extension {
            Extension::Mid => self.mid = Some(Mid::new(data).ok()?),
            Extension::Rid => self.rid = Some(Rid::new(data).ok()?),
            Extension::RepairedRid => self.repaired_rid = Some(Rid::new(data).ok()?),
            Extension::AudioLevel => {
                let &[byte] = data else { return None };
                self.audio_level = Some(AudioLevel {
                    voice: byte & 0x80 != 0,
                    below_overload_db: byte & 0x7F,
                });
            }
            Extension::TransportSequence => {
                self.transport_sequence = Some(u16::from_be_bytes(data.try_into().ok()?));
            }
        }
        Some(())
    }

    fn element(&self, extension: Extension) -> Option<Element> {
        match extension {
            Extension::Mid => self.mid.map(|mid| Element::new(mid.as_str().as_bytes())),
            Extension::Rid => self.rid.map(|rid| Element::new(rid.as_str().as_bytes())),
            Extension::RepairedRid => self.repaired_rid.map(|rid| Element::new(rid.as_str().as_bytes())),
            Extension::AudioLevel => self
                .audio_level
                .map(|level| Element::new(&[u8::from(level.voice) << 7 | level.below_overload_db.min(127)])),
            Extension::TransportSequence => self
                .transport_sequence
                .map(|sequence| Element::new(&sequence.to_be_bytes())),
        }
    }
}

/// The two shapes of an extension block.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    OneByte,
    TwoByte,
}

impl Form {
    fn of_profile(profile: u16) -> Option<Self> {
        match profile {
            0xBEDE => Some(Self::OneByte),
            // The low four bits are for the application (RFC 8285 section 4.3).
            0x1000..=0x100F => Some(Self::TwoByte),
            _ => None,
        }
    }

    fn profile(self) -> u16 {
        match self {
            Self::OneByte => 0xBEDE,
            Self::TwoByte => 0x1000,
        }
    }
}

/// The data of one element on its way out, held in place.
#[derive(Clone, Copy)]
struct Element {
    bytes: [u8; crate::ids::LABEL_LEN_MAX],
    len: usize,
}

impl Element {
    const EMPTY: Self = Self {
        bytes: [0; crate::ids::LABEL_LEN_MAX],
        len: 0,
    };

    /// Of `data` of at most [`LABEL_LEN_MAX`](crate::ids::LABEL_LEN_MAX) bytes.
    fn new(data: &[u8]) -> Self {
        let mut element = Self::EMPTY;
        element.bytes[..data.len()].copy_from_slice(data);
        element.len = data.len();
        element
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests;
