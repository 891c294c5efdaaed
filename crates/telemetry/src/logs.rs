//! Log lines on standard error. What is worth a line is decided where it is written, not here.

mod sources;

use std::io::{self, IsTerminal as _};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt};

use crate::error::TelemetryError;
use crate::options::LogFormat;

/// Builds the layer that writes log lines, with its filter.
///
/// # Errors
/// [`TelemetryError::LogFilter`] when `filter` cannot be read.
pub(crate) fn layer<S>(
    format: LogFormat,
    filter: &str,
) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let directives = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::LogFilter { filter: filter.to_owned(), source })?;
    let directives = directives.and(filter_fn(may_be_said));
    let terminal = io::stderr().is_terminal();
    let text = match format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    // When standard error is gone, saying so on standard error would panic; hence no reports of
    // the layer's own failures.
    let lines = fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    Ok(if !text {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .map_event_format(sources::WithSources)
            .with_filter(directives)
            .boxed()
    } else if terminal {
        // Colours as the terminal's user wants them: the default obeys NO_COLOR.
        lines.with_filter(directives).boxed()
    } else {
        lines.with_ansi(false).with_filter(directives).boxed()
    })
}

/// The database's client tells the parameters of every statement to whoever asks for its detailed lines:
/// what is stored, in full. No filter of the operator's gets those.
fn may_be_said(line: &Metadata<'_>) -> bool {
    let details = [Level::DEBUG, Level::TRACE].contains(line.level());
    !(details && line.target().starts_with("tokio_postgres"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::Registry;

    #[test]
    fn a_filter_that_cannot_be_read_is_refused_and_named() {
        let Err(error) = layer::<Registry>(LogFormat::Text, "eventlog=loudly") else {
            panic!("taken");
        };
        assert!(error.to_string().contains("eventlog=loudly"));
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn directives_are_taken_in_every_format() {
        for format in [LogFormat::Text, LogFormat::Json, LogFormat::Auto] {
            assert!(layer::<Registry>(format, "info,eventlog=debug,h2=off").is_ok());
        }
    }
}
