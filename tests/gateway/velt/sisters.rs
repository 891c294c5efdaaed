//! What a user of the documented paths needs next: names, tokens and flags of keys.

use serde_json::json;

use super::{Velt, error, text};

const UPDATE: &str = "/v2/workspace/apikey/update";
const TOKENS: &str = "/v2/workspace/authtokens/get";
const RESET: &str = "/v2/workspace/authtoken/reset";
const CONFIGURE: &str = "/v2/workspace/apikeyconfig/update";

const NOT_FOUND: &str = "{\"error\":{\"status\":\"NOT_FOUND\",\"message\":\"API key not found.\"}}";

#[tokio::test]
async fn a_key_gets_another_name_however_it_is_named() {
    let velt = Velt::new("velt rename").await;
    let pair = velt.pair().await;
    let masked = velt.tenant.read_key(&pair.key_id).await.display;
    for (at, key) in [&pair.key_id, &pair.key, &masked].into_iter().enumerate() {
        let name = format!("name {at}");
        let body = json!({"data": {"apiKey": key, "apiKeyName": name}});
        let answer = velt.send(UPDATE, &body).await;
        assert_eq!(
            text(&answer),
            "{\"result\":{\"status\":\"success\",\"message\":\"API key updated successfully.\",\
             \"data\":null}}"
        );
        assert_eq!(velt.tenant.read_key(&pair.key_id).await.name, name);
    }
    let other = Velt::new("velt not mine").await.pair().await;
    for path in [UPDATE, TOKENS, RESET] {
        for key in ["velt_api_key_1", &other.key, &other.key_id] {
            let mut body = json!({"data": {"apiKey": key}});
            if path == UPDATE {
                body["data"]["apiKeyName"] = "a".into();
            }
            let answer = velt.send(path, &body).await;
            assert_eq!((answer.status.as_u16(), text(&answer)), (404, NOT_FOUND), "{path} {key}");
        }
        let (status, _, message) = error(&velt.send(path, &json!({"data": {}})).await);
        assert_eq!((status, message.as_str()), (400, "apiKey is required."));
        assert_eq!(error(&velt.rest.post(path, "{}").send().await).0, 403);
    }
}

#[tokio::test]
async fn tokens_are_listed_masked_and_shown_once_when_they_are_reset() {
    let velt = Velt::new("velt tokens").await;
    let pair = velt.pair().await;
    let body = json!({"data": {"apiKey": pair.key}});
    let token = velt.tenant.tokens(&pair.key_id, false).await.remove(0);
    assert_eq!(
        text(&velt.send(TOKENS, &body).await),
        format!(
            "{{\"result\":{{\"status\":\"success\",\
             \"message\":\"Auth tokens retrieved successfully.\",\"data\":{{\"apiKey\":\"{}\",\
             \"authTokens\":[{{\"token\":\"{}\",\"name\":\"a token\",\"domains\":[]}}]}}}}}}",
            pair.key_id, token.display
        )
    );
    let answer = velt.send(RESET, &body).await;
    let reset = answer.ok()["result"]["data"].clone();
    assert_eq!(
        (&reset["apiKey"], &reset["newAuthToken"]["name"]),
        (&json!(pair.key_id), &json!("a token"))
    );
    let renewed = reset["newAuthToken"]["token"].as_str().unwrap();
    assert_eq!(velt.config(&pair.key, &pair.token).await.status, 403);
    assert_eq!(velt.config(&pair.key, renewed).await.status, 200);

    // A key that has none gets one.
    let bare = velt.tenant.create_key("bare").await.api_key.unwrap().key_id;
    let reset = velt.send(RESET, &json!({"data": {"apiKey": bare}})).await.ok();
    let first = reset["result"]["data"]["newAuthToken"]["token"].as_str().unwrap();
    assert_eq!(velt.config(&bare, first).await.status, 200);
}

#[tokio::test]
async fn flags_and_model_keys_are_set_and_what_was_set_is_answered() {
    let velt = Velt::new("velt configure").await;
    let pair = velt.pair().await;
    let send = async |data: serde_json::Value| {
        let post = velt.rest.post(CONFIGURE, json!({"data": data}).to_string());
        let post = post.header("x-velt-api-key", &pair.key);
        post.header("x-velt-auth-token", &pair.token).send().await
    };
    let secret = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
    let answer = send(json!({
        "requireJwtToken": true, "defaultDocumentAccessType": "restricted",
        "aiModelApiKey": [{"provider": "openai", "customerApiKey": secret}],
    }));
    let answer = answer.await;
    let config = velt.tenant.read_config(&pair.key_id).await;
    assert_eq!(
        text(&answer),
        format!(
            "{{\"result\":{{\"status\":\"success\",\
             \"message\":\"API key configuration updated successfully.\",\
             \"data\":{{\"requireJwtToken\":true,\"defaultDocumentAccessType\":\"restricted\",\
             \"aiModelsConfig\":{{\"openai\":{{\"displayText\":\"{}\"}}}}}}}}}}",
            config.ai_models["openai"].display_text
        )
    );
    assert!(config.require_jwt_token && !text(&answer).contains(secret));
    let answer = send(json!({"enablePrivateComments": true, "requireAutoOrgUser": false})).await;
    let expected = json!({"enablePrivateComments": true, "requireAutoOrgUser": false});
    assert_eq!(answer.ok()["result"]["data"], expected);
    for (data, begins) in [
        (json!({}), "At least one field must be provided for update"),
        (json!({"enablePrivateComment": true}), "enablePrivateComment is not a known field."),
        (json!({"defaultDocumentAccessType": "x"}), "defaultDocumentAccessType must be"),
        (json!({"aiModelApiKey": [{"provider": "x"}]}), "aiModelApiKey[0].provider must be"),
        (
            json!({"aiModelApiKey": [{"provider": "openai"}]}),
            "aiModelApiKey[0].customerApiKey is required.",
        ),
    ] {
        let (status, name, message) = error(&send(data).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"));
        assert!(message.starts_with(begins), "{message}");
    }
    let (status, name, message) = error(&velt.rest.post(CONFIGURE, "{}").send().await);
    assert_eq!((status, &*name, &*message), (403, "PERMISSION_DENIED", "Invalid API key."));
}

#[tokio::test]
async fn a_workspace_is_told_its_name_and_the_mask_of_its_token() {
    let velt = Velt::new("velt workspace").await;
    let answer = velt.send("/v2/workspace/get", &json!({"data": {}})).await;
    let shown = answer.ok()["result"]["data"].clone();
    let masked = shown["authToken"].as_str().unwrap();
    assert!(velt.tenant.token.starts_with(masked) && masked != velt.tenant.token);
    assert_eq!(
        text(&answer),
        format!(
            "{{\"result\":{{\"status\":\"success\",\"message\":\"Workspace retrieved successfully\",\
             \"data\":{{\"id\":\"{}\",\"name\":\"velt workspace\",\"authToken\":\"{masked}\"}}}}}}",
            velt.tenant.id
        )
    );
    let other = Velt::new("velt another").await;
    let foreign =
        velt.rest.post("/v2/workspace/get", "").header("x-velt-workspace-id", &other.tenant.id);
    let foreign = foreign.header("x-velt-auth-token", &velt.tenant.token).send().await;
    assert_eq!(error(&foreign).2, "Invalid workspace credentials.");
}

#[tokio::test]
async fn the_domains_of_a_key_are_answered_to_its_token() {
    let velt = Velt::new("velt domains").await;
    let mut key = velt.tenant.key("a");
    key.allowed_domains = vec!["https://www.example.com".to_owned(), "*.example.org".to_owned()];
    key.allow_localhost = true;
    let pair = velt.tenant.pair(key).await;
    let ask = velt.rest.post("/v2/workspace/domains/get", "").header("x-velt-api-key", &pair.key);
    let domains = ask.header("x-velt-auth-token", &pair.token).send().await.ok();
    let mut domains: Vec<_> = domains["result"]["data"]["allowedDomains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|domain| domain.as_str().unwrap().to_owned())
        .collect();
    domains.sort_unstable();
    assert_eq!(domains, ["*.example.org", "127.0.0.1", "example.com", "localhost"]);
    let nobody = velt.rest.post("/v2/workspace/domains/get", "").send().await;
    assert_eq!(error(&nobody).2, "Invalid API key.");
}
