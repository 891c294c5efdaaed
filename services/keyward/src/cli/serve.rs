//! `keyward serve`: starts the service, says where it is and what to type, and drains on a signal.

mod banner;
mod beside;
mod credential;
mod demo;
mod rest_lines;

use std::process::ExitCode;
use std::time::Duration;

use gateway::Gateway;
use telemetry::{Telemetry, TelemetryOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::output::line;
use crate::app::{App, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::storage::StorageError;

/// How long the start waits for the verifier before it shows the banner all the same.
const WARM_UP: Duration = Duration::from_secs(30);
/// How long the last spans may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

pub(super) async fn run(mut config: Config) -> Result<ExitCode, Failure> {
    beside::introduce(&mut config)?;
    let telemetry = start_telemetry(&config)?;
    let mut signals = Signals::new()?;
    let ended = match start(&config, &telemetry, &mut signals).await {
        Ok(app) => {
            let (ended, gateway) = match beside::start(&config, app.address(), &telemetry).await {
                Ok(gateway) => (attend(&config, &app, &gateway, &mut signals).await, gateway),
                Err(error) => (Err(error), None),
            };
            tracing::info!("draining; a second signal stops at once");
            // What came in by the gateway is answered first.
            if let Some(gateway) = gateway {
                signals.unless_again(gateway.stop()).await;
            }
            signals.unless_again(app.stop()).await;
            ended
        }
        Err(StartError::Storage(StorageError::Stopped)) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = telemetry.shutdown(FLUSH).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last spans were lost");
    }
    ended.map(|()| ExitCode::SUCCESS)
}

/// Starts the service; a signal meanwhile breaks the start off, in order.
async fn start(
    config: &Config,
    telemetry: &Telemetry,
    signals: &mut Signals,
) -> Result<App, StartError> {
    let stop = CancellationToken::new();
    let mut starting =
        std::pin::pin!(App::start_unless(&stop, config, Clock::default(), telemetry));
    tokio::select! {
        started = &mut starting => return started,
        () = signals.next() => {}
    }
    tracing::info!("stopping before the start is done; a second signal stops at once");
    stop.cancel();
    match signals.unless_again(starting).await {
        Ok(app) => {
            signals.unless_again(app.stop()).await;
            Err(StorageError::Stopped.into())
        }
        stopped => stopped,
    }
}

/// Says where the service is, and waits until it is to stop: for a signal, or since a part of it has
/// ended early, or since nobody reads what is said.
async fn attend(
    config: &Config,
    app: &App,
    gateway: &Option<Gateway>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    tokio::select! {
        // First: what a broken part does to the rest is not the news.
        biased;
        early = app.ended_early() => Err(early.into()),
        () = signals.next() => Ok(()),
        Err(error) = welcome(config, app, gateway.as_ref()) => Err(error),
    }
}

/// Shows the banner once verdicts are answered, or when that takes too long.
async fn welcome(config: &Config, app: &App, gateway: Option<&Gateway>) -> Result<(), Failure> {
    let rest = gateway.map(Gateway::address);
    if !app.ready(WARM_UP).await {
        tracing::warn!("the verifier is still catching up; verdicts are answered once it has");
        line(&banner::text(config, app, rest, None))?;
        while !app.ready(WARM_UP).await {}
        return equip(config, app, gateway).await;
    }
    equip(config, app, gateway).await?;
    let demo = match config.demo {
        true => demo::workspace(config, app.node()).await?,
        false => None,
    };
    line(&banner::text(config, app, rest, demo.as_ref()))?;
    // Only now: a token that may not have been seen is replaced at the next start.
    if let Some(demo) = demo {
        demo.note_shown(config)?;
    }
    Ok(())
}

/// Gives the gateway beside the service what it asks for verdicts with, if that is made here.
async fn equip(config: &Config, app: &App, gateway: Option<&Gateway>) -> Result<(), Failure> {
    if let Some(gateway) = gateway.filter(|_| credential::made_here(config)) {
        credential::ensure(config, app.node()).await?;
        gateway.reload();
    }
    Ok(())
}

fn start_telemetry(config: &Config) -> Result<Telemetry, Failure> {
    Ok(Telemetry::start(TelemetryOptions {
        span_targets: ["keyward", "eventlog", "readmodel", "gateway"].map(str::to_owned).into(),
        service_name: "keyward".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..config.telemetry.options()
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

    /// Sees a stop through; another signal meanwhile ends the program at once.
    async fn unless_again<T>(&mut self, stopping: impl Future<Output = T>) -> T {
        tokio::select! {
            stopped = stopping => stopped,
            () = self.next() => {
                tracing::warn!("stopped at once");
                // The private Postgres, if there is one, is stopped by its watchdog.
                std::process::exit(130);
            }
        }
    }
}
