//! What the machine must have before anything can be built.

pub(crate) mod debian;
pub(crate) mod node;
