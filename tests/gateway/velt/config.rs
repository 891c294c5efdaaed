//! The configuration of a key, and who may read it.

use serde_json::json;

use super::{CONFIG, CREATE, Velt, text};

#[tokio::test]
async fn the_configuration_is_answered_as_documented() {
    let velt = Velt::new("velt config").await;
    let body = json!({"data": {
        "ownerEmail": "owner@example.com", "type": "testing", "createAuthToken": true,
    }});
    let made = velt.send(CREATE, &body).await;
    let key = made.ok()["result"]["data"]["apiKey"].as_str().unwrap().to_owned();
    let token = made.header("x-velt-auth-token").to_owned();
    let key_id = velt.key_id(&key).await;
    let documented = |models: &str| {
        format!(
            "{{\"result\":{{\"status\":\"success\",\
             \"message\":\"API key metadata retrieved successfully.\",\"data\":{{\
             \"ownerEmail\":\"owner@example.com\",\"planInfo\":{{\"type\":\"sdk test\"}},\
             \"defaultDocumentAccessType\":\"public\",\"isPrivateCommentsEnabled\":false,\
             \"requireJwtToken\":false,\"requireAutoOrgUser\":false{models}}}}}}}"
        )
    };
    assert_eq!(text(&velt.config(&key, &token).await), documented(""));
    assert_eq!(text(&velt.config(&key_id, &token).await), documented(""));
    let secret = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
    for provider in ["openai", "anthropic"] {
        let put = velt.tenant.put_secret(&key_id, &format!("ai_models.{provider}"), secret);
        velt.tenant.client.clone().keys.put_config_secret(put).await.unwrap();
    }
    let masks = velt.tenant.read_config(&key_id).await.ai_models;
    let models = format!(
        ",\"aiModelsConfig\":{{\"anthropic\":{{\"displayText\":\"{}\"}},\
         \"openai\":{{\"displayText\":\"{}\"}}}}",
        masks["anthropic"].display_text, masks["openai"].display_text
    );
    let answer = velt.config(&key, &token).await;
    assert_eq!(text(&answer), documented(&models));
    assert!(!text(&answer).contains(secret));

    // Whatever body there is, it is not looked at.
    for (kind, body) in [("application/json", "{\"data\": {}}"), ("text/plain", "{{ x")] {
        let ask = velt.rest.post(CONFIG, body).header("content-type", kind);
        let ask = ask.header("x-velt-api-key", &key).header("x-velt-auth-token", &token);
        assert_eq!(text(&ask.send().await), documented(&models), "{kind}");
    }
}

#[tokio::test]
async fn every_member_of_the_configuration_is_what_was_set() {
    let velt = Velt::new("velt set").await;
    let body = json!({"data": {
        "ownerEmail": "owner@example.com", "type": "testing", "createAuthToken": true,
        "customPlanInfo": true, "customPlanInfoData": {"seats": 5, "x": [null, 0.5]},
    }});
    let made = velt.send(CREATE, &body).await;
    let key = made.ok()["result"]["data"]["apiKey"].as_str().unwrap().to_owned();
    let token = made.header("x-velt-auth-token").to_owned();
    let key_id = velt.key_id(&key).await;
    for (access, named) in [(2, "restricted"), (3, "organizationPrivate"), (1, "public")] {
        let config = api::v1::Config {
            default_document_access: access,
            private_comments_enabled: true,
            require_jwt_token: true,
            require_auto_org_user: true,
            ..api::v1::Config::default()
        };
        let paths = [
            "default_document_access",
            "private_comments_enabled",
            "require_jwt_token",
            "require_auto_org_user",
        ];
        let update = velt.tenant.update_config(&key_id, &paths, config);
        velt.tenant.client.clone().keys.update_config(update).await.unwrap();
        let config = velt.config(&key, &token).await.ok()["result"]["data"].clone();
        let expected = json!({
            "ownerEmail": "owner@example.com",
            "planInfo": {"seats": 5, "x": [null, 0.5]},
            "defaultDocumentAccessType": named,
            "isPrivateCommentsEnabled": true,
            "requireJwtToken": true,
            "requireAutoOrgUser": true,
        });
        assert_eq!(config, expected);
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_the_credentials_of_a_key_is_one_answer() {
    let velt = Velt::new("velt key").await;
    let (pair, other, dead) = (velt.pair().await, velt.pair().await, velt.pair().await);
    velt.tenant.revoke_key(&dead.key_id).await;
    let (key, auth) = ("x-velt-api-key", "x-velt-auth-token");
    let exact = "{\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"Invalid API key.\"}}";
    for headers in [
        vec![],
        vec![(key, &*pair.key)],
        vec![(auth, &*pair.token)],
        vec![(key, ""), (auth, &pair.token)],
        vec![(key, "key_1"), (auth, &pair.token)],
        vec![(key, &other.key), (auth, &pair.token)],
        vec![(key, &pair.key), (auth, &other.token)],
        vec![(key, &pair.key), (auth, "x")],
        vec![(key, &pair.key), (auth, &velt.tenant.token)],
        vec![(key, &dead.key), (auth, &dead.token)],
        vec![(key, &pair.key), (key, &pair.key), (auth, &pair.token)],
        vec![(key, &pair.key), (auth, &pair.token), (auth, &pair.token)],
    ] {
        let ask = velt.rest.post(CONFIG, "");
        let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        let answer = ask.send().await;
        assert_eq!((answer.status.as_u16(), text(&answer)), (403, exact), "{headers:?}");
    }
    assert_eq!(velt.config(&pair.key, &pair.token).await.status, 200);
}
