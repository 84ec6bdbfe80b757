//! A network that loses, repeats, delays and damages datagrams.

use crate::packets::Dice;

/// How many later datagrams may overtake one that is held back.
const OVERTAKEN_MAX: usize = 400;

/// Bytes of a packet that name its source and its place: version to SSRC.
const RTP_FIXED_HEADER: usize = 12;

/// A packet on its way.
#[derive(Clone)]
pub(crate) struct Datagram {
    pub(crate) is_rtcp: bool,
    /// Whether nothing of its source was sealed before.
    pub(crate) is_first_of_source: bool,
    /// What was sealed.
    pub(crate) plain: Vec<u8>,
    /// What is on the wire.
    pub(crate) wire: Vec<u8>,
}

/// Datagrams that are held back, each with how many must still overtake it.
#[derive(Default)]
pub(crate) struct Network {
    held: Vec<(usize, Datagram)>,
}

impl Network {
    /// Takes a datagram in; answers what arrives now.
    ///
    /// The first datagram of a source always arrives, whole and in its turn. Otherwise the receivers start at
    /// different places: `rtc-srtp` starts its replay window at the first packet that claims to be of a source, before
    /// it is found authentic, and we start at the first authentic one.
    pub(crate) fn send(&mut self, datagram: Datagram, dice: &mut Dice) -> Vec<Datagram> {
        let mut arrivals = Vec::new();
        self.held.retain_mut(|(overtakers, held)| {
            if *overtakers == 0 {
                arrivals.push(held.clone());
                return false;
            }
            *overtakers -= 1;
            true
        });
        match dice.below(100) {
            _ if datagram.is_first_of_source => arrivals.push(datagram),
            0..=4 => {}
            5..=9 => {
                arrivals.push(datagram.clone());
                self.held.push((dice.below(OVERTAKEN_MAX), datagram));
            }
            10..=24 => {
                let overtakers = if dice.one_in(2) { 3 } else { OVERTAKEN_MAX };
                self.held.push((dice.below(overtakers), datagram));
            }
            25..=28 => {
                arrivals.push(damaged(&datagram, dice));
                arrivals.push(datagram);
            }
            _ => arrivals.push(datagram),
        }
        arrivals
    }

    /// Everything that is still on its way.
    pub(crate) fn flush(&mut self) -> Vec<Datagram> {
        self.held.drain(..).map(|(_, datagram)| datagram).collect()
    }
}

/// With one bit wrong, or cut. What names the source stays whole, for the reason given at [`Network::send`].
fn damaged(datagram: &Datagram, dice: &mut Dice) -> Datagram {
    let mut damaged = datagram.clone();
    let from = RTP_FIXED_HEADER;
    if dice.one_in(4) {
        damaged
            .wire
            .truncate(from + dice.below(damaged.wire.len() - from));
    } else {
        let place = from + dice.below(damaged.wire.len() - from);
        damaged.wire[place] ^= 1 << dice.below(8);
    }
    damaged
}
