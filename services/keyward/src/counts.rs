//! What is counted of calls and verdicts: handles registered once, so that counting is one atomic add.

use std::time::Duration;

use api::v1::ErrorReason;
use telemetry::metrics::{Buckets, HotCounter, HotHistogram, Metrics};
use tonic::Code;

use crate::grpc::rpc::Rpc;

/// The verdicts, in the order of the wire's denials; the first is acceptance.
const VERDICTS: [&str; 14] = [
    "accepted",
    "malformed",
    "not_found",
    "revoked",
    "disabled",
    "not_yet_valid",
    "expired",
    "rotated_out",
    "workspace_suspended",
    "ip_required",
    "ip_not_allowed",
    "origin_required",
    "origin_not_allowed",
    "insufficient_scope",
];

const REFUSED: &str = "keyward_credential_refused_total";

/// Counters of this node.
#[derive(Debug)]
pub struct Counts {
    calls: Vec<[HotCounter; 17]>,
    durations: Vec<HotHistogram>,
    verdicts: [HotCounter; VERDICTS.len()],
    refused_credentials: [(ErrorReason, HotCounter); 3],
    unasked: [HotCounter; 2],
}

impl Counts {
    /// Registers every counter.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        metrics.describe_counter(
            "keyward_grpc_requests_total",
            "Calls answered, by RPC and gRPC code",
        );
        metrics.describe_histogram(
            "keyward_grpc_request_duration_seconds",
            "Time from request to answer, by RPC",
        );
        metrics.describe_counter("keyward_verdicts_total", "Verdicts, by denial or `accepted`");
        metrics.describe_gauge(
            "keyward_lease_age_seconds",
            "Time since the log was known to hold nothing newer",
        );
        metrics.describe_gauge(
            "keyward_clock_offset_seconds",
            "How far the database's clock is ahead of this machine's, at the least; behind, if negative",
        );
        metrics.describe_histogram(
            "keyward_barrier_duration_seconds",
            "Time from a commit that takes rights away until no verifier accepts the old state",
        );
        metrics.describe_counter(
            "keyward_barrier_fenced_total",
            "Verifiers that a write waited for in vain, until their leases had ended",
        );
        metrics.describe_histogram(
            "keyward_commit_to_applied_seconds",
            "Time from an event's recorded_at until this verifier had it, by this machine's clock",
        );
        metrics.describe_gauge(
            "keyward_follower_lag_positions",
            "Events in the log that the verifier has not applied",
        );
        metrics.describe_gauge(
            "keyward_follower_lag_seconds",
            "Age of the newest applied event while the verifier lags, else 0",
        );
        metrics.describe_histogram(
            "keyward_pool_wait_seconds",
            "Time to get a connection from the pool",
        );
        metrics.describe_counter(
            "keyward_command_retries_total",
            "Commands decided anew after a conflict",
        );
        let code_counter = |rpc: Rpc, code: i32| {
            let labels = [("rpc", rpc.name()), ("code", code_name(Code::from_i32(code)))];
            metrics.hot_counter("keyward_grpc_requests_total", &labels)
        };
        Self {
            calls: Rpc::ALL
                .iter()
                .map(|&rpc| {
                    std::array::from_fn(|code| code_counter(rpc, i32::try_from(code).unwrap_or(2)))
                })
                .collect(),
            durations: Rpc::ALL
                .iter()
                .map(|rpc| {
                    let name = "keyward_grpc_request_duration_seconds";
                    metrics.hot_histogram(name, &[("rpc", rpc.name())], Buckets::CALLS)
                })
                .collect(),
            verdicts: std::array::from_fn(|verdict| {
                metrics.hot_counter("keyward_verdicts_total", &[("verdict", VERDICTS[verdict])])
            }),
            refused_credentials: refused_credentials(metrics),
            unasked: unasked(metrics),
        }
    }

    /// Counts an answered call.
    #[inline]
    pub fn call(&self, rpc: Rpc, code: Code, took: Duration) {
        self.calls[rpc as usize][code as usize].add(1);
        self.durations[rpc as usize].record(took);
    }

    /// Counts a call whose caller could not be told, if that is why it was refused.
    #[cold]
    pub fn refused_credential(&self, why: ErrorReason) {
        if let Some((_, counter)) = self.refused_credentials.iter().find(|(one, _)| *one == why) {
            counter.add(1);
        }
    }

    /// Counts a request whose client was denied without a verdict.
    #[inline]
    pub fn unasked(&self, why: Unasked) {
        self.unasked[why as usize].add(1);
    }

    /// Counts a verdict: 0 for acceptance, else the wire's denial.
    #[inline]
    pub fn verdict(&self, denial: i32) {
        if let Some(counter) = usize::try_from(denial).ok().and_then(|at| self.verdicts.get(at)) {
            counter.add(1);
        }
    }
}

/// Why Envoy's client was denied before any key was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// It presented none.
    NoCredential,
    /// It presented two that differ.
    TwoCredentials,
}

fn unasked(metrics: &Metrics) -> [HotCounter; 2] {
    const NAME: &str = "keyward_ext_authz_unasked_total";
    metrics
        .describe_counter(NAME, "Requests that Envoy was told to deny without a verdict on a key");
    ["no_credential", "two_credentials"].map(|why| metrics.hot_counter(NAME, &[("why", why)]))
}

fn refused_credentials(metrics: &Metrics) -> [(ErrorReason, HotCounter); 3] {
    metrics.describe_counter(
        REFUSED,
        "Calls that came without a credential, with two, or with one that is not valid",
    );
    [
        (ErrorReason::CredentialMissing, "missing"),
        (ErrorReason::CredentialInvalid, "invalid"),
        (ErrorReason::TwoCredentials, "two"),
    ]
    .map(|(reason, why)| (reason, metrics.hot_counter(REFUSED, &[("why", why)])))
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
