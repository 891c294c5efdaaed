//! The settings of logs and traces, which every program has under the same names.

use clap::ValueEnum;
use serde::Deserialize;
use telemetry::TelemetryOptions;

use crate::{ConfigError, refuse};

/// How logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
}

/// Logs and traces.
#[derive(Debug, Clone)]
pub struct TelemetryChoice {
    /// How logs are written.
    pub log_format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Where traces go; `None` for nowhere.
    pub otlp_endpoint: Option<String>,
    /// Which share of requests is traced that nobody else decided on, 0 to 1.
    pub sample_ratio: f64,
}

impl TelemetryChoice {
    /// What was said, or else what holds by default.
    ///
    /// # Errors
    /// The share is none.
    pub fn new(
        log_format: Option<LogFormat>,
        log: Option<&str>,
        otlp_endpoint: Option<&str>,
        trace_sample_ratio: Option<f64>,
    ) -> Result<Self, ConfigError> {
        let sample_ratio = trace_sample_ratio.unwrap_or(0.01);
        if !(0.0..=1.0).contains(&sample_ratio) {
            return Err(refuse("trace-sample-ratio", "must be from 0 to 1"));
        }
        Ok(Self {
            log_format: log_format.unwrap_or_default(),
            log: log.unwrap_or("info").to_owned(),
            otlp_endpoint: otlp_endpoint.map(str::to_owned),
            sample_ratio,
        })
    }

    /// As telemetry is started with. Whose it is and which spans leave is for the program to add.
    #[must_use]
    pub fn options(&self) -> TelemetryOptions {
        TelemetryOptions {
            log_format: match self.log_format {
                LogFormat::Text => telemetry::LogFormat::Text,
                LogFormat::Json => telemetry::LogFormat::Json,
                LogFormat::Auto => telemetry::LogFormat::Auto,
            },
            log_filter: self.log.clone(),
            otlp_endpoint: self.otlp_endpoint.clone(),
            sample_ratio: self.sample_ratio,
            ..TelemetryOptions::default()
        }
    }
}
