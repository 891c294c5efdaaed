//! Log lines in JSON that name what was underneath an error, as those in text do.
//!
//! tracing-subscriber writes an error's own words only. Here its sources are put behind what it wrote,
//! as `"error.sources": ["...", "..."]`.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// A format that writes one JSON object a line, with the sources of errors added.
pub(super) struct WithSources<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for WithSources<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut sources = Sources(String::new());
        event.record(&mut sources);
        if sources.0.is_empty() {
            return self.0.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.strip_suffix("}\n") {
            Some(object) => writeln!(writer, "{object}{}}}", sources.0),
            None => writer.write_str(&line),
        }
    }
}

/// The members to add, each with a comma in front.
struct Sources(String);

impl Visit for Sources {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let mut said = Vec::new();
        let mut next = error.source();
        while let Some(source) = next {
            said.push(Value::String(source.to_string()));
            next = source.source();
        }
        if !said.is_empty() {
            let name = Value::String(format!("{field}.sources"));
            // A String takes everything.
            let _ = write!(self.0, ",{name}:{}", Value::Array(said));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outside \"quoted\"")]
    struct Outside(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("in between")]
    struct Middle(#[source] io::Error);

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> Value {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .map_event_format(WithSources)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let text = lines.0.lock().unwrap().clone();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn a_line_names_all_that_was_underneath_an_error() {
        let error = Outside(Middle(io::Error::other("at the \"bottom\"\n")));
        let line =
            logged(|| tracing::error!(error = &error as &dyn Error, position = 7, "it went wrong"));
        assert_eq!(line["message"], "it went wrong");
        assert_eq!(line["error"], "outside \"quoted\"");
        assert_eq!(line["position"], 7);
        let sources = serde_json::json!(["in between", "at the \"bottom\"\n"]);
        assert_eq!(line["error.sources"], sources);
    }

    #[test]
    fn a_line_without_sources_is_as_it_was() {
        let error = io::Error::other("alone");
        let line = logged(|| tracing::error!(error = &error as &dyn Error, "it went wrong"));
        assert_eq!(line["error"], "alone");
        assert!(line.get("error.sources").is_none());
    }
}
