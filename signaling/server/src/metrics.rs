//! What the rooms count, for Prometheus.

use std::collections::BTreeMap;

use prometheus::{Error, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use signaling_core::Signaling;
use signaling_core::stats::Count;

/// Where the label of a count without a reason would stand.
const REASON: &str = "reason";

/// The metrics `undertone_signaling_*`.
#[derive(Debug)]
pub(crate) struct Metrics {
    counters: BTreeMap<Count, IntCounter>,
    families: Vec<IntCounterVec>,
    connections: IntGauge,
    rooms: IntGauge,
    rooms_in_use: IntGauge,
    seats_held: IntGauge,
    /// Sockets refused before they became a WebSocket.
    pub(crate) sockets_refused: IntCounter,
    /// Commands that the SFU did not take at once.
    pub(crate) sfu_busy: IntCounter,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut families: BTreeMap<&str, IntCounterVec> = BTreeMap::new();
        let mut counters = BTreeMap::new();
        for count in Count::all() {
            let family = match families.get(count.name()) {
                Some(family) => family.clone(),
                None => {
                    let name = format!("undertone_signaling_{}_total", count.name());
                    let labels: &[&str] = if count.reason().is_some() { &[REASON] } else { &[] };
                    let family = IntCounterVec::new(Opts::new(name, count.help()), labels)?;
                    families.insert(count.name(), family.clone());
                    family
                }
            };
            let values: Vec<&str> = count.reason().into_iter().collect();
            counters.insert(count, family.get_metric_with_label_values(&values)?);
        }
        Ok(Self {
            counters,
            families: families.into_values().collect(),
            connections: IntGauge::new("undertone_signaling_connections", "WebSockets that are open")?,
            rooms: IntGauge::new(
                "undertone_signaling_rooms",
                "Rooms that exist, empty ones included",
            )?,
            rooms_in_use: IntGauge::new("undertone_signaling_rooms_in_use", "Rooms that somebody is in")?,
            seats_held: IntGauge::new(
                "undertone_signaling_seats_held",
                "Seats that are held for members whose connection broke",
            )?,
            sockets_refused: IntCounter::new(
                "undertone_signaling_sockets_refused_total",
                "Requests for a WebSocket that were refused because there were too many",
            )?,
            sfu_busy: IntCounter::new(
                "undertone_signaling_sfu_busy_total",
                "Times that the SFU took no command, and was asked again later",
            )?,
        })
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), Error> {
        for family in &self.families {
            registry.register(Box::new(family.clone()))?;
        }
        for gauge in [
            &self.connections,
            &self.rooms,
            &self.rooms_in_use,
            &self.seats_held,
        ] {
            registry.register(Box::new(gauge.clone()))?;
        }
        for counter in [&self.sockets_refused, &self.sfu_busy] {
            registry.register(Box::new(counter.clone()))?;
        }
        Ok(())
    }

    /// Brings the metrics up to what the rooms have counted.
    pub(crate) fn update(&self, signaling: &Signaling) {
        for (count, number) in signaling.stats().iter() {
            if let Some(counter) = self.counters.get(&count) {
                counter.inc_by(number.saturating_sub(counter.get()));
            }
        }
        let set = |gauge: &IntGauge, number: usize| gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        set(&self.connections, signaling.connections());
        set(&self.rooms, signaling.rooms());
        set(&self.rooms_in_use, signaling.rooms_in_use());
        set(&self.seats_held, signaling.seats_held());
    }
}
