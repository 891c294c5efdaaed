//! The REST gateway that runs beside the service in one program: the default where everything is on one
//! machine, and only on request elsewhere, where `keyward-gateway` is a program of its own.

use std::net::SocketAddr;

use domain::SpiffeId;

use super::{ConfigError, GatewayTrust, Settings, TlsFiles, refuse};

/// Where the gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayChoice {
    /// The address.
    pub listen: SocketAddr,
    /// Whether another port of the machine will do if this one is taken, as nobody asked for it.
    pub any_port: bool,
}

/// The choice of these settings.
pub(super) fn choice(
    settings: &Settings,
    managed: bool,
    tls: bool,
) -> Result<Option<GatewayChoice>, ConfigError> {
    let off = settings.no_gateway.unwrap_or(false);
    let wrong = |rule: &str| Err(refuse("gateway-listen", rule));
    match settings.gateway_listen {
        Some(_) if off => wrong("goes without --no-gateway"),
        Some(_) if tls => {
            wrong("goes without --tls-cert: run keyward-gateway, which speaks TLS on both sides")
        }
        Some(listen) if !listen.ip().is_loopback() && !settings.plaintext.unwrap_or(false) => {
            wrong("must be on loopback, or --plaintext be set if something else encrypts")
        }
        Some(listen) => Ok(Some(GatewayChoice { listen, any_port: false })),
        None if managed && !off && !tls => {
            let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
            Ok(Some(GatewayChoice { listen, any_port: true }))
        }
        None => Ok(None),
    }
}

/// Who gateways are. Names in certificates mean nothing unless certificates are asked for and checked.
pub(super) fn trust(
    settings: &Settings,
    tls: Option<&TlsFiles>,
) -> Result<GatewayTrust, ConfigError> {
    let wrong = |rule: &str| refuse("gateway-identity", rule);
    let given = settings.gateway_identity.as_deref().unwrap_or_default();
    if !given.is_empty() && tls.is_none_or(|files| files.client_ca.is_none()) {
        return Err(wrong("needs --tls-client-ca"));
    }
    let operators = settings.operator_identity.as_deref().unwrap_or_default();
    if given.iter().any(|identity| operators.contains(identity)) {
        return Err(wrong("must not be an operator's: a gateway calls for others"));
    }
    let each = |text: &String| SpiffeId::new(text.as_str()).map_err(|error| wrong(error.rule()));
    Ok(GatewayTrust {
        identities: given.iter().map(each).collect::<Result<_, _>>()?,
        secret_file: settings.gateway_secret_file.clone(),
        own_secret: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(settings: &Settings, managed: bool, tls: bool) -> Option<String> {
        choice(settings, managed, tls).unwrap().map(|choice| choice.listen.to_string())
    }

    #[test]
    fn the_gateway_is_there_by_default_only_beside_the_private_postgres() {
        let none = Settings::default();
        assert_eq!(chosen(&none, true, false).as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(chosen(&none, true, true), None);
        assert_eq!(chosen(&none, false, false), None);
        let off = Settings { no_gateway: Some(true), ..Settings::default() };
        assert_eq!(chosen(&off, true, false), None);
        let asked = Settings { gateway_listen: Some(([127, 0, 0, 1], 9).into()), ..none };
        assert_eq!(chosen(&asked, false, false).as_deref(), Some("127.0.0.1:9"));
    }

    #[test]
    fn gateways_are_named_by_certificates_that_are_asked_for_and_are_nobody_else_s() {
        let (tls, bare) = (
            TlsFiles { certificate: "c".into(), key: "k".into(), client_ca: Some("roots".into()) },
            Settings::default(),
        );
        let edge = "spiffe://example.org/edge".to_owned();
        let named = Settings { gateway_identity: Some(vec![edge.clone()]), ..bare };
        assert_eq!(trust(&named, Some(&tls)).unwrap().identities[0].as_str(), edge);
        let without = TlsFiles { client_ca: None, ..tls.clone() };
        let both = Settings { operator_identity: Some(vec![edge]), ..named.clone() };
        let wrong = Settings { gateway_identity: Some(vec!["edge".to_owned()]), ..named.clone() };
        for (settings, tls) in
            [(&named, None), (&named, Some(&without)), (&both, Some(&tls)), (&wrong, Some(&tls))]
        {
            let error = trust(settings, tls).unwrap_err().to_string();
            assert!(error.starts_with("--gateway-identity: "), "{error}");
        }
    }

    #[test]
    fn a_gateway_that_can_not_be_is_refused_by_name() {
        let listen = Some(([192, 0, 2, 1], 80).into());
        let open = Settings { gateway_listen: listen, ..Settings::default() };
        let both = Settings {
            gateway_listen: Some(([127, 0, 0, 1], 80).into()),
            no_gateway: Some(true),
            ..Settings::default()
        };
        for refused in [choice(&open, true, false), choice(&both, true, false)] {
            assert!(refused.unwrap_err().to_string().starts_with("--gateway-listen: "));
        }
        let plain = Settings { plaintext: Some(true), ..open };
        assert!(choice(&plain, true, false).is_ok());
        assert!(choice(&plain, true, true).is_err());
    }
}
