//! What is counted: requests by surface, route and status; their time by route. The route is its template
//! and never the path, which has ids in it.

use std::sync::OnceLock;
use std::time::Duration;

use http::StatusCode;
use telemetry::metrics::{Buckets, HotCounter, HotHistogram, Metrics};

const REQUESTS: &str = "keyward_gateway_requests_total";
const UNVERIFIED: &str = "keyward_gateway_unverified_total";
const SECONDS: &str = "keyward_gateway_request_seconds";

/// Statuses that are counted by themselves; others are one.
const STATUSES: [u16; 18] =
    [200, 400, 401, 403, 404, 405, 409, 413, 429, 503, 504, 201, 204, 406, 408, 415, 500, 501];

/// The place of a route among the counted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted(pub(crate) usize);

/// See the module.
pub(crate) struct Counts {
    metrics: Metrics,
    routes: Vec<OfRoute>,
    /// Let through without a verdict.
    pub(crate) unverified: HotCounter,
}

struct OfRoute {
    surface: &'static str,
    template: String,
    by_status: [OnceLock<HotCounter>; STATUSES.len() + 1],
    seconds: HotHistogram,
}

impl Counts {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        metrics.describe_counter(REQUESTS, "Requests answered, by surface, route and HTTP status.");
        metrics.describe_histogram(SECONDS, "From the head of a request to that of its answer.");
        metrics
            .describe_counter(UNVERIFIED, "Requests that /verify let through without a verdict.");
        let unverified = metrics.hot_counter(UNVERIFIED, &[]);
        Self { metrics: metrics.clone(), routes: Vec::new(), unverified }
    }

    /// One more route.
    pub(crate) fn add(&mut self, surface: &'static str, template: &str) -> Counted {
        let labels = [("surface", surface), ("route", template)];
        let seconds = self.metrics.hot_histogram(SECONDS, &labels, Buckets::CALLS);
        let template = template.to_owned();
        let by_status = std::array::from_fn(|_| OnceLock::new());
        self.routes.push(OfRoute { surface, template, by_status, seconds });
        Counted(self.routes.len() - 1)
    }

    /// The template of a route.
    pub(crate) fn template(&self, route: Counted) -> (&'static str, &str) {
        let route = &self.routes[route.0];
        (route.surface, &route.template)
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: Counted, status: StatusCode, took: Duration) {
        let route = &self.routes[route.0];
        route.seconds.record(took);
        let place = STATUSES.iter().position(|&known| known == status.as_u16());
        let counter = route.by_status[place.unwrap_or(STATUSES.len())].get_or_init(|| {
            let shown = place.map_or("other", |_| status.as_str());
            let labels =
                [("surface", route.surface), ("route", &route.template), ("status", shown)];
            self.metrics.hot_counter(REQUESTS, &labels)
        });
        counter.add(1);
    }
}
