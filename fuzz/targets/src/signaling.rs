//! Targets for what pages send over the WebSocket.

use protocol::client::{ClientMessage, ServerMessage};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use signaling_core::negotiation::{Offer, accept};

/// An SDP answer to a fixed offer: what is accepted names only what was offered.
pub fn sdp_answer(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let offer = Offer::new(1, &mut ChaCha12Rng::seed_from_u64(7));
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
