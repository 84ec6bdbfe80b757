//! Judges the answer to a later offer for a transport that lives: it may add slots, and change nothing else.

use std::collections::BTreeSet;

use protocol::ids::Mid;
use protocol::sfu::{PeerConnection, Slot};

use super::accept::accept;
use super::offer::Offer;
use super::reason::{AnswerError, AnswerReason};

/// Reads an answer like [`accept`] and gives the slots that are not yet among the `agreed` ones.
///
/// Credentials and fingerprint have to be those of the transport. Lines that are in use stay in use, with the same
/// payload types and layers. The SSRCs that a page names for its own lines may change: a packet says by MID and RID
/// where it belongs.
pub fn accept_again(offer: &Offer, agreed: &PeerConnection, answer: &str) -> Result<Vec<Slot>, AnswerError> {
    let mut now = accept(offer, answer)?;
    if now.remote_ice != agreed.remote_ice {
        return Err(AnswerError::new(
            AnswerReason::Ice,
            "not those of the living transport",
        ));
    }
    if now.remote_fingerprint != agreed.remote_fingerprint {
        return Err(AnswerError::new(
            AnswerReason::Fingerprint,
            "not that of the living transport",
        ));
    }
    let changed = |mid| Err(AnswerError::new(AnswerReason::Changed, "not as agreed before").of(mid));
    for before in &agreed.publications {
        let is_same = now.publications.iter().any(|after| {
            after.mid == before.mid
                && after.rids == before.rids
                && same(&after.payload_types, &before.payload_types)
        });
        if !is_same {
            return changed(before.mid);
        }
    }
    if let Some(more) = now
        .publications
        .iter()
        .find(|after| !agreed.publications.iter().any(|before| before.mid == after.mid))
    {
        return changed(more.mid);
    }
    for before in &agreed.slots {
        let is_same = now
            .slots
            .iter()
            .any(|after| after.mid == before.mid && same(&after.payload_types, &before.payload_types));
        if !is_same {
            return changed(before.mid);
        }
    }
    let known: BTreeSet<Mid> = agreed.slots.iter().map(|slot| slot.mid).collect();
    now.slots.retain(|slot| !known.contains(&slot.mid));
    Ok(now.slots)
}

/// Whether two lists hold the same payload types; their order is a wish that may change.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}
