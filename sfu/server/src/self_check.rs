//! Asks our own media addresses whether they answer, as a browser's first packet would.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use transport::stun::{self, TransactionId};

use crate::limits::{SELF_CHECK_TRIES, SELF_CHECK_WAIT};
use crate::random;

/// What one media address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfCheck {
    /// The address that was asked.
    pub address: SocketAddr,
    /// Whether it answered, and with the right address of the asker.
    pub is_answered: bool,
}

/// Sends a plain STUN binding request to an address and waits for the answer, about a second at most.
pub(crate) fn check(address: SocketAddr) -> SelfCheck {
    SelfCheck {
        address,
        is_answered: ask(address).unwrap_or(false),
    }
}

fn ask(address: SocketAddr) -> io::Result<bool> {
    let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0))?;
    socket.connect(address)?;
    let own = socket.local_addr()?;
    for _ in 0..SELF_CHECK_TRIES {
        let mut transaction: TransactionId = Default::default();
        random::fill(&mut transaction)?;
        socket.send(&stun::plain_binding_request(transaction))?;
        let until = Instant::now() + SELF_CHECK_WAIT;
        while let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            socket.set_read_timeout(Some(left))?;
            let mut answer = [0; 128];
            // A refusal (nobody listens) comes as an error too; the next try asks again.
            let Ok(len) = socket.recv(&mut answer) else { break };
            let answer = answer.get(..len).unwrap_or_default();
            if stun::parse_plain_binding_response(answer, transaction) == Some(own) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
