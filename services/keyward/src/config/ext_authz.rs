//! How requests are read that Envoy asks about, and what the backend behind it is told.

use http::HeaderName;
use http::header::{AUTHORIZATION, HOST};

use super::{ConfigError, Settings, refuse};

/// The six that name a key, behind their prefix, in the order of [`ExtAuthz::identity`].
const IDENTITY: [&str; 6] =
    ["key-id", "workspace-id", "key-scopes", "key-env", "key-owner", "key-expires"];

/// The choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtAuthz {
    /// Where a key may be, besides Authorization.
    pub header: HeaderName,
    /// Headers that say to the backend: key id, workspace id, scopes, environment, owner, end.
    pub identity: [HeaderName; 6],
    /// Whether the client's address is in `x-envoy-external-address`.
    pub external_address: bool,
}

/// The choice of these settings.
pub(super) fn choice(settings: &Settings) -> Result<ExtAuthz, ConfigError> {
    let prefix = settings.ext_authz_prefix.as_deref().unwrap_or("x-");
    let identity = identity(prefix)?;
    let header = settings.ext_authz_header.as_deref().unwrap_or("x-api-key");
    let header = HeaderName::try_from(header)
        .ok()
        .filter(|name| *name != AUTHORIZATION && *name != HOST && !identity.contains(name))
        .ok_or_else(|| {
            refuse(
                "ext-authz-header",
                "must be the name of a header that has no other meaning: Authorization is read anyway",
            )
        })?;
    let external_address = settings.ext_authz_external_address.unwrap_or(false);
    Ok(ExtAuthz { header, identity, external_address })
}

fn identity(prefix: &str) -> Result<[HeaderName; 6], ConfigError> {
    let wrong = || {
        refuse(
            "ext-authz-prefix",
            "must be 1 to 32 lower-case letters, digits and hyphens, and not begin with x-envoy, which Envoy keeps for itself",
        )
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=32).contains(&prefix.len())
        || !prefix.bytes().all(plain)
        || prefix.starts_with("x-envoy")
    {
        return Err(wrong());
    }
    let mut names = [const { HeaderName::from_static("x") }; 6];
    for (name, rest) in names.iter_mut().zip(IDENTITY) {
        *name = HeaderName::try_from(format!("{prefix}{rest}")).map_err(|_| wrong())?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(header: Option<&str>, prefix: Option<&str>) -> Result<ExtAuthz, String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let settings = Settings {
            ext_authz_header: text(header),
            ext_authz_prefix: text(prefix),
            ..Settings::default()
        };
        choice(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn the_six_headers_are_those_of_forward_authentication_unless_another_prefix_is_set() {
        let plain = chosen(None, None).unwrap();
        assert_eq!(plain.header, "x-api-key");
        assert_eq!(
            plain.identity.each_ref().map(HeaderName::as_str),
            [
                "x-key-id",
                "x-workspace-id",
                "x-key-scopes",
                "x-key-env",
                "x-key-owner",
                "x-key-expires"
            ]
        );
        assert!(!plain.external_address);
        let other = chosen(Some("X-Token"), Some("acme-")).unwrap();
        assert_eq!(
            (other.header.as_str(), other.identity[4].as_str()),
            ("x-token", "acme-key-owner")
        );
    }

    #[test]
    fn a_header_that_means_something_else_is_refused_by_name() {
        for header in ["", "x y", "Authorization", "host", "x-key-id"] {
            let refused = chosen(Some(header), None).unwrap_err();
            assert!(refused.starts_with("--ext-authz-header: must be"), "{header}: {refused}");
        }
        for prefix in ["", "X-", "x_", "x-envoy-", "x:", &"x".repeat(33)] {
            let refused = chosen(None, Some(prefix)).unwrap_err();
            assert!(refused.starts_with("--ext-authz-prefix: must be"), "{prefix}: {refused}");
        }
    }
}
