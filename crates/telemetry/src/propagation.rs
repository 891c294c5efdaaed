//! Between our spans and the wire: a caller's trace goes into a span, and a span's place in its
//! trace comes out as text. Which requests get a span is decided by [`crate::Sampler`], not here.

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler as SdkSampler, SamplingResult, ShouldSample};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::sampler::SampleDecision;
use crate::trace_parent::TraceParent;

/// Marks a context whose new root span was sampled by [`crate::Sampler`] already.
#[derive(Debug)]
struct Decided;

/// Gives a fresh span its place: in the caller's trace, or at the start of a sampled one.
///
/// Call it between making `span` and entering it; later it has no effect. Without an exporter it
/// has none either.
pub fn continue_trace(span: &Span, decision: &SampleDecision) {
    let parent = match decision {
        SampleDecision::Skip => return,
        SampleDecision::Root => Context::new().with_value(Decided),
        SampleDecision::Child(parent) => {
            Context::new().with_remote_span_context(remote_context(parent))
        }
    };
    // Refusals mean that this span is not exported or was entered: both leave it as it is.
    let _placed = span.set_parent(parent);
}

/// The place of the current span in its trace, as a `traceparent` to store or to send on.
///
/// Without an exported current span it is the caller's own, if that is well formed.
pub fn current_traceparent(callers: Option<&str>) -> Option<String> {
    let context = Span::current().context();
    let current = from_context(context.span().span_context());
    current.or_else(|| TraceParent::parse(callers?).ok()).map(|parent| parent.to_string())
}

fn remote_context(parent: &TraceParent) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(parent.trace_id()),
        SpanId::from_bytes(parent.span_id()),
        TraceFlags::default().with_sampled(parent.sampled()),
        true,
        TraceState::NONE,
    )
}

fn from_context(context: &SpanContext) -> Option<TraceParent> {
    TraceParent::new(
        context.trace_id().to_bytes(),
        context.span_id().to_bytes(),
        context.is_sampled(),
    )
    .ok()
}

/// The sampler inside the exporter. A span in a trace follows its parent; a root that
/// [`crate::Sampler`] decided on is taken; any other root (work that no request started, such as a
/// projection's batch) is taken by the ratio.
#[derive(Clone, Debug)]
pub(crate) struct ExportSampler {
    others: SdkSampler,
}

impl ExportSampler {
    pub(crate) fn new(ratio: f64) -> Self {
        ExportSampler { others: SdkSampler::TraceIdRatioBased(ratio) }
    }
}

impl ShouldSample for ExportSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent_context.map(|context| context.span().span_context().clone());
        let follow = match parent.filter(SpanContext::is_valid) {
            Some(parent) if parent.is_sampled() => &SdkSampler::AlwaysOn,
            Some(_) => &SdkSampler::AlwaysOff,
            None if parent_context.is_some_and(|context| context.get::<Decided>().is_some()) => {
                &SdkSampler::AlwaysOn
            }
            None => &self.others,
        };
        follow.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt as _;

    const CALLERS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// Runs `work` where spans are recorded by a sampler of ratio 0.
    fn recorded<T>(work: impl FnOnce() -> T) -> T {
        let provider = SdkTracerProvider::builder().with_sampler(ExportSampler::new(0.0)).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work)
    }

    fn inside(decision: &SampleDecision) -> TraceParent {
        let span = tracing::info_span!("work");
        continue_trace(&span, decision);
        span.in_scope(|| current_traceparent(None).unwrap().parse().unwrap())
    }

    #[test]
    fn a_span_continues_the_callers_trace() {
        let callers = TraceParent::parse(CALLERS).unwrap();
        let ours = recorded(|| inside(&SampleDecision::Child(callers)));
        assert_eq!(ours.trace_id(), callers.trace_id());
        assert_ne!(ours.span_id(), callers.span_id());
        assert!(ours.sampled());
    }

    #[test]
    fn a_root_that_was_decided_on_is_sampled_whatever_the_ratio() {
        assert!(recorded(|| inside(&SampleDecision::Root)).sampled());
    }

    #[test]
    fn a_root_that_nobody_decided_on_follows_the_ratio() {
        assert!(!recorded(|| inside(&SampleDecision::Skip)).sampled());
    }

    #[test]
    fn a_child_span_follows_its_parent() {
        let (parent, child) = recorded(|| {
            let span = tracing::info_span!("parent");
            continue_trace(&span, &SampleDecision::Root);
            span.in_scope(|| {
                let parent: TraceParent = current_traceparent(None).unwrap().parse().unwrap();
                (parent, inside(&SampleDecision::Skip))
            })
        });
        assert_eq!(parent.trace_id(), child.trace_id());
        assert!(child.sampled());
    }

    #[test]
    fn without_an_exporter_the_callers_place_is_passed_on() {
        let span = tracing::info_span!("work");
        let _entered = span.enter();
        assert_eq!(current_traceparent(Some(CALLERS)).as_deref(), Some(CALLERS));
        assert_eq!(current_traceparent(Some("junk")), None);
        assert_eq!(current_traceparent(None), None);
    }
}
