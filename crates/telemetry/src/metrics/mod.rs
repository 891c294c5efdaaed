//! Counting: the program's recorder, handles for the hot path, and the page Prometheus reads.
//!
//! Code off the hot path uses the `metrics` facade's macros. Code on it registers a [`HotCounter`]
//! or a [`HotHistogram`] once and keeps it. Buckets of facade histograms go by the name's suffix:
//! `_seconds` from 50 us to 10 s, all else (`_size` above all) by powers from 1 to 65,536.
//!
//! One name belongs to one kind: a hot histogram must not share its name with a facade metric.

mod exposition;
mod footprint;
mod histogram;
mod hot;
mod recorder;
mod server;
mod shard;

pub use histogram::{Buckets, HotHistogram};
pub use hot::HotCounter;
pub use recorder::Metrics;
pub use server::MetricsServer;
