//! One connection, from its first byte to its end.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use prometheus::IntGauge;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::counters::{Counters, Refused, Taken};
use super::doors::{self, Doors};
use super::first_byte::{Speaks, speaks};
use super::http;
use crate::limits::{FIRST_BYTE_TIME, FIRST_BYTE_TIME_CROWDED, HANDSHAKE_TIME};
use crate::tls::Offer;

/// What every connection of a port shares.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) counters: Counters,
    /// A permit for each connection that has not said anything yet.
    pub(super) silent: Arc<Semaphore>,
    /// How many of these permits there are.
    pub(super) silent_max: usize,
    /// A permit for each connection in HTTP and TLS.
    pub(super) http: Arc<Semaphore>,
    pub(super) stop: watch::Receiver<bool>,
}

/// What the address is for that the connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressUse {
    /// Page, signaling and media.
    Everything,
    /// Media only.
    Media,
}

impl Shared {
    /// Serves a connection that was just accepted. `silence` is its permit to say nothing for a while.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        address_use: AddressUse,
        silence: OwnedSemaphorePermit,
    ) {
        let mut stop = self.stop.clone();
        let first = {
            let _silent = Counted::new(&self.counters.silent);
            tokio::select! {
                first = self.first_byte(&stream) => first,
                () = http::stopped(&mut stop) => return,
            }
        };
        drop(silence);
        let turned_away = match first {
            Ok(Speaks::Media) => self.media(stream),
            Ok(Speaks::Tls) => self.tls(stream, peer, address_use).await,
            Ok(Speaks::Http) => self.plain(stream, peer, address_use).await,
            Ok(Speaks::Unknown) => Err(Refused::UnknownProtocol),
            Err(refused) => Err(refused),
        };
        if let Err(refused) = turned_away {
            self.counters.refuse(refused);
            tracing::trace!(?refused, "a connection was turned away");
        }
    }

    /// Waits for the first byte and leaves it where it is.
    async fn first_byte(&self, stream: &TcpStream) -> Result<Speaks, Refused> {
        let is_crowded = self.silent.available_permits() < self.silent_max / 2;
        let time = if is_crowded {
            FIRST_BYTE_TIME_CROWDED
        } else {
            FIRST_BYTE_TIME
        };
        let mut byte = [0];
        match timeout(time, stream.peek(&mut byte)).await {
            Ok(Ok(1..)) => Ok(speaks(byte[0])),
            Ok(Ok(0) | Err(_)) => Err(Refused::LeftSilent),
            Err(_) => Err(Refused::Silent),
        }
    }

    fn media(&self, stream: TcpStream) -> Result<(), Refused> {
        let take = self.doors.media.as_ref().ok_or(Refused::MediaNotTaken)?;
        // An error means that the runtime ends.
        let stream = stream.into_std().map_err(|_| Refused::MediaNotTaken)?;
        self.counters.take(Taken::Media);
        take(stream);
        Ok(())
    }

    async fn plain(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        address_use: AddressUse,
    ) -> Result<(), Refused> {
        let _permit = self.http_permit()?;
        let _counted = Counted::new(&self.counters.http);
        let (routes, refused) = match (address_use, &self.doors.tls) {
            (_, Some(_)) => (doors::https_only(), Some(Refused::PlainHttp)),
            (AddressUse::Media, None) => (doors::media_only(), Some(Refused::HttpOnMediaAddress)),
            (AddressUse::Everything, None) => (self.doors.routes.clone(), None),
        };
        if refused.is_none() {
            self.counters.take(Taken::Http);
        }
        http::serve(stream, peer, routes, self.stop.clone()).await;
        refused.map_or(Ok(()), Err)
    }

    async fn tls(&self, stream: TcpStream, peer: SocketAddr, address_use: AddressUse) -> Result<(), Refused> {
        let offer: &Offer = self.doors.tls.as_ref().ok_or(Refused::TlsNotSet)?;
        let _permit = self.http_permit()?;
        let _counted = Counted::new(&self.counters.http);
        let acceptor = TlsAcceptor::from(offer.borrow().clone());
        let handshake = timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await;
        let stream = handshake
            .map_err(|_| Refused::TlsSlow)?
            .map_err(|_| Refused::TlsFailed)?;
        let routes: Router = match address_use {
            AddressUse::Everything => self.doors.routes.clone(),
            AddressUse::Media => doors::media_only(),
        };
        match address_use {
            AddressUse::Everything => self.counters.take(Taken::Tls),
            AddressUse::Media => self.counters.refuse(Refused::HttpOnMediaAddress),
        }
        http::serve(stream, peer, routes, self.stop.clone()).await;
        Ok(())
    }

    fn http_permit(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let permit = Arc::clone(&self.http).try_acquire_owned();
        permit.map_err(|_| Refused::TooManyHttp)
    }
}

/// One more on a gauge, for as long as it lives.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
