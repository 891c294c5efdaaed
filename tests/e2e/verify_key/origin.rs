//! Keys that are bound to domains. No list is no restriction.

use super::*;

fn at(secret: &str, origin: &str) -> VerifyKeyRequest {
    VerifyKeyRequest { origin: origin.to_owned(), ..plain(secret) }
}

fn for_domains(tenant: &Tenant, domains: &[&str], allow_localhost: bool) -> CreateApiKeyRequest {
    let allowed_domains = domains.iter().map(|&domain| domain.to_owned()).collect();
    CreateApiKeyRequest { allowed_domains, allow_localhost, ..tenant.key("bound to domains") }
}

#[tokio::test]
async fn a_bound_key_passes_at_its_domains_alone_and_needs_an_origin() {
    let tenant = tenant().await;
    let request = for_domains(&tenant, &["shop.example.com", "*.example.org"], false);
    let secret = tenant.create(request).await.secret;
    let cases = [
        ("", Denial::OriginRequired),
        ("https://shop.example.com", Denial::Unspecified),
        ("https://shop.example.com:8443", Denial::Unspecified),
        ("HTTPS://SHOP.EXAMPLE.COM", Denial::Unspecified),
        ("shop.example.com", Denial::Unspecified),
        ("https://example.com", Denial::OriginNotAllowed),
        ("https://evilshop.example.com", Denial::OriginNotAllowed),
        ("https://shop.example.com.evil.net", Denial::OriginNotAllowed),
        ("https://evil.net/shop.example.com", Denial::OriginNotAllowed),
        ("https://shop.example.com@evil.net", Denial::OriginNotAllowed),
        ("https://a.example.org", Denial::Unspecified),
        ("https://a.b.example.org", Denial::Unspecified),
        ("https://example.org", Denial::OriginNotAllowed),
        ("https://badexample.org", Denial::OriginNotAllowed),
        ("http://localhost:3000", Denial::OriginNotAllowed),
        ("null", Denial::OriginNotAllowed),
        ("https://\u{0}", Denial::OriginNotAllowed),
    ];
    for (origin, expected) in cases {
        assert_eq!(denial(&tenant, at(&secret, origin)).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn localhost_passes_by_its_own_flag_alone() {
    let tenant = tenant().await;
    let bound = tenant.create(for_domains(&tenant, &["example.com"], true)).await.secret;
    for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]"] {
        assert_eq!(denial(&tenant, at(&bound, origin)).await, Denial::Unspecified, "{origin}");
    }
    assert_eq!(denial(&tenant, at(&bound, "https://evil.net")).await, Denial::OriginNotAllowed);
    // An exception to no rule restricts nothing.
    let open = tenant.create(for_domains(&tenant, &[], true)).await.secret;
    for origin in ["", "null", "https://evil.net"] {
        assert_eq!(denial(&tenant, at(&open, origin)).await, Denial::Unspecified, "{origin}");
    }
}
