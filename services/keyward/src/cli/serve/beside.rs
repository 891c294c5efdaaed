//! The REST gateway beside the service, in the same program: it reaches the service by its gRPC listener, as
//! every other client does, and sees no more of it than that.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use gateway::config::Settings;
use gateway::{Gateway, StartError};
use telemetry::Telemetry;

use crate::cli::Failure;
use crate::config::{Config, GatewayChoice};

/// Starts the gateway in front of the service at `service`, if there is to be one.
pub(super) async fn start(
    config: &Config,
    service: SocketAddr,
    telemetry: &Telemetry,
) -> Result<Option<Gateway>, Failure> {
    let Some(choice) = config.gateway else {
        return Ok(None);
    };
    match begin(config, choice.listen, service, telemetry).await {
        Err(StartError::Listen { source, .. })
            if choice.any_port && source.kind() == ErrorKind::AddrInUse =>
        {
            tracing::warn!(taken = %choice.listen, "the gateway takes another port");
            let GatewayChoice { mut listen, .. } = choice;
            listen.set_port(0);
            Ok(Some(begin(config, listen, service, telemetry).await?))
        }
        started => Ok(Some(started?)),
    }
}

/// Where the operator puts what the gateway verifies with; without it `/verify` gives no verdicts.
pub(super) fn verify_credential(config: &Config) -> PathBuf {
    config.folder.join("gateway-credential")
}

async fn begin(
    config: &Config,
    listen: SocketAddr,
    service: SocketAddr,
    telemetry: &Telemetry,
) -> Result<Gateway, StartError> {
    let drain = u64::try_from(config.drain.as_millis()).unwrap_or(u64::MAX);
    let settings = Settings {
        listen: Some(listen),
        plaintext: Some(true),
        service: Some(reached(service).to_string()),
        threads: Some(1),
        access_log: Some(false),
        drain_ms: Some(drain),
        // One page has the metrics of both.
        no_metrics: Some(true),
        verify_credential_file: Some(verify_credential(config)).filter(|path| path.exists()),
        ..Settings::default()
    };
    Gateway::start(gateway::Config::resolve(settings)?, telemetry).await
}

/// How a listener on all addresses is reached from this machine.
fn reached(listener: SocketAddr) -> SocketAddr {
    let mut address = listener;
    match listener {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            address.set_ip(Ipv4Addr::LOCALHOST.into())
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            address.set_ip(Ipv6Addr::LOCALHOST.into())
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => {}
    }
    address
}
