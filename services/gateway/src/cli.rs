//! The command line. Exit code 0: stopped by a signal; 1: failed, with one line on standard error; 2: wrong
//! usage.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use settings::refuse_unknown_variables;
use telemetry::{Telemetry, TelemetryOptions};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Settings};
use crate::gateway::Gateway;
use crate::surface::Surface;

/// How long the last spans may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

type Failure = Box<dyn Error + Send + Sync>;

/// The REST gateway of Keyward: HTTP in, gRPC out.
#[derive(Debug, Parser)]
#[command(name = "keyward-gateway", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = configure(arguments.settings).and_then(|config| {
        // Connections are served by threads of their own; this one accepts them.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ran = runtime.block_on(run(config));
        runtime.shutdown_background();
        ran
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

fn fail(error: &(dyn Error + Send + Sync + 'static)) -> ExitCode {
    let mut line = format!("keyward-gateway: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !line.contains(&cause_text) {
            line.push_str(": ");
            line.push_str(&cause_text);
        }
        source = cause.source();
    }
    // Nobody is left to be told if standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}

fn configure(settings: Settings) -> Result<Config, Failure> {
    let (program, help) = (Arguments::command(), "keyward-gateway --help");
    refuse_unknown_variables(&program, "KEYWARD_GATEWAY_", help)?;
    Ok(Config::resolve(settings)?)
}

async fn run(config: Config) -> Result<(), Failure> {
    let telemetry = start_telemetry(&config)?;
    let [mut interrupt, mut terminate, mut hangups] = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ];
    let shown = config.clone();
    let gateway = Gateway::start(config, &telemetry).await?;
    // In one piece: whoever waits for the first line may not wait for the last.
    std::io::stdout().write_all(banner(&shown, &gateway).as_bytes())?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            Some(()) = hangups.recv() => gateway.reload(),
        }
    }
    tracing::info!("draining; a second signal stops at once");
    tokio::select! {
        () = gateway.stop() => {}
        _ = interrupt.recv() => std::process::exit(130),
        _ = terminate.recv() => std::process::exit(130),
    }
    if let Err(error) = telemetry.shutdown(FLUSH).await {
        tracing::warn!(error = &error as &dyn Error, "the last spans were lost");
    }
    Ok(())
}

/// What a person sees once it is up.
fn banner(config: &Config, gateway: &Gateway) -> String {
    let address = gateway.address();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let on = |surface| !config.off.contains(&surface);
    let mut text = format!(
        "\nkeyward-gateway {} serves HTTP on {address}, in front of {}\n",
        env!("CARGO_PKG_VERSION"),
        config.service.address,
    );
    if on(Surface::Operations) {
        text += &format!("Documentation: {scheme}://{address}/docs\n");
        text += &format!("Ready:         {scheme}://{address}/readyz\n");
    }
    text += &match (on(Surface::ForwardAuth), config.verify_credential.is_some()) {
        (true, true) => format!("For proxies:   {scheme}://{address}/verify\n"),
        (true, false) => {
            "For proxies:   /verify gives no verdicts without --verify-credential-file\n".to_owned()
        }
        (false, _) => String::new(),
    };
    if let Some(metrics) = gateway.metrics_address() {
        text += &format!("Metrics:       http://{metrics}/metrics\n");
    }
    text + "Ctrl-C drains and stops.\n\n"
}

fn start_telemetry(config: &Config) -> Result<Telemetry, Failure> {
    Ok(Telemetry::start(TelemetryOptions {
        span_targets: vec!["gateway".to_owned()],
        service_name: "keyward-gateway".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..config.telemetry.options()
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
