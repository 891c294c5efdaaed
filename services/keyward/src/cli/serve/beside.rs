//! The REST gateway beside the service, in the same program: it reaches the service by its gRPC listener, as
//! every other client does, and sees no more of it than that.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use gateway::config::{Secret, Settings};
use gateway::{Gateway, StartError};
use secrecy::ExposeSecret;
use telemetry::Telemetry;

use super::credential;
use crate::cli::Failure;
use crate::config::{Config, GatewayChoice};
use crate::entropy;

/// Draws a secret by which the service knows the gateway, and believes what it says of its clients. It is
/// kept nowhere.
pub(super) fn introduce(config: &mut Config) -> Result<(), Failure> {
    if config.gateway.is_some() {
        let drawn = entropy::secret()?;
        let text = drawn.expose().iter().map(|&byte| char::from(byte)).collect::<String>();
        config.gateway_trust.own_secret = Some(text.into());
    }
    Ok(())
}

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

async fn begin(
    config: &Config,
    listen: SocketAddr,
    service: SocketAddr,
    telemetry: &Telemetry,
) -> Result<Gateway, StartError> {
    let (credential, later) = (credential::path(config), credential::made_here(config));
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
        trusted_proxy: config.gateway_proxies.clone().into(),
        verify_credential_file: Some(credential.clone()).filter(|path| !later && path.exists()),
        ..Settings::default()
    };
    let mut settled = gateway::Config::resolve(settings)?;
    let own = config.gateway_trust.own_secret.as_ref();
    // Looked for again and again, as it may be there later.
    settled.verify_credential_file = Some(credential);
    settled.gateway_secret = own.and_then(|own| Secret::shared(own.expose_secret()));
    Gateway::start(settled, telemetry).await
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
