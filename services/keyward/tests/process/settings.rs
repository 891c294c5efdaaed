//! Settings: flags over environment over file, and one line that names the flag for each that can't be.

use std::path::Path;

use crate::child::{Finished, run};
use crate::deployment::{Deployment, SERVICE};
use crate::embedded::fresh_folder;

const URL: (&str, &str) = ("KEYWARD_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");

#[tokio::test]
async fn a_setting_that_cannot_be_is_refused_in_one_line_that_names_it() {
    let production = ("KEYWARD_PRODUCTION", "true");
    for (flag, arguments, environment) in [
        ("listen", &["--listen", "0.0.0.0:0"][..], &[URL][..]),
        ("listen", &["--listen", "[::]:0"], &[URL]),
        ("database-url", &["--production"], &[]),
        ("database-url", &[], &[production]),
        ("database-url", &["--listen", "0.0.0.0:0", "--plaintext"], &[]),
        ("keyring", &["--operator-token-file", "/x"], &[URL]),
        ("operator-token-file", &["--keyring", "/x"], &[URL]),
        ("tls-key", &["--tls-cert", "/x"], &[]),
        ("tls-cert", &["--tls-key", "/x"], &[]),
        ("tls-client-ca", &["--tls-client-ca", "/x"], &[]),
        ("metrics-listen", &["--metrics-listen", "0.0.0.0:9464"], &[]),
        ("lease-ms", &["--lease-ms", "6000"], &[]),
        ("lease-ms", &["--lease-ms", "100"], &[]),
        ("heartbeat-ms", &["--heartbeat-ms", "400"], &[]),
        ("pool-size", &["--pool-size", "1"], &[]),
        ("serving-threads", &["--serving-threads", "0"], &[]),
        ("max-connections", &["--max-connections", "0"], &[]),
        ("max-connections-per-address", &["--max-connections-per-address", "0"], &[]),
        ("connection-idle-ms", &["--connection-idle-ms", "0"], &[]),
        ("connection-age-ms", &["--connection-age-ms", "100000000"], &[]),
        ("max-management-calls", &["--max-management-calls", "0"], &[]),
        ("drain-ms", &["--drain-ms", "3600000"], &[]),
        ("ext-authz-header", &["--ext-authz-header", "Authorization"], &[]),
        ("ext-authz-prefix", &["--ext-authz-prefix", "x-envoy-"], &[]),
        ("usage-flush-ms", &["--usage-flush-ms", "99"], &[]),
        ("usage-flush-ms", &["--usage-flush-ms", "60001"], &[]),
        ("gateway-identity", &["--gateway-identity", "spiffe://example.org/g"], &[]),
        ("brand", &["--brand", "sk"], &[]),
        ("brand", &["--brand", "Kw"], &[]),
        ("ai-providers", &["--ai-providers", "openai,Anthropic"], &[]),
        ("ai-providers", &["--ai-providers", "openai,"], &[]),
        ("trace-sample-ratio", &["--trace-sample-ratio", "1.5"], &[]),
    ] {
        let refused = run(arguments, environment).await;
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.err);
        let begins = format!("--{flag}: ");
        assert!(refused.complaint().starts_with(&begins), "{arguments:?}: {}", refused.err);
    }
}

#[tokio::test]
async fn a_table_of_issuers_that_cannot_be_is_refused_in_one_line_before_the_database_is_touched() {
    let folder = fresh_folder();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let good = include_str!("../../../../deploy/jwt-issuers.example.toml");
    let table = |keys: &str| {
        good.replace("https://login.example.com/.well-known/jwks.json", "http://127.0.0.1:1/")
            .replace("/etc/keyward/portal-jwks.json", keys)
    };
    std::fs::write(at("keys.json"), "{\"keys\":[]}").unwrap();
    for (name, text, said) in [
        ("empty.toml", String::new(), "must have 1 to 32"),
        ("word.toml", "canary-word".to_owned(), "word.toml"),
        ("member.toml", good.replace("audience", "audiance"), "audiance"),
        ("algorithm.toml", good.replace("ES256", "HS256"), "issuer \"corp\": algorithm must be"),
        ("roots.toml", good.replace("# ca_file = \"", "ca_file = \"/none"), "/none"),
        ("missing.toml", table("/none.json"), "issuer \"portal\": its key set can't be used"),
        ("useless.toml", table(&at("keys.json")), "none of its keys"),
    ] {
        std::fs::write(at(name), text).unwrap();
        let flags = ["--jwt-issuers", &at(name), "--keyring", "/x", "--operator-token-file", "/x"];
        let refused = run(&flags, &[URL]).await;
        assert_eq!(refused.code, Some(1), "{name}: {}", refused.err);
        let complaint = refused.complaint();
        assert!(complaint.starts_with("--jwt-issuers: "), "{name}: {}", refused.err);
        assert!(complaint.contains(said), "{name}: {complaint}");
        assert!(!complaint.contains("canary"), "{complaint}");
    }
    let flags = ["--jwt-issuers", "/none", "--keyring", "/x", "--operator-token-file", "/x"];
    let refused = run(&flags, &[URL]).await;
    assert!(refused.complaint().starts_with("--jwt-issuers: can't read /none"), "{}", refused.err);
}

#[tokio::test]
async fn a_variable_that_is_none_of_ours_is_refused_by_name() {
    let refused = run(&[], &[("KEYWARD_TLS_CERTIFICATE", "/etc/tls.pem")]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("KEYWARD_TLS_CERTIFICATE"), "{}", refused.err);
}

/// Kubernetes puts these into every container beside a service named `keyward`.
#[tokio::test]
async fn variables_of_a_kubernetes_service_are_none_of_our_business() {
    let links = [
        ("KEYWARD_SERVICE_HOST", "10.96.0.17"),
        ("KEYWARD_SERVICE_PORT", "50051"),
        ("KEYWARD_SERVICE_PORT_GRPC", "50051"),
        ("KEYWARD_PORT", "tcp://10.96.0.17:50051"),
        ("KEYWARD_PORT_50051_TCP", "tcp://10.96.0.17:50051"),
        ("KEYWARD_PORT_50051_TCP_PROTO", "tcp"),
        ("KEYWARD_PORT_50051_TCP_PORT", "50051"),
        ("KEYWARD_PORT_50051_TCP_ADDR", "10.96.0.17"),
        ("KEYWARD_GATEWAY_SERVICE_HOST", "10.96.0.18"),
        ("KEYWARD_GATEWAY_PORT", "tcp://10.96.0.18:8080"),
        ("KEYWARD_GATEWAY_PORT_8080_TCP_ADDR", "10.96.0.18"),
    ];
    let folder = fresh_folder();
    let file = folder.path().join("keyring.toml");
    let made = run(&["keyring", "new", "--keyring", file.to_str().unwrap()], &links).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    // Whoever means the listener by it must hear that it is called otherwise.
    let refused = run(&[], &[("KEYWARD_PORT", "50051")]).await;
    assert!(refused.complaint().contains("KEYWARD_PORT"), "{}", refused.err);
}

/// The brand of a workspace's token shows where the setting came from.
async fn branded(deployment: &Deployment, file: &Path, flags: &[&str]) -> Finished {
    let named = ["--config", file.to_str().unwrap()];
    deployment.run(SERVICE, &[flags, &named, &["workspace", "create", "branded"]].concat()).await
}

#[tokio::test]
async fn flags_win_over_the_file_and_the_file_over_defaults() {
    let deployment = Deployment::new().await;
    let file = deployment.file("keyward.toml");
    std::fs::write(&file, "brand = \"acme\"\npool-size = 4\n").unwrap();
    let from_file = branded(&deployment, &file, &[]).await;
    assert!(from_file.out.contains("acmew_live_"), "{} {}", from_file.out, from_file.err);
    let from_flag = branded(&deployment, &file, &["--brand", "corp"]).await;
    assert!(from_flag.out.contains("corpw_live_"), "{} {}", from_flag.out, from_flag.err);
}

#[tokio::test]
async fn a_file_with_a_member_that_does_not_exist_is_refused() {
    let deployment = Deployment::new().await;
    let file = deployment.file("keyward.toml");
    std::fs::write(&file, "tls-certificate = \"/etc/tls.pem\"\n").unwrap();
    let refused = branded(&deployment, &file, &[]).await;
    assert_eq!(refused.code, Some(1));
    let complaint = refused.complaint();
    assert!(complaint.contains("keyward.toml"), "{complaint}");
    assert!(complaint.contains("tls-certificate"), "{complaint}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_never_quoted() {
    let deployment = Deployment::new().await;
    let file = deployment.file("keyward.toml");
    std::fs::write(&file, "database-url = \"postgres://u:hunter2-canary@h/d\" oops\n").unwrap();
    let refused = branded(&deployment, &file, &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(!refused.complaint().contains("hunter2-canary"), "{}", refused.err);

    let refused = branded(&deployment, &deployment.file("missing.toml"), &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("missing.toml"), "{}", refused.err);
}
