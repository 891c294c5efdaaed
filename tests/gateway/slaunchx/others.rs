//! What a user of this product needs next: list, get, disable, enable, delete.

use std::time::Duration;

use api::v1::{Decision, Denial};

use super::{Product, error, order, success};

#[tokio::test]
async fn a_key_is_got_switched_and_deleted() {
    let product = Product::new("life").await;
    let made = success(&product.create(r#"{"name":"a","scopes":["x"]}"#).await, 201);
    let secret = made["secret"].as_str().unwrap();
    let path = format!("{}/{}", product.keys(), made["apiKeyId"].as_str().unwrap());
    let answer = product.get(&path).await;
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(success(&answer, 200), expected);
    assert_eq!(
        order(&answer.body),
        "version timestamp success code message data apiKeyId name status mode scopes ipWhitelist createdAt "
    );
    let disabled = product.post(&format!("{path}/disable"), "").await;
    assert_eq!(success(&disabled, 200)["status"], "DISABLED");
    // When it is answered, nobody accepts it any more.
    assert_eq!(product.tenant.verify(secret).await.denial(), Denial::Disabled);
    let switched = "version timestamp success code message data apiKeyId name status mode scopes \
                    ipWhitelist createdAt ";
    assert_eq!(order(&disabled.body), switched);
    let enabled = product.post(&format!("{path}/enable"), "{}").await;
    assert_eq!(order(&enabled.body), switched);
    assert_eq!(success(&enabled, 200)["status"], "ACTIVE");
    testkit::eventually("the key is accepted again", Duration::from_secs(10), async || {
        product.tenant.verify(secret).await.decision() == Decision::Accepted
    })
    .await;

    for _ in 0..2 {
        let deleted = product.post(&format!("{path}/delete"), "").await;
        assert_eq!(deleted.status, 204, "{:?}", deleted.body);
        assert!(deleted.body.is_empty() && deleted.header("content-type").is_empty());
    }
    assert_eq!(product.tenant.verify(secret).await.decision(), Decision::Denied);
    let gone = (404, "API key not found".to_owned());
    assert_eq!(error(&product.get(&path).await), gone);
    assert_eq!(error(&product.post(&format!("{path}/enable"), "").await), gone);
    let unknown = format!("{}/key_01kaxkgbw8f1xtw2y1c6qpf6cm", product.keys());
    assert_eq!(error(&product.get(&unknown).await), gone);
    assert_eq!(error(&product.get(&format!("{}/nothing", product.keys())).await), gone);
}

#[tokio::test]
async fn keys_are_listed_page_by_page_without_secrets() {
    let product = Product::new("list").await;
    for name in ["a", "b", "c"] {
        success(&product.create(&format!(r#"{{"name":"{name}"}}"#)).await, 201);
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{}?pageSize=2&pageToken={token}", product.keys());
        let answer = product.get(&path).await;
        let page = success(&answer, 200);
        let key = "apiKeyId name status mode scopes ipWhitelist createdAt ";
        let keys = key.repeat(page["apiKeys"].as_array().unwrap().len());
        let more = if page.get("nextPageToken").is_some() { "nextPageToken " } else { "" };
        let members = "version timestamp success code message data apiKeys ";
        assert_eq!(order(&answer.body), format!("{members}{keys}{more}"));
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
        let keys = page["apiKeys"].as_array().unwrap();
        names.extend(keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(names, ["c", "b", "a"]);
    for query in ["pageSize=-1", "pageSize=x", "pagesize=1", "pageToken=abc"] {
        let answer = product.get(&format!("{}?{query}", product.keys())).await;
        assert_eq!(error(&answer).0, 400, "{query}");
    }
}

#[tokio::test]
async fn a_member_sees_keys_and_changes_none() {
    let product = Product::new("member").await;
    let made = success(&product.create(r#"{"name":"a"}"#).await, 201);
    let path = format!("{}/{}", product.keys(), made["apiKeyId"].as_str().unwrap());
    let member = product.server.user_token(&product.tenant, "member");
    for path in [&product.keys(), &path] {
        success(&product.complete(product.rest.get(path), &member).send().await, 200);
    }
    for verb in ["disable", "enable", "delete"] {
        let asking = product.rest.post(&format!("{path}/{verb}"), "");
        let refused = error(&product.complete(asking, &member).send().await);
        assert_eq!(refused, (403, "Only workspace owner can manage API keys".to_owned()));
    }
}

#[tokio::test]
async fn every_operation_needs_the_headers_of_this_product() {
    let product = Product::new("sisters").await;
    let made = success(&product.create(r#"{"name":"a"}"#).await, 201);
    let path = format!("{}/{}", product.keys(), made["apiKeyId"].as_str().unwrap());
    for name in ["X-Workspace-Id", "X-Client-Hash"] {
        let missing = (400, format!("{name} is required"));
        for path in [&product.keys(), &path] {
            let asking = product.but_for(product.rest.get(path), &product.owner, name);
            assert_eq!(error(&asking.send().await), missing, "{path}");
        }
        for verb in ["disable", "enable", "delete"] {
            let asking = product.rest.post(&format!("{path}/{verb}"), "");
            let asking = product.but_for(asking, &product.owner, name);
            assert_eq!(error(&asking.send().await), missing, "{verb}");
        }
    }
    let odd = product.post(&format!("{path}/disable"), r#"{"reason":"x"}"#).await;
    assert_eq!(error(&odd), (400, "reason is not known here".to_owned()));
    assert_eq!(success(&product.get(&path).await, 200)["status"], "ACTIVE");
}
