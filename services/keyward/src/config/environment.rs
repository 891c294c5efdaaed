//! Variables of the environment that look like settings and are none.

use super::ConfigError;

/// Refuses variables of the environment that begin with `KEYWARD_` and are none of `known`. Those that
/// Kubernetes sets beside a service of that name are nobody's setting, and are passed over.
///
/// # Errors
/// The first one that is not known.
pub fn refuse_unknown_variables(known: &[String]) -> Result<(), ConfigError> {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    let unknown = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("KEYWARD_") && !known.contains(name))
        .find(|(name, value)| !is_service_link(name, &value.to_string_lossy()));
    unknown.map_or(Ok(()), |(name, _)| Err(ConfigError::UnknownVariable(name)))
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
