//! The names and meanings of this crate's metrics.
//!
//! Numbers only; how they are exported is the program's business.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};

/// Describes every metric of this crate to the installed recorder. Counters begin at zero, so that they
/// can be watched before the first time.
pub fn describe_metrics() {
    describe_histogram!("keyward_append_batch_size", Unit::Count, "Events per committed batch");
    describe_counter!(
        "keyward_append_conflicts_total",
        Unit::Count,
        "Commands refused by revision"
    );
    describe_histogram!(
        "keyward_append_duration_seconds",
        Unit::Seconds,
        "From handing a command over to its answer"
    );
    describe_counter!(
        "keyward_append_unknown_outcomes_total",
        Unit::Count,
        "Commits whose answer was lost and had to be read from the log"
    );
    describe_counter!(
        "keyward_transaction_retries_total",
        Unit::Count,
        "Transactions run again after a serialization failure or deadlock"
    );
    describe_gauge!(
        "keyward_projection_lag_positions",
        Unit::Count,
        "Events between a projection's checkpoint and the head"
    );
    describe_gauge!(
        "keyward_projection_lag_seconds",
        Unit::Seconds,
        "Age of the oldest event a projection has not applied"
    );
    describe_histogram!(
        "keyward_projection_batch_duration_seconds",
        Unit::Seconds,
        "From looking at the log to the commit of a batch"
    );
    describe_counter!(
        "keyward_projection_errors_total",
        Unit::Count,
        "Batches that a projection could not apply"
    );
    for name in [
        "keyward_append_conflicts_total",
        "keyward_append_unknown_outcomes_total",
        "keyward_transaction_retries_total",
    ] {
        counter!(name).increment(0);
    }
}
