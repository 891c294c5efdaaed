//! What Envoy's clients send: whatever it is, it may be a credential of theirs.

use api::envoy::config::core::v3::{HeaderMap, HeaderValue};
use api::envoy::service::auth::v3::CheckRequest;
use api::envoy::service::auth::v3::attribute_context::HttpRequest;
use api::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tonic::transport::Channel;

use super::{Run, canary};
use crate::client::bearer;
use crate::ext_authz::request;

/// Plants in everything that a client says, and in what the operator may mistake.
pub(super) async fn plant(run: &mut Run, channel: Channel, service: &str) {
    let mut envoy = AuthorizationClient::new(channel);
    let mut planted = |what: &str| {
        let secret = canary();
        run.secrets.add(format!("{what} of Envoy's client"), &secret);
        secret
    };
    let [key, token, cookie, basic, query, raw] =
        ["the key", "the token", "the cookie", "the password", "the query", "the bytes"]
            .map(&mut planted);
    let plain = request(&key);
    let mut other = request("");
    let http = http(&mut other);
    http.path = format!("/orders?api_key={query}");
    http.headers = [
        ("authorization", format!("Bearer {token}")),
        ("cookie", format!("session={cookie}")),
        ("proxy-authorization", format!("Basic {basic}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let value =
        HeaderValue { key: "x-api-key".to_owned(), raw_value: raw.into(), ..Default::default() };
    http.header_map = Some(HeaderMap { headers: vec![value] });
    let two = other.clone();
    self::http(&mut other).header_map = None;
    for asked in [plain, other, two] {
        envoy.check(bearer(service, asked)).await.unwrap();
    }
    let guess = canary();
    run.secrets.add("a credential that is not Envoy's", &guess);
    run.refused(&envoy.check(bearer(&guess, request("k"))).await.unwrap_err());
    for name in ["scope", "any_scope", "env", "workspace", ""] {
        let (mistaken, mut asked) = (canary().to_uppercase(), request("k"));
        run.misplaced.add(format!("Check.context_extensions.{name}"), &mistaken);
        let extensions = &mut asked.attributes.as_mut().unwrap().context_extensions;
        match name {
            "" => extensions.insert(mistaken, String::new()),
            _ => extensions.insert(name.to_owned(), mistaken),
        };
        run.refused(&envoy.check(bearer(service, asked)).await.unwrap_err());
    }
}

fn http(request: &mut CheckRequest) -> &mut HttpRequest {
    let request = request.attributes.as_mut().unwrap().request.as_mut().unwrap();
    request.http.as_mut().unwrap()
}
