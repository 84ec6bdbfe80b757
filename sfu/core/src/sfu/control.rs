//! Commands, and what becomes of a transport: connected, closed, forgotten.

use std::time::Instant;

use rtp::Mid;
use transport::{CloseReason, Path, Role, SrtpKeys, Transport, TransportConfig, TransportEvent};

use super::Sfu;
use crate::command::{Command, Event, PeerClosedReason, PeerConnection, PeerId, Slot, SourceKind};
use crate::egress::slot::SlotState;
use crate::limits::PEERS_MAX;
use crate::peer::{FEEDBACK_SSRC, Peer, is_within_limits};
use crate::router::{SourceKey, Target};
use crate::stats::DropReason;
use crate::table::PeerKey;

impl Sfu {
    /// Obeys an order of signaling.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        let obeyed = match command {
            Command::AddPeer { peer, connection } => {
                let added = self.add_peer(peer, &connection, now);
                if added.is_err() && self.peers.key(peer).is_none() {
                    self.push_event(Event::PeerClosed {
                        peer,
                        reason: PeerClosedReason::Overload,
                    });
                }
                added
            }
            Command::Bind {
                subscriber,
                slot,
                source,
            } => self.bind(subscriber, slot, source, now),
            Command::AddSlots { peer, slots } => self.add_slots(peer, &slots),
            Command::RemovePeer { peer } => self.dismiss_peer(peer),
        };
        if let Err(reason) = obeyed {
            self.stats.drop_one(reason);
        }
    }

    /// Adds a peer that is connected from the start, over one path and with given keys: for simulations.
    ///
    /// Returns whether it was added.
    pub fn add_connected_peer(
        &mut self,
        peer: PeerId,
        connection: &PeerConnection,
        keys: &SrtpKeys,
        path: Path,
        now: Instant,
    ) -> bool {
        let transport = Transport::from_srtp_keys(keys, path);
        let Ok(key) = self.insert(peer, connection, transport, now) else {
            return false;
        };
        self.demux.learn(path, key);
        self.settle(key, now);
        true
    }

    fn add_peer(
        &mut self,
        peer: PeerId,
        connection: &PeerConnection,
        now: Instant,
    ) -> Result<(), DropReason> {
        let config = TransportConfig {
            role: Role::Server,
            local_ice: connection.local_ice.clone(),
            remote_ice: connection.remote_ice.clone(),
            remote_fingerprint: connection.remote_fingerprint,
            certificate: self.certificate.clone(),
            local_addresses: self.media_addresses.clone(),
            local_tcp_addresses: self.tcp_addresses.clone(),
            remote_addresses: Vec::new(),
            remote_tcp_addresses: Vec::new(),
        };
        let transport = Transport::new(config, now).map_err(|_| DropReason::CommandRefused)?;
        let key = self.insert(peer, connection, transport, now)?;
        self.settle(key, now);
        Ok(())
    }

    fn insert(
        &mut self,
        peer: PeerId,
        connection: &PeerConnection,
        transport: Transport,
        now: Instant,
    ) -> Result<PeerKey, DropReason> {
        let is_taken =
            self.peers.key(peer).is_some() || self.demux.ufrag_owner(connection.local_ice.ufrag()).is_some();
        if is_taken || self.peers.len() >= PEERS_MAX || !is_within_limits(connection) {
            return Err(DropReason::CommandRefused);
        }
        let state = Peer::new(peer, connection, transport, &mut self.random, now);
        let key = self.peers.insert(peer, state);
        self.demux.expect(connection.local_ice.ufrag(), key);
        Ok(key)
    }

    fn add_slots(&mut self, peer: PeerId, slots: &[Slot]) -> Result<(), DropReason> {
        let key = self.peers.key(peer).ok_or(DropReason::CommandUnknown)?;
        let peer = self.peers.get_mut(key).ok_or(DropReason::CommandUnknown)?;
        let is_free = slots
            .iter()
            .flat_map(SlotState::ssrcs)
            .all(|ssrc| ssrc != FEEDBACK_SSRC);
        if is_free && peer.egress.add(slots, &mut self.random) {
            Ok(())
        } else {
            Err(DropReason::CommandRefused)
        }
    }

    fn bind(
        &mut self,
        subscriber: PeerId,
        slot: Mid,
        source: Option<(PeerId, SourceKind)>,
        now: Instant,
    ) -> Result<(), DropReason> {
        let target_key = self.peers.key(subscriber).ok_or(DropReason::CommandUnknown)?;
        let source = source.map(|source| self.source_key(source)).transpose()?;
        let subscriber = self.peers.get_mut(target_key).ok_or(DropReason::CommandUnknown)?;
        let position = subscriber
            .egress
            .position(slot)
            .ok_or(DropReason::CommandUnknown)?;
        let target = Target {
            peer: target_key,
            slot: position,
        };
        let state = subscriber
            .egress
            .slot_mut(position)
            .ok_or(DropReason::CommandUnknown)?;
        let bound = source.map(|(source, _)| source);
        if self.router.source(target) == bound {
            return Ok(());
        }
        let Some((source, kind)) = source else {
            state.reset();
            self.router.unbind(target);
            return Ok(());
        };
        if state.media() != kind.media() || source.peer == target_key {
            return Err(DropReason::CommandRefused);
        }
        state.reset();
        let is_connected = subscriber.transport.is_connected();
        self.router
            .bind(target, source)
            .map_err(|_| DropReason::CommandRefused)?;
        if is_connected {
            self.want_key_frame(source, now);
        }
        Ok(())
    }

    fn source_key(&self, (peer, kind): (PeerId, SourceKind)) -> Result<(SourceKey, SourceKind), DropReason> {
        let key = self.peers.key(peer).ok_or(DropReason::CommandUnknown)?;
        let publication = self
            .peers
            .get(key)
            .and_then(|peer| peer.ingress.publication(kind))
            .ok_or(DropReason::CommandUnknown)?;
        Ok((
            SourceKey {
                peer: key,
                publication,
            },
            kind,
        ))
    }

    /// Asks a source for a key frame of the layer that its subscribers should receive.
    fn want_key_frame(&mut self, source: SourceKey, now: Instant) {
        let Some(publisher) = self.peers.get_mut(source.peer) else {
            return;
        };
        if let Some(ssrc) = publisher
            .ingress
            .want_preferred_key_frame(source.publication, now)
        {
            self.send_key_frame_request(source.peer, ssrc);
        }
    }

    /// Removes a peer, and tells it that this was no accident (`close_notify`).
    fn dismiss_peer(&mut self, peer: PeerId) -> Result<(), DropReason> {
        let mut transport = self.remove_peer(peer)?;
        transport.close();
        while let Some(farewell) = transport.poll_transmit() {
            self.transmit.push_copy(farewell.path, None, &farewell.payload)?;
        }
        Ok(())
    }

    fn remove_peer(&mut self, peer: PeerId) -> Result<Transport, DropReason> {
        let (key, removed) = self.peers.remove(peer).ok_or(DropReason::CommandUnknown)?;
        self.demux.forget(key);
        self.timers.forget(key);
        self.transmit.forget(key);
        for target in self.router.forget(key) {
            let subscriber = self.peers.get_mut(target.peer);
            if let Some(slot) = subscriber.and_then(|subscriber| subscriber.egress.slot_mut(target.slot)) {
                slot.reset();
            }
        }
        Ok(removed.transport)
    }

    /// Takes what the transport of a peer has to send and to tell, and sets its next deadline.
    pub(super) fn settle(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let id = peer.id;
        let mut connected = false;
        let mut closed = None;
        while let Some(event) = peer.transport.poll_event() {
            match event {
                TransportEvent::Connected { .. } => connected = true,
                TransportEvent::Closed(reason) => closed = Some(reason),
            }
        }
        // A farewell outlives its peer; everything else is dropped with it.
        let owner = closed.is_none().then_some(key);
        while let Some(transmit) = peer.transport.poll_transmit() {
            let queued = self.transmit.push_copy(transmit.path, owner, &transmit.payload);
            if queued.is_err() {
                self.stats.drop_one(DropReason::TransmitQueueFull);
            }
        }
        let deadline = peer.deadline();
        if connected {
            self.connected(key, id, now);
        }
        match (closed, deadline) {
            (Some(reason), _) => self.closed(id, reason),
            (None, Some(at)) => self.timers.arm_no_later(key, at),
            (None, None) => {}
        }
    }

    fn connected(&mut self, key: PeerKey, id: PeerId, now: Instant) {
        self.stats.peers_connected += 1;
        self.push_event(Event::PeerConnected { peer: id });
        for source in self.router.sources(key) {
            self.want_key_frame(source, now);
        }
    }

    fn closed(&mut self, id: PeerId, reason: CloseReason) {
        let reason = match reason {
            CloseReason::FingerprintMismatch => PeerClosedReason::FingerprintMismatch,
            CloseReason::DtlsFailed => PeerClosedReason::DtlsFailed,
            CloseReason::IceTimeout => PeerClosedReason::IceTimeout,
            CloseReason::ClosedByPeer => PeerClosedReason::ClosedByPeer,
            CloseReason::Unreachable => PeerClosedReason::Unreachable,
        };
        self.stats.peers_closed += 1;
        if self.remove_peer(id).is_ok() {
            self.push_event(Event::PeerClosed { peer: id, reason });
        }
    }
}
