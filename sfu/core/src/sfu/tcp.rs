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
            }
            peer.transport.handle_closed_path(path, now);
        }
        self.settle(key, now);
    }

    /// A connection was too slow, so packets of this slot's picture were dropped. Nothing more of it is sent until a
    /// key frame comes, and none is asked for before [`handle_tcp_drained`](Self::handle_tcp_drained): it would be in
    /// the way.
    pub fn handle_tcp_dropped(&mut self, local: SocketAddr, remote: SocketAddr, slot: u8) {
        let owner = self.demux.owner(Path::tcp(local, remote));
        if let Some(peer) = owner.and_then(|key| self.peers.get_mut(key)) {
            peer.egress.hold(slot);
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
