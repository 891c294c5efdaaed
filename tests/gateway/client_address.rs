//! Whose address the log has: the client's, by the word of a gateway that the service knows, and of nobody
//! else.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use api::v1::ErrorReason;
use gateway::config::Settings;
use harness::{Credentials, Refused, Server, Site, Tenant};
use serde_json::json;
use testkit::eventually;

use crate::rest::{Rest, settings};

const SECRET: &str = "the-secret-of-this-gateway-and-its-service";
const OTHER: &str = "another-secret-that-nobody-has-been-given";

/// A service that knows gateways by a secret.
struct World {
    site: Site,
    server: Server,
}

fn write(path: &PathBuf, text: &str) {
    // Anew: what is written is seen by its inode as well.
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    writeln!(file, "{text}").unwrap();
}

impl World {
    async fn new() -> Self {
        let site = Site::new().await;
        let known = site.folder.path().join("known");
        write(&known, SECRET);
        let own = keyward::config::Settings {
            gateway_secret_file: Some(known),
            ..keyward::config::Settings::default()
        };
        let config = site.config_with(site.url(), own);
        let server = Server::start_with(config, site.operator_token()).await;
        Self { site, server }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.folder.path().join(name)
    }

    /// A gateway behind a proxy at 127.0.0.1, with this secret if with any.
    async fn gateway(&self, secret: Option<&str>) -> Rest {
        let gateway_secret_file = secret.map(|secret| {
            let path = self.file("of-the-gateway");
            write(&path, secret);
            path
        });
        let trusted_proxy = Some(vec!["127.0.0.1/32".parse().unwrap()]);
        let own = settings(self.server.address());
        Rest::start(Settings { gateway_secret_file, trusted_proxy, ..own }).await
    }
}

/// From where the newest key of the tenant was made.
async fn recorded(tenant: &Tenant) -> String {
    let events = tenant.all_events(tenant.events()).await;
    let made = events.into_iter().find(|event| event.kind == "api_key.created");
    made.unwrap().caller_address
}

/// Makes a key by way of `rest` for a client that its proxy names, if it names one.
async fn create(rest: &Rest, tenant: &Tenant, forwarded: Option<&str>) {
    let path = format!("/v1/workspaces/{}/keys", tenant.id);
    let mut asking = rest.post(&path, json!({"name": "a key"}).to_string()).bearer(&tenant.token);
    // What a client says of itself to the gateway counts for nothing.
    asking = asking.header("x-keyward-client-address", "6.6.6.6");
    asking = asking.header("x-keyward-gateway-secret", SECRET);
    if let Some(forwarded) = forwarded {
        asking = asking.header("x-forwarded-for", forwarded);
    }
    asking.send().await.ok();
}

#[tokio::test]
async fn what_is_changed_through_a_gateway_is_recorded_with_its_clients_address() {
    let world = World::new().await;
    let rest = world.gateway(Some(SECRET)).await;
    let tenant = world.server.workspace("addresses").await;
    create(&rest, &tenant, None).await;
    assert_eq!(recorded(&tenant).await, "127.0.0.1", "whoever asks the gateway directly");
    for (forwarded, client) in [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.8", "198.51.100.8"),
        ("6.6.6.6, 198.51.100.9, 127.0.0.1", "198.51.100.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("[::ffff:198.51.100.10]:443", "198.51.100.10"),
    ] {
        create(&rest, &tenant, Some(forwarded)).await;
        assert_eq!(recorded(&tenant).await, client, "{forwarded}");
    }
    let body = json!({"data": {"ownerEmail": "a@example.com", "type": "testing"}}).to_string();
    let velt = rest.post("/v2/workspace/apikey/create", body);
    let velt = velt.header("x-velt-workspace-id", &tenant.id);
    let velt = velt.header("x-velt-auth-token", &tenant.token);
    velt.header("x-forwarded-for", "198.51.100.20").send().await.ok();
    assert_eq!(recorded(&tenant).await, "198.51.100.20", "a product's surface");
    rest.stop().await;
}

#[tokio::test]
async fn whoever_is_no_gateway_is_recorded_with_the_address_of_its_connection() {
    let world = World::new().await;
    let tenant = world.server.workspace("strangers").await;
    let address = "x-keyward-client-address";
    let ours = || Credentials::bearer(&tenant.token).and(address, "198.51.100.7");
    for (told, credentials) in [
        ("no secret", ours()),
        ("a wrong secret", ours().and("x-keyward-gateway-secret", OTHER)),
        ("a part of it", ours().and("x-keyward-gateway-secret", &SECRET[..SECRET.len() - 1])),
        ("an empty one", ours().and("x-keyward-gateway-secret", "")),
        ("nonsense", Credentials::bearer(&tenant.token).and(address, "nonsense")),
    ] {
        let stranger = Tenant { client: world.server.client(&credentials), ..tenant.clone() };
        stranger.create_key("a key").await;
        assert_eq!(recorded(&tenant).await, "127.0.0.1", "{told}");
    }
    for secret in [None, Some(OTHER)] {
        let rest = world.gateway(secret).await;
        create(&rest, &tenant, Some("198.51.100.7")).await;
        assert_eq!(recorded(&tenant).await, "127.0.0.1", "a gateway with {secret:?}");
        rest.stop().await;
    }
}

#[tokio::test]
async fn a_gateway_that_names_no_address_is_refused_by_the_name_of_the_entry() {
    let world = World::new().await;
    let tenant = world.server.workspace("nonsense").await;
    let gateway = || Credentials::bearer(&tenant.token).and("x-keyward-gateway-secret", SECRET);
    let address = "x-keyward-client-address";
    let create = async |credentials: Credentials| {
        let mut client = world.server.client(&credentials);
        client.keys.create_api_key(tenant.key("a key")).await
    };
    for wrong in ["", "unknown", "198.51.100.7:80", "198.51.100.7, 198.51.100.8", "fe80::1%eth0"] {
        let refused = create(gateway().and(address, wrong)).await.refused();
        assert!(refused.is_field(address), "{wrong}: {refused:?}");
        assert!(wrong.is_empty() || !refused.message.contains(wrong), "{refused:?}");
    }
    let twice = gateway().and(address, "198.51.100.7").and(address, "198.51.100.8");
    assert!(create(twice).await.refused().is_field(address));
    create(gateway()).await.unwrap();
    assert_eq!(recorded(&tenant).await, "127.0.0.1", "a gateway that names none");
}

#[tokio::test]
async fn a_secret_is_replaced_on_both_sides_while_they_run() {
    let world = World::new().await;
    let tenant = world.server.workspace("replaced").await;
    let rest = world.gateway(Some(SECRET)).await;
    let patience = Duration::from_secs(30);
    // The service knows both for a while, then the gateway has the new one, then only that is known.
    write(&world.file("known"), &format!("{OTHER}\n{SECRET}"));
    let with = async |secret: &str| {
        let credentials = Credentials::bearer(&tenant.token)
            .and("x-keyward-gateway-secret", secret)
            .and("x-keyward-client-address", "198.51.100.7");
        let caller = Tenant { client: world.server.client(&credentials), ..tenant.clone() };
        caller.create_key("a key").await;
        recorded(&tenant).await == "198.51.100.7"
    };
    eventually("the new secret is known", patience, async || with(OTHER).await).await;
    assert!(with(SECRET).await);
    write(&world.file("of-the-gateway"), OTHER);
    write(&world.file("known"), OTHER);
    eventually("the old secret is not known", patience, async || !with(SECRET).await).await;
    eventually("the gateway has the new one", patience, async || {
        create(&rest, &tenant, Some("198.51.100.9")).await;
        recorded(&tenant).await == "198.51.100.9"
    })
    .await;
    // What can't be used is not taken.
    write(&world.file("known"), "short");
    write(&world.file("of-the-gateway"), "short");
    rest.gateway.as_ref().unwrap().reload();
    create(&rest, &tenant, Some("198.51.100.10")).await;
    assert_eq!(recorded(&tenant).await, "198.51.100.10");
    rest.stop().await;
}

#[tokio::test]
async fn the_log_does_not_have_the_secret() {
    let world = World::new().await;
    let rest = world.gateway(Some(SECRET)).await;
    let tenant = world.server.workspace("secret").await;
    create(&rest, &tenant, Some("198.51.100.7")).await;
    let events = format!("{:?}", tenant.all_events(tenant.events()).await);
    assert!(events.contains("198.51.100.7") && !events.contains(SECRET));
    let settings = Settings {
        gateway_secret_file: Some(world.file("of-the-gateway")),
        ..settings(world.server.address())
    };
    let shown = format!("{:?}", gateway::Config::resolve(settings).unwrap());
    assert!(!shown.contains(SECRET), "{shown}");
    let refused = Credentials::bearer("wrong").and("x-keyward-gateway-secret", SECRET);
    let mut client = world.server.client(&refused);
    let refused = client.keys.create_api_key(tenant.key("a key")).await.refused();
    assert_eq!(refused.reason, ErrorReason::CredentialInvalid);
    assert!(!format!("{refused:?}").contains(SECRET));
    rest.stop().await;
}
