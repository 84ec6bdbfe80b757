//! The media server inside this process: starting it, and asking whether it can be reached.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use protocol::sfu::SfuEvent;
use sfu_server::{SelfCheck, SfuHandle, SfuOptions, SfuServer};
use tokio::sync::mpsc::{self, Receiver};

use crate::error::StartError;
use crate::port::TakeMedia;

/// Reports of the SFU that wait for signaling, which takes them at once. A peer makes at most two in its life,
/// and the SFU holds at most 1,000 peers.
const EVENTS_MAX: usize = 4_096;

/// Starts the media server on a port that is not 0, with the TCP of the same number; answers its handle and what
/// it will report.
pub(crate) fn start(addresses: &[IpAddr], port: u16) -> Result<(SfuHandle, Receiver<SfuEvent>), StartError> {
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let on_event = move |event| {
        // Signaling that has ended needs no reports; one that does not keep up is our bug.
        if let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(event) {
            tracing::error!("signaling does not take the reports of the SFU; one is lost");
        }
    };
    let options = SfuOptions {
        media_addresses: addresses.to_vec(),
        port,
        tcp_addresses: addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect(),
        #[cfg(feature = "capture")]
        tap: crate::capture::tap()?,
    };
    Ok((SfuServer::start(options, Box::new(on_event))?, events))
}

/// Where the accept loop brings connections that speak media.
pub(crate) fn door(sfu: &SfuHandle) -> TakeMedia {
    let sfu = sfu.clone();
    Arc::new(move |stream| {
        // The media server has closed and counted what it did not take.
        let _ = sfu.take_tcp(stream);
    })
}

/// Whether another port could succeed where this start failed.
pub(crate) fn is_port_in_use(error: &StartError) -> bool {
    matches!(
        error,
        StartError::PortInUse { .. } | StartError::Media(sfu_server::StartError::PortInUse(_))
    )
}

/// Says what an address answered to our own question, for the operator.
pub(crate) fn in_words(check: &SelfCheck) -> String {
    let SelfCheck { address, is_answered } = check;
    if *is_answered {
        format!("Media: UDP {address} answered.")
    } else {
        format!(
            "Media: UDP {address} DID NOT ANSWER, so browsers will not reach it there either. \
             Look for a firewall on this machine, or name other addresses with --media-address."
        )
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn an_address_that_did_not_answer_is_named_with_a_remedy() {
        let address = "127.0.0.1:8080".parse().expect("an address");
        let words = in_words(&SelfCheck {
            address,
            is_answered: false,
        });
        assert!(
            words.contains("127.0.0.1:8080") && words.contains("--media-address"),
            "{words}"
        );
    }

    #[test]
    fn a_taken_port_is_recognised() {
        let other = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let port = other.local_addr().expect("bound").port();
        let error = start(&[IpAddr::from([127, 0, 0, 1])], port).expect_err("it is taken");
        assert!(is_port_in_use(&error), "{error}");
    }

    #[test]
    fn a_port_that_is_taken_for_tcp_is_recognised_too() {
        let address = ([127, 0, 0, 1], 8_080).into();
        let taken = std::io::ErrorKind::AddrInUse.into();
        let error = StartError::binding(crate::error::Purpose::Media, address, taken);
        assert!(is_port_in_use(&error), "{error}");
    }
}
