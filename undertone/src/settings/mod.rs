//! What an operator can set, and where it comes from: flag, before environment, before file, before default.
//!
//! - [`declared`]: every setting, once.
//! - [`value`]: reading the words of one setting.
//! - [`mod@file`]: the configuration file.
//! - [`layers`]: which of the four places counts.
//! - [`effective`]: the settings of a server, all of them valid together.
//! - [`cli`]: the command line, made from the declarations.
//! - [`error`]: what is wrong with a setting.

pub(crate) mod cli;
pub(crate) mod declared;
pub(crate) mod effective;
mod error;
mod file;
mod layers;
mod value;

pub(crate) use cli::Order;
pub(crate) use effective::{Settings, TlsFiles};
pub(crate) use error::SettingError;
pub(crate) use layers::{Layers, Origin};
pub(crate) use value::Value;
