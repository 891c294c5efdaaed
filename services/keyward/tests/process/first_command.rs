//! The first command: one word, no database, and everything that a new user needs is printed.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use api::v1::{Denial, RevocationReason, RevokeApiKeyRequest};

use crate::client::{Client, Tenant, bearer, channel};
use crate::embedded::{Embedded, fresh_folder};
use crate::json_call::{call, denial};

/// A `grpcurl` that a shell ran: its arguments.
struct Pasted {
    authorization: String,
    body: String,
    address: String,
    method: String,
}

/// Pastes what the banner says after the demo workspace into a shell whose `grpcurl` only writes down
/// what it was asked, with the user's own two values filled in.
fn paste(banner: &str, key: &str, key_id: &str) -> Vec<Pasted> {
    let tools = fresh_folder();
    for (tool, script) in [
        ("grpcurl", "#!/bin/sh\nprintf '%s\\0' \"$@\"\nprintf '\\036'\n"),
        // See `rest_beside_the_service.rs`.
        ("curl", "#!/bin/sh\n"),
    ] {
        let path = tools.path().join(tool);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let script = banner[banner.find("  TOKEN=").unwrap()..]
        .replace("<secret of the answer>", key)
        .replace("<keyId of the answer>", key_id);
    let ran =
        Command::new("/bin/sh").args(["-euc", &script]).env("PATH", tools.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).unwrap();
    said.split_terminator('\x1e').map(|words| pasted(words.split_terminator('\0'))).collect()
}

fn pasted<'a>(words: impl Iterator<Item = &'a str>) -> Pasted {
    let words: Vec<_> = words.collect();
    let ["-plaintext", "-H", header, "-d", body, address, method] = words[..] else {
        panic!("not what grpcurl takes: {words:?}");
    };
    Pasted {
        authorization: header.strip_prefix("authorization: ").unwrap().to_owned(),
        body: body.to_owned(),
        address: address.to_owned(),
        method: method.to_owned(),
    }
}

#[tokio::test]
async fn the_pasted_lines_give_a_key_its_verdicts_a_list_and_a_config() {
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let (banner, address) = (keyward.out(), keyward.address());
    let channel = channel(address);
    let ask = async |line: &Pasted| {
        assert_eq!(line.address, address.to_string());
        call(&channel, &line.authorization, &line.method, &line.body).await.unwrap()
    };

    let create = &paste(&banner, "", "")[0];
    assert_eq!(create.method, "keyward.v1.ApiKeyService/CreateApiKey");
    let created = ask(create).await;
    let secret = created["secret"].as_str().unwrap();
    let key_id = created["apiKey"]["keyId"].as_str().unwrap();

    let lines = paste(&banner, secret, key_id);
    let mut answers: HashMap<&str, Vec<_>> = HashMap::new();
    for line in &lines[1..] {
        answers.entry(line.method.rsplit('/').next().unwrap()).or_default().push(ask(line).await);
    }
    let verdicts: Vec<_> = answers["VerifyKey"].iter().map(denial).collect();
    assert_eq!(verdicts, [None, Some(Denial::IpNotAllowed), Some(Denial::InsufficientScope)]);
    let listed = &answers["ListApiKeys"][0]["apiKeys"];
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["keyId"]), (1, &key_id.into()));
    assert_eq!(answers["GetConfig"][0]["config"]["keyId"], key_id);

    let tenant = Tenant::printed(&banner);
    let mut client = Client::new(address, &tenant);
    let revoke = RevokeApiKeyRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: key_id.to_owned(),
        reason: RevocationReason::Superseded.into(),
        ..RevokeApiKeyRequest::default()
    };
    client.rpc.revoke_api_key(bearer(&tenant.token, revoke)).await.unwrap();
    assert_eq!(denial(&ask(&lines[1]).await), Some(Denial::Revoked));
    keyward.stop().await;
}

#[tokio::test]
async fn a_second_start_keeps_the_keys_and_shows_no_token() {
    let embedded = Embedded::new();
    let first = embedded.serve().await;
    let tenant = Tenant::printed(&first.out());
    let mut client = Client::new(first.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    first.stop().await;

    let second = embedded.serve().await;
    let banner = second.out();
    assert!(banner.contains(&tenant.workspace), "{banner}");
    assert!(!banner.contains("kww_"), "{banner}");
    let again = "workspace reset-token";
    let way = banner.lines().find(|line| line.contains(again)).expect("a way to a new token");
    assert!(way.contains(embedded.folder().to_str().unwrap()), "for this folder: {way}");
    Client::new(second.address(), &tenant).assert_accepted(&key).await;
    second.stop().await;
}

#[tokio::test]
async fn a_second_instance_on_the_same_folder_is_refused_with_one_line() {
    let embedded = Embedded::new();
    let first = embedded.serve().await;
    let second = embedded.start(&[]).finish().await;
    assert_eq!(second.code, Some(1));
    let complaint = second.complaint();
    assert!(complaint.contains(embedded.folder().to_str().unwrap()), "{complaint}");
    let tenant = Tenant::printed(&first.out());
    let mut client = Client::new(first.address(), &tenant);
    client.create(client.plain_key()).await.expect("the first one is not disturbed");
    first.stop().await;
}

#[tokio::test]
async fn what_it_keeps_for_itself_is_not_readable_by_others() {
    let embedded = Embedded::new();
    embedded.serve().await.stop().await;
    for secret in ["keyring.toml", "operator-token", "gateway-credential", "cluster"] {
        let kept = embedded.folder().join(secret);
        let mode = std::fs::metadata(&kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", kept.display());
    }
}
