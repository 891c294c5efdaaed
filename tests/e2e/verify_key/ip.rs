//! Keys that are bound to addresses. No list is no restriction.

use super::*;

#[tokio::test]
async fn a_key_without_a_list_passes_from_everywhere_and_from_nowhere() {
    let tenant = tenant().await;
    let secret = tenant.create_key("open").await.secret;
    for client_ip in ["", "192.0.2.7", "2001:db8::7", "127.0.0.1", "::"] {
        assert_eq!(denial(&tenant, from(&secret, client_ip)).await, Denial::Unspecified);
    }
}

#[tokio::test]
async fn a_bound_key_passes_from_its_list_alone_and_needs_an_address() {
    let tenant = tenant().await;
    let entries = ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "2001:db9::1"];
    let secret = tenant.create(bound_to(&tenant, &entries)).await.secret;
    let cases = [
        ("", Denial::IpRequired),
        ("192.0.1.255", Denial::IpNotAllowed),
        ("192.0.2.0", Denial::Unspecified),
        ("192.0.2.255", Denial::Unspecified),
        ("192.0.3.0", Denial::IpNotAllowed),
        ("198.51.100.6", Denial::IpNotAllowed),
        ("198.51.100.7", Denial::Unspecified),
        ("198.51.100.8", Denial::IpNotAllowed),
        ("2001:db8::", Denial::Unspecified),
        ("2001:DB8:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF", Denial::Unspecified),
        ("2001:db9::", Denial::IpNotAllowed),
        ("2001:db9::1", Denial::Unspecified),
    ];
    for (client_ip, expected) in cases {
        assert_eq!(denial(&tenant, from(&secret, client_ip)).await, expected, "{client_ip}");
    }
}

#[tokio::test]
async fn an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address_on_both_sides() {
    let tenant = tenant().await;
    let plain = tenant.create(bound_to(&tenant, &["192.0.2.0/24"])).await.secret;
    let mapped = tenant.create(bound_to(&tenant, &["::ffff:192.0.2.0/120"])).await.secret;
    for secret in [plain, mapped] {
        for client_ip in ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"] {
            assert_eq!(denial(&tenant, from(&secret, client_ip)).await, Denial::Unspecified);
        }
        for client_ip in ["192.0.3.7", "::ffff:192.0.3.7", "::192.0.2.7"] {
            assert_eq!(denial(&tenant, from(&secret, client_ip)).await, Denial::IpNotAllowed);
        }
    }
}

#[tokio::test]
async fn the_address_of_the_connection_itself_is_never_taken_for_the_clients() {
    let tenant = tenant().await;
    let secret = tenant.create(bound_to(&tenant, &["127.0.0.0/8", "::1"])).await.secret;
    assert_eq!(denial(&tenant, plain(&secret)).await, Denial::IpRequired);
}
