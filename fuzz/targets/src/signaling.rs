//! Targets for what pages send over the WebSocket.

use protocol::bytes::DeflatedSdp;
use protocol::client::{ClientMessage, ServerMessage};
use protocol::limits::MEDIA_MEMBERS_MAX;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use signaling_core::negotiation::{Offer, Pool, accept, accept_again, inflate};

/// What Chromium answers to the fixed offer.
const ANSWER: &str = include_str!("../../../signaling/core/fixtures/answers/chromium.sdp");

fn offer() -> Offer {
    Offer::new(1, Pool::for_others(0), &mut ChaCha12Rng::seed_from_u64(7))
}

/// An SDP answer to a fixed offer: what is accepted names only what was offered.
pub fn sdp_answer(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let offer = offer();
    match accept(&offer, text) {
        Ok(connection) => {
            assert!(connection.publications.len() <= 2 && connection.slots.len() <= 13);
            assert!(
                connection
                    .publications
                    .iter()
                    .all(|it| !it.payload_types.is_empty() && it.rids.len() <= 3)
            );
        }
        // The detail goes to the page and to the log: it must not grow with the answer.
        Err(error) => assert!(error.to_string().len() < 200),
    }
}

/// The answer to a later offer, compressed or as text: it adds slots of that offer, each once, or it is refused.
pub fn sdp_answer_again(input: &[u8]) {
    let mut offer = offer();
    let Ok(agreed) = accept(&offer, ANSWER) else {
        return;
    };
    offer.grow(
        2,
        Pool::for_others(MEDIA_MEMBERS_MAX),
        &mut ChaCha12Rng::seed_from_u64(8),
    );
    let deflated = || inflate(&DeflatedSdp::new(input.to_vec()).ok()?).ok();
    let inflated = deflated();
    let text = inflated.as_ref().map(|sdp| sdp.as_str());
    let Some(text) = text.or_else(|| std::str::from_utf8(input).ok()) else {
        return;
    };
    match accept_again(&offer, &agreed, text) {
        Ok(slots) => {
            let mut mids: Vec<_> = agreed.slots.iter().chain(&slots).map(|slot| slot.mid).collect();
            mids.sort_unstable();
            mids.dedup();
            assert_eq!(mids.len(), agreed.slots.len() + slots.len());
            assert!(mids.len() <= offer.lines.len());
        }
        Err(error) => assert!(error.to_string().len() < 200),
    }
}

/// A message of a page, and as a message of the server: what is accepted survives a round trip.
pub fn client_message(input: &[u8]) {
    if let Ok(message) = ClientMessage::decode(input) {
        let again = ClientMessage::decode(message.encode().as_bytes()).map(|message| message.encode());
        assert_eq!(again, Ok(message.encode()));
    }
    if let Ok(message) = ServerMessage::decode(input) {
        assert_eq!(ServerMessage::decode(message.encode().as_bytes()), Ok(message));
    }
}
