//! What the shell tells of its TCP connections: what it dropped, when it has room again, and that one is over.

use std::net::SocketAddr;
use std::time::Instant;

use transport::Path;

use super::Sfu;

impl Sfu {
    /// Whether a peer has proven that this connection is its own.
    pub fn is_known_tcp(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.demux.owner(Path::tcp(local, remote)).is_some()
    }

    /// A connection was closed, whoever did it. What it still held is lost: its peer's pictures go on with key frames,
    /// over another path, as soon as there is one.
    pub fn handle_tcp_closed(&mut self, local: SocketAddr, remote: SocketAddr, now: Instant) {
        let path = Path::tcp(local, remote);
        let Some(key) = self.demux.owner(path) else {
            return;
        };
        self.demux.forget_path(path);
        if let Some(peer) = self.peers.get_mut(key) {
            if peer.transport.destination() == Some(path) {
                peer.egress.interrupt_all();
            } else {
                // Nothing will be told of this connection any more, so nothing is held for it either.
                peer.egress.release();
            }
            peer.transport.handle_closed_path(path, now);
        }
        self.settle(key, now);
    }

    /// A connection was too slow, so packets of this slot's picture were dropped. Nothing more of it is sent until a
    /// key frame comes, and none is asked for before [`handle_tcp_drained`](Self::handle_tcp_drained): it would be in
    /// the way.
    pub fn handle_tcp_dropped(&mut self, local: SocketAddr, remote: SocketAddr, slot: u8) {
        let path = Path::tcp(local, remote);
        let owner = self.demux.owner(path);
        if let Some(peer) = owner.and_then(|key| self.peers.get_mut(key)) {
            // Where media goes over another path by now, a key frame is in nobody's way.
            if peer.transport.destination() == Some(path) {
                peer.egress.hold(slot);
            } else {
                peer.egress.interrupt(slot);
            }
        }
    }

    /// A connection has room again: what was dropped of pictures is asked for anew.
    pub fn handle_tcp_drained(&mut self, local: SocketAddr, remote: SocketAddr) {
        let owner = self.demux.owner(Path::tcp(local, remote));
        if let Some(peer) = owner.and_then(|key| self.peers.get_mut(key)) {
            peer.egress.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rtp::{Mid, PayloadType, Ssrc};
    use transport::{Certificate, IceCredentials, SrtpKeys, SrtpProfile};

    use super::*;
    use crate::command::{Media, PeerConnection, PeerId, Repair, Slot};
    use crate::config::{Config, MediaProfile};
    use crate::egress::slot::SlotState;
    use crate::table::PeerKey;
    use crate::testing::start;

    #[test]
    fn a_picture_that_moved_to_another_path_waits_for_no_slow_connection() {
        let (mut sfu, key) = moved_to_udp();
        sfu.handle_tcp_dropped(here(), there(), 0);
        assert!(!is_held(&sfu, key), "what it dropped came over an old path");
    }

    #[test]
    fn a_picture_is_not_held_for_a_connection_that_is_over() {
        let (mut sfu, key) = moved_to_udp();
        sfu.peers.get_mut(key).unwrap().egress.hold(0);
        sfu.handle_tcp_closed(here(), there(), start());
        assert!(!is_held(&sfu, key));
    }

    fn is_held(sfu: &Sfu, key: PeerKey) -> bool {
        let slot = sfu.peers.get(key).and_then(|peer| peer.egress.slot(0));
        slot.is_some_and(SlotState::is_held)
    }

    /// A browser whose pictures go over UDP, and that has a TCP connection from before.
    fn moved_to_udp() -> (Sfu, PeerKey) {
        let mut sfu = Sfu::new(Config {
            certificate: Arc::new(Certificate::generate().unwrap()),
            media_addresses: vec![here()],
            tcp_addresses: vec![here()],
            media: MediaProfile::new([]),
            seed: 1,
        });
        let ice = || IceCredentials::new("abcd", "abcdefghijklmnopqrstuv").unwrap();
        let connection = PeerConnection {
            local_ice: ice(),
            remote_ice: ice(),
            remote_fingerprint: [0; 32],
            publications: Vec::new(),
            extensions: Vec::new(),
            slots: vec![Slot {
                mid: Mid::new("v0").unwrap(),
                media: Media::Video,
                ssrc: Ssrc(7),
                payload_types: vec![PayloadType::new(100).unwrap()],
                repair: Repair::None,
            }],
        };
        let profile = SrtpProfile::AeadAes128Gcm;
        let key = vec![1; profile.key_len() + profile.salt_len()];
        let keys = SrtpKeys::new(profile, &key, &key).unwrap();
        let udp = Path::udp(here(), there());
        assert!(sfu.add_connected_peer(PeerId(1), &connection, &keys, udp, start()));
        let key = sfu.demux.owner(udp).unwrap();
        assert!(sfu.demux.learn(Path::tcp(here(), there()), key));
        (sfu, key)
    }

    fn here() -> SocketAddr {
        ([127, 0, 0, 1], 8_080).into()
    }

    fn there() -> SocketAddr {
        ([10, 0, 0, 1], 9_000).into()
    }
}
