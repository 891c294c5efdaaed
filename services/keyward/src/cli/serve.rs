//! `keyward serve`: starts the service, says where it is and what to type, and drains on a signal.

mod banner;
mod demo;

use std::process::ExitCode;
use std::time::Duration;

use telemetry::{LogFormat as TelemetryFormat, Telemetry, TelemetryOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use super::output::line;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, LogFormat};

/// How long the start waits for the verifier before it shows the banner all the same.
const WARM_UP: Duration = Duration::from_secs(30);
/// How long the last spans may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config) -> Result<ExitCode, Failure> {
    let telemetry = start_telemetry(&config)?;
    let mut signals = Signals::new()?;
    let app = tokio::select! {
        app = App::start(&config, Clock::default(), &telemetry) => app?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    if app.ready(WARM_UP).await {
        let demo = match config.demo {
            true => demo::workspace(&config, app.node()).await?,
            false => None,
        };
        line(&banner::text(&config, &app, demo.as_ref()))?;
    } else {
        tracing::warn!("the verifier is still catching up; verdicts are answered once it has");
        line(&banner::text(&config, &app, None))?;
    }
    let early = tokio::select! {
        () = signals.next() => None,
        early = app.ended_early() => Some(early),
    };
    tracing::info!("draining; a second signal stops at once");
    tokio::select! {
        () = app.stop() => {}
        () = signals.next() => {
            tracing::warn!("stopped at once");
            // The private Postgres, if there is one, is stopped by its watchdog.
            std::process::exit(130);
        }
    }
    if let Err(error) = telemetry.shutdown(FLUSH).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last spans were lost");
    }
    early.map_or(Ok(ExitCode::SUCCESS), |early| Err(early.into()))
}

fn start_telemetry(config: &Config) -> Result<Telemetry, Failure> {
    let choice = &config.telemetry;
    Ok(Telemetry::start(TelemetryOptions {
        log_format: match choice.log_format {
            LogFormat::Text => TelemetryFormat::Text,
            LogFormat::Json => TelemetryFormat::Json,
            LogFormat::Auto => TelemetryFormat::Auto,
        },
        log_filter: choice.log.clone(),
        otlp_endpoint: choice.otlp_endpoint.clone(),
        sample_ratio: choice.sample_ratio,
        span_targets: vec!["keyward".to_owned(), "eventlog".to_owned(), "readmodel".to_owned()],
        service_name: "keyward".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..TelemetryOptions::default()
    })?)
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
