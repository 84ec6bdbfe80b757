//! Writes what crosses the SFU core's edge to a file, so that a test can search it for plaintext.
//!
//! A record is: direction (u8: 0 in, 1 out), microseconds since the start (u64), length (u32), bytes; numbers in
//! network order. Exists only in builds with the feature `capture`.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use sfu_core::{Direction, Tap};

use crate::error::StartError;

/// The variable that names the file.
const VARIABLE: &str = "UNDERTONE_CAPTURE";

/// The tap, when the variable asks for one.
pub(crate) fn tap() -> Result<Option<Tap>, StartError> {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return Ok(None);
    };
    let mut file = File::create(path).map_err(StartError::Capture)?;
    let start = Instant::now();
    Ok(Some(Box::new(move |direction, packet| {
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        // One write for each record: a reader never sees half of one that is followed by another.
        if let Err(error) = file.write_all(&record(direction, micros, packet)) {
            tracing::error!(%error, "the capture cannot be written");
        }
    })))
}

fn record(direction: Direction, micros: u64, packet: &[u8]) -> Vec<u8> {
    let direction = match direction {
        Direction::In => 0,
        Direction::Out => 1,
    };
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let mut record = vec![direction];
    record.extend(micros.to_be_bytes());
    record.extend(length.to_be_bytes());
    record.extend(packet);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_direction_time_length_and_bytes() {
        let expected = [&[1][..], &[0, 0, 0, 0, 0, 0, 1, 2], &[0, 0, 0, 3], b"abc"].concat();
        assert_eq!(record(Direction::Out, 258, b"abc"), expected);
        assert_eq!(record(Direction::In, 0, b"")[0], 0);
    }
}
