//! The seat of congestion control.
//!
//! Nothing is controlled yet. The history keeps what an estimator needs, for the version that brings one.

pub(crate) mod history;
