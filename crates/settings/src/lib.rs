//! How a program is told its settings: by flags, then the environment, then a TOML file, and what all
//! programs of the project refuse alike. Each refusal is one line that names the flag.
//!
//! It is not a place for anyone's settings: which there are, what each is called and what it means is
//! said where the program is.

mod checks;
mod environment;
mod error;
mod file;
mod layers;
mod telemetry;

pub use checks::{metrics_listen, pair, plain_is_on_loopback, refuse, within};
pub use environment::refuse_unknown_variables;
pub use error::ConfigError;
pub use file::read_toml;
pub use telemetry::{LogFormat, TelemetryChoice};
