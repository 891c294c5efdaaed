//! Variables of the environment that look like settings and are none.

use clap::Command;

use crate::ConfigError;

/// Refuses variables of the environment that begin with `prefix` and that no flag of `program` is filled
/// from: a mistyped one must not be passed over. Those that Kubernetes sets beside a service of such a name
/// are nobody's setting. `help` is the command that shows which there are.
///
/// # Errors
/// The first one that is not known.
pub fn refuse_unknown_variables(
    program: &Command,
    prefix: &str,
    help: &'static str,
) -> Result<(), ConfigError> {
    let known = |name: &str| {
        program.get_arguments().filter_map(|flag| flag.get_env()).any(|variable| variable == name)
    };
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    let unknown = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(prefix) && !known(name))
        .find(|(name, value)| !is_service_link(name, &value.to_string_lossy()));
    unknown.map_or(Ok(()), |(name, _)| Err(ConfigError::UnknownVariable { name, help }))
}

/// Whether Kubernetes set this variable: `KEYWARD_SERVICE_HOST`, `KEYWARD_PORT_50051_TCP_ADDR` and so on.
/// A bare `..._PORT` counts only with the value that they have there, an address with a scheme.
fn is_service_link(name: &str, value: &str) -> bool {
    const SCHEMES: [&str; 3] = ["tcp://", "udp://", "sctp://"];
    let of_a_port = || {
        let (_, rest) = name.rsplit_once("_PORT_")?;
        let (number, _) = rest.split_once('_')?;
        Some(number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && SCHEMES.iter().any(|scheme| value.starts_with(scheme)))
        || of_a_port().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_kubernetes_sets_beside_a_service_is_passed_over() {
        for (name, value) in [
            ("KEYWARD_SERVICE_HOST", "10.96.0.17"),
            ("KEYWARD_SERVICE_PORT_GRPC", "50051"),
            ("KEYWARD_PORT", "tcp://10.96.0.17:50051"),
            ("KEYWARD_PORT_50051_TCP", "tcp://10.96.0.17:50051"),
            ("KEYWARD_GATEWAY_PORT_8080_TCP_ADDR", "10.96.0.18"),
        ] {
            assert!(is_service_link(name, value), "{name}");
        }
        for (name, value) in [
            ("KEYWARD_PORT", "50051"),
            ("KEYWARD_GATEWAY_PORT", "http://10.96.0.18:8080"),
            ("KEYWARD_TLS_CERTIFICATE", "/etc/tls.pem"),
            ("KEYWARD_PORT_NUMBER_ONE", "1"),
        ] {
            assert!(!is_service_link(name, value), "{name}");
        }
    }
}
