//! The program's metrics: the recorder behind the `metrics` facade, the registered hot handles,
//! and the page that shows both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Key, Label as FacadeLabel, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::exposition::{Exposition, Label};
use super::footprint;
use super::histogram::{Buckets, HotHistogram};
use super::hot::HotCounter;
use crate::error::TelemetryError;

/// How often the samples of facade histograms are folded, scraped or not.
const UPKEEP: Duration = Duration::from_secs(5);

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A number's labels, sorted by name: the same number whatever the order they were given in.
type Labels = Vec<Label>;

/// The metrics of this program. Clones are the same metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    recorder: Arc<PrometheusRecorder>,
    page: PrometheusHandle,
    /// Locked when registering and rendering, never when counting.
    hot: Mutex<Hot>,
}

#[derive(Debug, Default)]
struct Hot {
    counters: BTreeMap<(&'static str, Labels), (HotCounter, ShownAs)>,
    histograms: BTreeMap<&'static str, BTreeMap<Labels, HotHistogram>>,
    help: BTreeMap<&'static str, &'static str>,
}

/// Where a hot counter's sum is shown.
struct ShownAs(Counter);

impl std::fmt::Debug for ShownAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShownAs")
    }
}

impl Metrics {
    /// The program's metrics, behind the `metrics` facade; installed when first asked for.
    ///
    /// # Errors
    /// [`TelemetryError::RecorderTaken`] when someone else installed a recorder,
    /// [`TelemetryError::Thread`] when the thread that folds samples cannot be started.
    pub fn global() -> Result<Self, TelemetryError> {
        static GLOBAL: Mutex<Option<Metrics>> = Mutex::new(None);
        let mut global = GLOBAL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*global {
            return Ok(metrics.clone());
        }
        let metrics = Metrics::apart();
        metrics::set_global_recorder(Arc::clone(&metrics.shared.recorder))
            .map_err(|_| TelemetryError::RecorderTaken)?;
        *global = Some(metrics.clone());
        keep_up(metrics.shared.page.clone())?;
        Ok(metrics)
    }

    /// Metrics that the facade does not write to: for one test, or when the facade is taken.
    pub fn apart() -> Self {
        let sizes: Vec<f64> = (0..=16).map(|power| f64::from(1_u32 << power)).collect();
        let times: Vec<f64> = Buckets::CALLS.seconds().collect();
        let recorder = PrometheusBuilder::new()
            .set_buckets(&sizes)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Suffix(String::from("_seconds")), &times)
            })
            .expect("the only refusal is an empty list, and neither is")
            .build_recorder();
        let page = recorder.handle();
        let hot = Mutex::default();
        Metrics { shared: Arc::new(Shared { recorder: Arc::new(recorder), page, hot }) }
    }

    /// The counter of this name and these labels, made when first asked for: the same labels give
    /// the same number. Names end in `_total`. Keep the handle; this is a look-up under a lock.
    pub fn hot_counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> HotCounter {
        let labels = sorted(labels);
        let mut hot = self.hot();
        let entry = hot.counters.entry((name, labels.clone())).or_insert_with(|| {
            let labels = labels.into_iter().map(|(name, value)| FacadeLabel::new(name, value));
            let key = Key::from_parts(name, labels.collect::<Vec<_>>());
            let shown = self.shared.recorder.register_counter(&key, &METADATA);
            (HotCounter::new(), ShownAs(shown))
        });
        entry.0.clone()
    }

    /// The histogram of this name and these labels, made when first asked for. Names end in
    /// `_seconds`. Asked for again with other bounds, it keeps those it has.
    pub fn hot_histogram(
        &self,
        name: &'static str,
        labels: &[(&'static str, &str)],
        buckets: Buckets,
    ) -> HotHistogram {
        let mut hot = self.hot();
        let family = hot.histograms.entry(name).or_default();
        let histogram =
            family.entry(sorted(labels)).or_insert_with(|| HotHistogram::new(buckets)).clone();
        debug_assert!(histogram.has(buckets), "{name} is registered with other bounds");
        histogram
    }

    /// Gives a counter its HELP text; the first one given stays.
    pub fn describe_counter(&self, name: &'static str, help: &'static str) {
        self.shared.recorder.describe_counter(name.into(), None, help.into());
    }

    /// Gives a gauge its HELP text; the first one given stays.
    pub fn describe_gauge(&self, name: &'static str, help: &'static str) {
        self.shared.recorder.describe_gauge(name.into(), None, help.into());
    }

    /// Gives a histogram, hot or not, its HELP text; the first one given stays.
    pub fn describe_histogram(&self, name: &'static str, help: &'static str) {
        self.shared.recorder.describe_histogram(name.into(), None, help.into());
        self.hot().help.entry(name).or_insert(help);
    }

    /// Shows `keyward_build_info{service, version} 1`.
    pub(crate) fn set_build_info(&self, service: &str, version: &str) {
        let name = "keyward_build_info";
        self.describe_gauge(name, "Always 1; its labels say what runs.");
        let service = FacadeLabel::new("service", service.to_owned());
        let version = FacadeLabel::new("version", version.to_owned());
        let key = Key::from_parts(name, vec![service, version]);
        self.shared.recorder.register_gauge(&key, &METADATA).set(1.0);
    }

    /// All metrics in Prometheus' text format, version 0.0.4.
    pub fn render(&self) -> String {
        let hot = self.hot();
        for (counter, shown) in hot.counters.values() {
            shown.0.absolute(counter.total());
        }
        let mut text = self.shared.page.render();
        let mut page = Exposition::onto(&mut text);
        for (name, family) in &hot.histograms {
            append(&mut page, name, hot.help.get(name).copied(), family);
        }
        footprint::append(&mut page);
        text
    }

    fn hot(&self) -> MutexGuard<'_, Hot> {
        // Nothing under this lock leaves the maps half-written.
        self.shared.hot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(
    page: &mut Exposition<'_>,
    name: &str,
    help: Option<&str>,
    family: &BTreeMap<Labels, HotHistogram>,
) {
    page.family(name, "histogram", help);
    for (labels, histogram) in family {
        let reading = histogram.read();
        for (bound, count) in &reading.cumulative {
            page.sample((name, "_bucket"), labels, Some(&bound.to_string()), count);
        }
        page.sample((name, "_bucket"), labels, Some("+Inf"), reading.count);
        page.sample((name, "_sum"), labels, None, reading.sum);
        page.sample((name, "_count"), labels, None, reading.count);
    }
}

fn sorted(labels: &[(&'static str, &str)]) -> Labels {
    let mut labels: Labels =
        labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    labels.sort_unstable();
    labels
}

/// Folds samples for as long as the program runs: the recorder lives that long, and without
/// folding it would keep every sample that nobody scrapes.
fn keep_up(page: PrometheusHandle) -> Result<(), TelemetryError> {
    thread::Builder::new()
        .name(String::from("metrics-upkeep"))
        .spawn(move || {
            loop {
                thread::sleep(UPKEEP);
                page.run_upkeep();
            }
        })
        .map(drop)
        .map_err(TelemetryError::Thread)
}
