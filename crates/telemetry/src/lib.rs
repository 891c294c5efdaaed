//! What operators see of a Keyward service: logs, traces, metrics, and W3C trace propagation.
//!
//! [`Telemetry::start`] is called once by a binary. Logs go to standard error. Spans are exported
//! by OTLP only when an endpoint is given, and only those of the targets the caller names.
//! [`Sampler`] decides *before* a span is made, because making the span is the dear part.
//! [`metrics::Metrics`] counts: by the `metrics` facade everywhere, by [`metrics::HotCounter`] and
//! [`metrics::HotHistogram`] where a look-up would be felt.
//!
//! It is not a place for the names of anyone's metrics or spans, and it knows no other crate of
//! the project.

mod error;
mod export;
mod logs;
pub mod metrics;
mod options;
mod propagation;
mod sampler;
mod telemetry;
mod trace_parent;

pub use error::TelemetryError;
pub use options::{LogFormat, TelemetryOptions};
pub use propagation::{continue_trace, current_traceparent};
pub use sampler::{SampleDecision, Sampler};
pub use telemetry::Telemetry;
pub use trace_parent::{InvalidTraceParent, TraceParent};
