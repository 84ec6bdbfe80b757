//! What is remembered per synchronisation source, bounded in number.

use crate::limits;
use crate::srtp::error::SrtpError;

/// A small map from SSRC to what is remembered about it.
///
/// Sorted, so that a lookup is a binary search; the source of the last packet is tried first, because packets come
/// in runs. Nothing is ever evicted: forgetting what was seen would let it be replayed, and forgetting what was sent
/// would let an index be used twice.
#[derive(Debug, Default)]
pub(crate) struct Contexts<T> {
    entries: Vec<(u32, T)>,
    last: usize,
}

impl<T> Contexts<T> {
    /// An empty map.
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            last: 0,
        }
    }

    /// What is remembered about a source; `None` when it is new. Fails when it is new and there is no room for it.
    pub(crate) fn find(&mut self, ssrc: u32) -> Result<Option<&mut T>, SrtpError> {
        if self
            .entries
            .get(self.last)
            .is_none_or(|(known, _)| *known != ssrc)
        {
            match self.entries.binary_search_by_key(&ssrc, |(known, _)| *known) {
                Ok(position) => self.last = position,
                Err(_) if self.entries.len() >= limits::SSRCS_MAX => return Err(SrtpError::TooManySsrcs),
                Err(_) => return Ok(None),
            }
        }
        Ok(self.entries.get_mut(self.last).map(|(_, context)| context))
    }

    /// Adds a source that [`find`](Self::find) did not know.
    pub(crate) fn add(&mut self, ssrc: u32, context: T) {
        let position = self.entries.partition_point(|(known, _)| *known < ssrc);
        self.entries.insert(position, (ssrc, context));
        self.last = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_in_any_order() {
        let mut contexts = Contexts::new();
        for ssrc in [7, 3, 9, 1, 8] {
            assert!(contexts.find(ssrc).unwrap().is_none());
            contexts.add(ssrc, ssrc * 10);
        }
        for ssrc in [9, 1, 1, 3, 8, 7] {
            assert_eq!(contexts.find(ssrc), Ok(Some(&mut (ssrc * 10))));
        }
        assert_eq!(contexts.find(2), Ok(None));
    }

    #[test]
    fn a_source_too_many_is_refused_and_the_others_stay() {
        let mut contexts = Contexts::new();
        for ssrc in 0..limits::SSRCS_MAX as u32 {
            contexts.add(ssrc, ());
        }
        assert_eq!(contexts.find(1_000_000), Err(SrtpError::TooManySsrcs));
        assert_eq!(contexts.find(17), Ok(Some(&mut ())));
    }
}
