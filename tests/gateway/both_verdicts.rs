//! `/verify` and ext_authz say the same about the same request, whichever proxy asks.

use api::v1::{CreateApiKeyRequest, Permission};
use harness::envoy::{Checked, request};
use http::HeaderMap;

use crate::verify::Verifying;

/// Names and values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn forward_authentication_and_ext_authz_give_the_same_answers() {
    let verifying = Verifying::new("both").await;
    let tenant = &verifying.tenant;
    let envoy = verifying.server.service(&[Permission::Verify], &[tenant]).await;
    let mut envoy = verifying.server.bearer(&envoy).authorization;
    let made = async |request: CreateApiKeyRequest| tenant.create(request).await.secret;
    let fraction = prost_types::Timestamp { seconds: 4_000_000_000, nanos: 123_456_000 };
    let whole = made(verifying.key()).await;
    let ending = made(CreateApiKeyRequest { expires_at: Some(fraction), ..verifying.key() }).await;
    let domains = vec!["a.example".to_owned()];
    let paged = made(CreateApiKeyRequest { allowed_domains: domains, ..verifying.key() }).await;
    let (key, bearer) = (whole.as_str(), format!("Bearer {whole}"));
    let cases: &[(&str, Pairs<'_>, Pairs<'_>)] = &[
        ("/verify", &[], &[("x-api-key", key)]),
        ("/verify", &[], &[("x-api-key", &ending)]),
        ("/verify", &[], &[("authorization", &bearer)]),
        ("/verify", &[], &[("authorization", &bearer), ("x-api-key", "other")]),
        ("/verify", &[], &[("x-api-key", "junk")]),
        ("/verify", &[], &[]),
        ("/verify", &[], &[("authorization", "Basic b")]),
        ("/verify/scope/payment:read", &[("scope", "payment:read")], &[("x-api-key", key)]),
        (
            "/verify/scope/a/any_scope/b",
            &[("scope", "a"), ("any_scope", "b")],
            &[("x-api-key", key)],
        ),
        ("/verify/env/live", &[("env", "live")], &[("x-api-key", key)]),
        ("/verify/env/test", &[("env", "test")], &[("x-api-key", key)]),
        ("/verify", &[], &[("x-api-key", &paged)]),
        ("/verify", &[], &[("x-api-key", &paged), ("origin", "https://a.example")]),
        ("/verify", &[], &[("x-api-key", &paged), ("referer", "https://a.example/x")]),
    ];
    for client in ["127.0.0.2", "127.0.0.3"] {
        for (path, extensions, headers) in cases {
            let mut asking = verifying.rest.get(path).header("x-forwarded-for", client);
            for (name, value) in *headers {
                asking = asking.header(name, value);
            }
            let answer = asking.send().await;
            let checked = envoy.check(request(client, headers, extensions)).await.unwrap();
            let checked = Checked::of(checked.into_inner());
            let what = format!("{path} {headers:?} from {client}");
            assert_eq!(answer.status, checked.http, "{what}");
            assert_eq!(answer.body, checked.body, "{what}");
            for (name, value) in &checked.headers {
                assert_eq!(answer.header(name), value, "{name} of {what}");
            }
            let told = |headers: &HeaderMap| {
                let tells = |name: &str| name.starts_with("x-key") || name == "www-authenticate";
                headers.keys().filter(|name| tells(name.as_str())).count()
            };
            let also = checked
                .headers
                .keys()
                .filter(|name| name.starts_with("x-key") || *name == "www-authenticate");
            assert_eq!(told(&answer.headers), also.count(), "{what}");
        }
    }
    verifying.rest.stop().await;
}
