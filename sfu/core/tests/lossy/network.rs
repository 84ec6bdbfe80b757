//! Paths that lose, delay, repeat and reorder, alone and in bursts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a network does to datagrams. Shares are of 10,000.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    pub(crate) lost: u64,
    /// How often a burst of losses begins, and how many datagrams of one direction it takes at most.
    pub(crate) bursts: u64,
    pub(crate) burst_max: u64,
    pub(crate) doubled: u64,
    /// How often a datagram is overtaken by those behind it.
    pub(crate) delayed: u64,
    /// How much longer one takes than another, in milliseconds at most.
    pub(crate) jitter_ms: u64,
}

impl Conditions {
    pub(crate) const CLEAR: Self = Self {
        lost: 0,
        bursts: 0,
        burst_max: 1,
        doubled: 0,
        delayed: 0,
        jitter_ms: 0,
    };

    /// 5 % in all: 4 % alone, and 1 % in bursts of 4 on average.
    pub(crate) const LOSSY: Self = Self {
        lost: 400,
        bursts: 25,
        burst_max: 7,
        doubled: 100,
        delayed: 200,
        jitter_ms: 4,
    };

    /// A third and more.
    pub(crate) const STORM: Self = Self {
        lost: 2_000,
        bursts: 200,
        burst_max: 20,
        doubled: 500,
        delayed: 1_000,
        jitter_ms: 4,
    };
}

/// A datagram on its way from or to a browser.
pub(crate) struct Parcel {
    pub(crate) browser: usize,
    pub(crate) is_up: bool,
    pub(crate) datagram: Vec<u8>,
}

impl Parcel {
    pub(crate) fn up(browser: usize, datagram: Vec<u8>) -> Self {
        Self {
            browser,
            is_up: true,
            datagram,
        }
    }

    pub(crate) fn down(browser: usize, datagram: Vec<u8>) -> Self {
        Self {
            browser,
            is_up: false,
            datagram,
        }
    }
}

/// One way takes 10 to 14 ms, and 22 ms when a datagram is overtaken.
pub(crate) struct Network {
    pub(crate) conditions: Conditions,
    dice: Dice,
    parcels: BTreeMap<(Instant, u64), Parcel>,
    posted: u64,
    /// How many datagrams of a browser and direction are lost in a row from now on.
    bursts: BTreeMap<(usize, bool), u64>,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            conditions: Conditions::CLEAR,
            dice: Dice::new(seed ^ 0xABCD),
            parcels: BTreeMap::new(),
            posted: 0,
            bursts: BTreeMap::new(),
        }
    }

    pub(crate) fn post(&mut self, parcel: Parcel, now: Instant) {
        let Conditions {
            lost,
            bursts,
            burst_max,
            doubled,
            delayed,
            jitter_ms,
        } = self.conditions;
        let burst = self.bursts.entry((parcel.browser, parcel.is_up)).or_default();
        if *burst == 0 && self.dice.happens(bursts) {
            *burst = 1 + self.dice.below(burst_max);
        }
        if *burst > 0 {
            *burst -= 1;
            return;
        }
        if self.dice.happens(lost) {
            return;
        }
        let copies = if self.dice.happens(doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let more_ms = if self.dice.happens(delayed) {
                12
            } else {
                self.dice.below(jitter_ms + 1)
            };
            self.posted += 1;
            let at = now + Duration::from_millis(10 + more_ms);
            let copy = Parcel {
                datagram: parcel.datagram.clone(),
                ..parcel
            };
            self.parcels.insert((at, self.posted), copy);
        }
    }

    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Parcel> {
        let first = self.parcels.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }
}

/// Numbers that depend on the seed alone (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % end
    }

    fn happens(&mut self, of_ten_thousand: u64) -> bool {
        self.below(10_000) < of_ten_thousand
    }
}
