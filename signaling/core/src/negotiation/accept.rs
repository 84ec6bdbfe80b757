//! Judges an answer against the offer that it answers.

use std::collections::BTreeSet;

use protocol::bytes::{DeflatedSdp, InflateError, Sdp};
use protocol::ids::Rid;
use protocol::media::{Codec, Extension, Media, RETRANSMISSION_RTPMAP};
use protocol::sfu::{IceCredentials, PeerConnection, Publication, Repair, Slot};

use super::description::{Description, Direction, Section, Setup, Shared};
use super::offer::{Offer, OfferedLine, Role};
use super::reason::{AnswerError, AnswerReason};

/// Reads an answer and gives what the SFU needs: the lines that are in use, with what both sides accepted.
///
/// An m-line is in use unless the answer rejects it (port 0) or makes it `inactive`.
pub fn accept(offer: &Offer, answer: &str) -> Result<PeerConnection, AnswerError> {
    let description = Description::parse(answer)?;
    check_lines(offer, &description)?;
    let transport = transport(&description)?;
    let mut connection = PeerConnection {
        local_ice: offer.local_ice.clone(),
        remote_ice: transport.0,
        remote_fingerprint: transport.1,
        publications: Vec::new(),
        extensions: Vec::new(),
        slots: Vec::new(),
    };
    for (offered, section) in offer.lines.iter().zip(&description.sections) {
        if section.rejected {
            continue;
        }
        accept_line(offered, section, &description, &mut connection)
            .map_err(|error| error.of(offered.mid))?;
    }
    connection.extensions.sort_unstable_by_key(|(id, _)| *id);
    check_ssrcs(&connection)?;
    Ok(connection)
}

/// The text of a compressed answer.
pub fn inflate(answer: &DeflatedSdp) -> Result<Sdp, AnswerError> {
    answer.inflate().map_err(|error| {
        let reason = match error {
            InflateError::TooLarge => AnswerReason::TooLarge,
            InflateError::Damaged | InflateError::NotText => AnswerReason::NotSdp,
        };
        AnswerError::new(reason, "not deflated SDP within the limit")
    })
}

/// Source: RFC 3264 section 6, an answer has the m-lines of the offer, in their order.
fn check_lines(offer: &Offer, description: &Description) -> Result<(), AnswerError> {
    if offer.lines.len() != description.sections.len() {
        return Err(AnswerError::new(
            AnswerReason::OtherLines,
            "another number of m-lines than the offer",
        ));
    }
    for (offered, section) in offer.lines.iter().zip(&description.sections) {
        // A rejected m-line may lose its name, RFC 9143 section 7.3.3.
        let same_name = section.mid == Some(offered.mid) || (section.rejected && section.mid.is_none());
        if !same_name || section.media != Some(offered.media) {
            let detail = "other names or media than the offer";
            return Err(AnswerError::at(AnswerReason::OtherLines, detail, section.line).of(offered.mid));
        }
    }
    Ok(())
}

/// The credentials and the fingerprint: one of each for all m-lines in use, wherever it stands.
fn transport(description: &Description) -> Result<(IceCredentials, [u8; 32]), AnswerError> {
    let in_use = || description.sections.iter().filter(|section| !section.rejected);
    let ufrag = common(
        description,
        in_use(),
        |shared| shared.ufrag.clone(),
        AnswerReason::Ice,
    )?;
    let pwd = common(
        description,
        in_use(),
        |shared| shared.pwd.clone(),
        AnswerReason::Ice,
    )?;
    let fingerprint = common(
        description,
        in_use(),
        |shared| shared.fingerprint,
        AnswerReason::Fingerprint,
    )?;
    let setup = common(description, in_use(), |shared| shared.setup, AnswerReason::Setup)?;
    if setup != Setup::Active {
        return Err(AnswerError::new(AnswerReason::Setup, "the page has to be active"));
    }
    Ok((IceCredentials { ufrag, pwd }, fingerprint))
}

/// The value that all these m-lines share, by themselves or from above them.
fn common<'a, T: PartialEq + Clone>(
    description: &Description,
    sections: impl Iterator<Item = &'a Section>,
    value: impl Fn(&Shared) -> Option<T>,
    reason: AnswerReason,
) -> Result<T, AnswerError> {
    let above = value(&description.session);
    let mut found = None;
    for section in sections {
        // A line inside a BUNDLE group may leave transport attributes to the first, RFC 9143 section 7.1.3.
        let Some(here) = value(&section.shared).or_else(|| above.clone()) else {
            continue;
        };
        match &found {
            None => found = Some(here),
            Some(earlier) if *earlier == here => {}
            Some(_) => {
                return Err(AnswerError::at(reason, "m-lines differ", section.line));
            }
        }
    }
    found.ok_or(AnswerError::new(reason, "missing"))
}

fn accept_line(
    offered: &OfferedLine,
    section: &Section,
    description: &Description,
    connection: &mut PeerConnection,
) -> Result<(), AnswerError> {
    if !flows(offered, section)? {
        return Ok(());
    }
    if !description.bundle.contains(&offered.mid) {
        return Err(AnswerError::new(
            AnswerReason::NotBundled,
            "not in the BUNDLE group",
        ));
    }
    if !section.rtcp_mux {
        return Err(AnswerError::new(AnswerReason::NoRtcpMux, "no rtcp-mux"));
    }
    let payload_types = payload_types(offered, section)?;
    for extension in extensions(offered, section)? {
        if !connection.extensions.contains(&extension) {
            connection.extensions.push(extension);
        }
    }
    match offered.role {
        Role::Publish(kind) => connection.publications.push(Publication {
            mid: offered.mid,
            kind,
            rids: layers(offered, section)?,
            ssrcs: section.ssrcs.clone(),
            repair: match repair(offered, section, &payload_types) {
                Repair::Retransmit(()) => Repair::Retransmit(section.ssrc_pairs.clone()),
                Repair::Repeat => Repair::Repeat,
                Repair::None => Repair::None,
            },
            payload_types,
        }),
        Role::Slot {
            ssrc,
            retransmission_ssrc,
            ..
        } => {
            connection.slots.push(Slot {
                mid: offered.mid,
                media: offered.media,
                ssrc,
                repair: match (repair(offered, section, &payload_types), retransmission_ssrc) {
                    (Repair::Retransmit(()), Some(ssrc)) => Repair::Retransmit(ssrc),
                    (Repair::Repeat, _) => Repair::Repeat,
                    _ => Repair::None,
                },
                payload_types,
            });
        }
    }
    Ok(())
}

/// How lost packets of a line are sent again: only what the page accepted for every payload type that it may use.
/// Video is sent again as retransmission or not at all; a page that took one half of it gets none.
fn repair(offered: &OfferedLine, section: &Section, payload_types: &[u8]) -> Repair<()> {
    let is_asked_for = |payload_type: &u8| section.nacks.contains(payload_type);
    let is_retransmitted = |payload_type: &u8| {
        let codec = Codec::from_payload_type(*payload_type);
        let retransmission = codec.and_then(Codec::retransmission_payload_type);
        retransmission.is_some_and(|it| {
            section.payload_types.contains(&it) && section.retransmissions.contains(&(it, *payload_type))
        })
    };
    if !payload_types.iter().all(is_asked_for) {
        return Repair::None;
    }
    match offered.media {
        Media::Audio => Repair::Repeat,
        Media::Video if payload_types.iter().all(is_retransmitted) => Repair::Retransmit(()),
        Media::Video => Repair::None,
    }
}

/// Whether media flows on this line, in the direction that we offered.
fn flows(offered: &OfferedLine, section: &Section) -> Result<bool, AnswerError> {
    match (offered.role, section.direction) {
        (_, Direction::Inactive) => Ok(false),
        (Role::Publish(_), Direction::SendOnly) | (Role::Slot { .. }, Direction::ReceiveOnly) => Ok(true),
        (Role::Publish(_), _) => Err(AnswerError::new(
            AnswerReason::Direction,
            "neither sendonly nor inactive",
        )),
        (Role::Slot { .. }, _) => Err(AnswerError::new(
            AnswerReason::Direction,
            "neither recvonly nor inactive",
        )),
    }
}

/// The payload types of media. Those of retransmissions are checked here, and left out.
fn payload_types(offered: &OfferedLine, section: &Section) -> Result<Vec<u8>, AnswerError> {
    let refuse = |detail| Err(AnswerError::at(AnswerReason::PayloadType, detail, section.line));
    let mut of_media = Vec::with_capacity(section.payload_types.len());
    for payload_type in &section.payload_types {
        let codec = Codec::from_payload_type(*payload_type);
        let repaired = Codec::from_retransmission_payload_type(*payload_type);
        let Some(known) = codec
            .or(repaired)
            .filter(|codec| Codec::of(offered.media).contains(codec))
        else {
            return refuse("payload type that was not offered");
        };
        let expected = codec.map_or(RETRANSMISSION_RTPMAP, Codec::rtpmap);
        let mut meanings = section
            .rtpmaps
            .iter()
            .filter(|(number, _)| number == payload_type);
        if meanings.any(|(_, meaning)| !meaning.eq_ignore_ascii_case(expected)) {
            return refuse("payload type with another meaning than offered");
        }
        let mut targets = section
            .retransmissions
            .iter()
            .filter(|(number, _)| number == payload_type);
        if targets.any(|(_, target)| repaired.is_none() || *target != known.payload_type()) {
            return refuse("retransmission of another payload type than offered");
        }
        of_media.extend(codec.map(Codec::payload_type));
    }
    if of_media.is_empty() {
        return refuse("no payload type");
    }
    Ok(of_media)
}

fn extensions(offered: &OfferedLine, section: &Section) -> Result<Vec<(u8, Extension)>, AnswerError> {
    let mut accepted = Vec::with_capacity(section.extensions.len());
    for (id, uri) in &section.extensions {
        let extension = offered
            .extensions()
            .iter()
            .find(|extension| extension.id() == *id);
        match extension.filter(|extension| extension.uri() == uri) {
            Some(extension) => accepted.push((*id, *extension)),
            None => {
                let detail = "extension that was not offered under this id";
                return Err(AnswerError::at(AnswerReason::Extension, detail, section.line));
            }
        }
    }
    Ok(accepted)
}

/// The simulcast layers of a line, in the order of the offer; none where a single stream is sent.
fn layers(offered: &OfferedLine, section: &Section) -> Result<Vec<Rid>, AnswerError> {
    let refuse = |detail| Err(AnswerError::at(AnswerReason::Rid, detail, section.line));
    let mut layers = Vec::new();
    for wanted in offered.rids() {
        layers.extend(
            section
                .simulcast
                .iter()
                .copied()
                .filter(|rid| rid.as_str() == *wanted),
        );
    }
    if layers.len() != section.simulcast.len() {
        return refuse("layer that was not offered");
    }
    if layers.iter().collect::<BTreeSet<_>>().len() != layers.len() {
        return refuse("layer named twice");
    }
    if section.simulcast.iter().any(|rid| !section.rids.contains(rid)) {
        return refuse("simulcast layer without its rid line");
    }
    Ok(layers)
}

/// An SSRC belongs to one line, and never to one of our slots.
fn check_ssrcs(connection: &PeerConnection) -> Result<(), AnswerError> {
    let mut taken = BTreeSet::new();
    for slot in &connection.slots {
        taken.insert(slot.ssrc);
        if let Repair::Retransmit(ssrc) = slot.repair {
            taken.insert(ssrc);
        }
    }
    for publication in &connection.publications {
        let mut own: BTreeSet<u32> = publication.ssrcs.iter().copied().collect();
        if let Repair::Retransmit(pairs) = &publication.repair {
            own.extend(pairs.iter().flat_map(|(stream, again)| [*stream, *again]));
        }
        if own.into_iter().any(|ssrc| !taken.insert(ssrc)) {
            return Err(AnswerError::new(AnswerReason::Ssrc, "SSRC claimed twice").of(publication.mid));
        }
    }
    Ok(())
}
