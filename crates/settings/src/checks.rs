//! What is checked of settings that several programs have.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::ConfigError;

/// The refusal of a setting: its flag, and what it must be.
#[must_use]
pub fn refuse(flag: &'static str, rule: impl Into<String>) -> ConfigError {
    ConfigError::Setting { flag, rule: rule.into() }
}

/// `value`, if it is in the range.
///
/// # Errors
/// It is not.
pub fn within<N: PartialOrd + Display>(
    flag: &'static str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<N, ConfigError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(refuse(flag, format!("must be from {} to {}", range.start(), range.end())))
}

/// A certificate and its key, each with its flag: both or none.
///
/// # Errors
/// One is there without the other.
pub fn pair(
    (certificate_flag, certificate): (&'static str, Option<&PathBuf>),
    (key_flag, key): (&'static str, Option<&PathBuf>),
) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    let missing = |flag, beside: &str| Err(refuse(flag, format!("is required with --{beside}")));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.clone(), key.clone()))),
        (None, None) => Ok(None),
        (Some(_), None) => missing(key_flag, certificate_flag),
        (None, Some(_)) => missing(certificate_flag, key_flag),
    }
}

/// Holds a listener without TLS to loopback, unless that was allowed.
///
/// # Errors
/// It is plain and open to others.
pub fn plain_is_on_loopback(
    listen: SocketAddr,
    tls: bool,
    plaintext: Option<bool>,
) -> Result<(), ConfigError> {
    if tls || listen.ip().is_loopback() || plaintext.unwrap_or(false) {
        return Ok(());
    }
    Err(refuse(
        "listen",
        "a plain listener must be on loopback: set --tls-cert and --tls-key, or --plaintext if something else encrypts",
    ))
}

/// Where metrics are offered, at `port` if nothing else was said; `None` for nowhere.
///
/// # Errors
/// It is not on loopback.
pub fn metrics_listen(
    off: Option<bool>,
    given: Option<SocketAddr>,
    port: u16,
) -> Result<Option<SocketAddr>, ConfigError> {
    if off.unwrap_or(false) {
        return Ok(None);
    }
    let address = given.unwrap_or(SocketAddr::from(([127, 0, 0, 1], port)));
    if !address.ip().is_loopback() {
        return Err(refuse("metrics-listen", "must be on loopback"));
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: std::fmt::Debug>(checked: Result<T, ConfigError>) -> String {
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_number_out_of_its_range_is_told_the_range() {
        assert_eq!(within("threads", 256, 1..=256).unwrap(), 256);
        assert_eq!(said(within("threads", 0, 1..=256)), "--threads: must be from 1 to 256");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_by_the_flag_that_is_missing() {
        let file = PathBuf::from("x");
        let pair = |certificate, key| pair(("tls-cert", certificate), ("tls-key", key));
        assert_eq!(pair(None, None).unwrap(), None);
        assert_eq!(pair(Some(&file), Some(&file)).unwrap(), Some((file.clone(), file.clone())));
        assert_eq!(said(pair(Some(&file), None)), "--tls-key: is required with --tls-cert");
        assert_eq!(said(pair(None, Some(&file))), "--tls-cert: is required with --tls-key");
    }

    #[test]
    fn what_is_neither_encrypted_nor_on_loopback_must_be_allowed() {
        let (open, local) = ("0.0.0.0:1".parse().unwrap(), "[::1]:1".parse().unwrap());
        assert!(said(plain_is_on_loopback(open, false, None)).starts_with("--listen: a plain"));
        assert!(plain_is_on_loopback(open, false, Some(false)).is_err());
        for (listen, tls, plaintext) in
            [(open, true, None), (open, false, Some(true)), (local, false, None)]
        {
            assert!(plain_is_on_loopback(listen, tls, plaintext).is_ok());
        }
        assert!(said(metrics_listen(None, Some(open), 9)).starts_with("--metrics-listen: "));
        assert_eq!(metrics_listen(None, None, 9).unwrap(), "127.0.0.1:9".parse().ok());
        assert_eq!(metrics_listen(Some(true), Some(open), 9).unwrap(), None);
    }
}
