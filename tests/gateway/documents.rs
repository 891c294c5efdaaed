//! The documentation: OpenAPI that agrees with the routes, and a page that needs nothing from elsewhere.

use std::collections::BTreeSet;

use harness::Server;
use serde_json::Value;

use crate::every_rpc;
use crate::rest::Rest;

/// All that a document refers to.
pub(crate) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(target) if name == "$ref" => drop(found.insert(target.to_owned())),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn openapi_has_every_rpc_with_its_comment_and_refers_to_nothing_that_is_not_there() {
    let rest = Rest::shared().await;
    let document = rest.get("/openapi/keyward.json").send().await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let mut operations = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(operation["description"].as_str().is_some_and(|text| text.len() > 20), "{id}");
            let variables = path.matches('{').count();
            let parameters = operation["parameters"].as_array().unwrap();
            let declared = parameters.iter().filter(|one| one["in"] == "path").count();
            assert_eq!(declared, variables, "{id}");
            let has_body = operation["requestBody"].is_object();
            assert!(!has_body || ["post", "patch", "put"].contains(&method.as_str()), "{id}");
            assert!(operations.insert(id));
        }
    }
    let expected: BTreeSet<_> = every_rpc::with_routes().into_iter().collect();
    assert_eq!(operations, expected);

    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in found {
        let name = target.strip_prefix("#/components/schemas/").unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    let key = &document["components"]["schemas"]["ApiKey"]["properties"];
    assert!(key["ipAllowlist"]["description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(key["keyId"]["readOnly"], true);
}

#[tokio::test]
async fn what_the_page_fills_in_succeeds_once_the_path_is_filled_in() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let document = rest.get("/openapi/keyward.json").send().await.ok();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            if body.is_null() {
                continue;
            }
            let id = operation["operationId"].as_str().unwrap();
            let tenant = server.workspace("examples").await;
            let made = tenant.create_key("a key").await;
            let key_id = made.api_key.unwrap().key_id;
            let token = rest
                .post(
                    &format!("/v1/workspaces/{}/keys/{key_id}/authTokens", tenant.id),
                    r#"{"name": "a"}"#,
                )
                .bearer(&tenant.token)
                .send()
                .await
                .ok();
            let auth_token = token["authToken"]["authTokenId"].as_str().unwrap();
            let mut path = path.replace("{workspaceId}", &tenant.id).replace("{keyId}", &key_id);
            path = path.replace("{authTokenId}", auth_token);
            for parameter in operation["parameters"].as_array().unwrap() {
                let name = parameter["name"].as_str().unwrap();
                match (parameter["in"].as_str(), parameter["example"].as_str()) {
                    (Some("path"), Some(value)) => {
                        path = path.replace(&format!("{{{name}}}"), value)
                    }
                    (Some("query"), Some(value)) => path = format!("{path}?{name}={value}"),
                    (_, _) => {}
                }
            }
            let token = match every_rpc::OPERATORS.contains(&id) {
                true => server.operator_token(),
                false => &tenant.token,
            };
            let method = method.to_uppercase().parse().unwrap();
            let answer =
                rest.request(method, &path).body(body.to_string()).bearer(token).send().await;
            assert_eq!(answer.status, 200, "{id} {path} {body}: {:?}", answer.body);
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

#[tokio::test]
async fn every_rpc_says_how_it_fails_with_the_reasons_of_its_comment() {
    let document = Rest::shared().await.get("/openapi/keyward.json").send().await.ok();
    let keys = &document["paths"]["/v1/workspaces/{workspaceId}/keys/{keyId}:rotate"]["post"];
    let said = |status: &str| keys["responses"][status]["description"].as_str().unwrap().to_owned();
    assert!(said("400").contains("`ROTATION_GRACE_RUNNING`: The credential before the newest"));
    assert!(said("409").contains("ETAG_MISMATCH") && said("401").contains("CREDENTIAL_MISSING"));
    assert!(!keys["description"].as_str().unwrap().contains("Errors:"), "{keys}");
    for (_, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let summary = operation["summary"].as_str().unwrap();
            assert!((5..=70).contains(&summary.len()), "{id}: {summary}");
            for status in ["200", "400", "401", "403", "429", "503", "504"] {
                assert!(operation["responses"][status].is_object(), "{id} {method} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_schemas_say_what_may_not_stand_together_and_how_headers_are_spelt() {
    let rest = Rest::shared().await;
    let document = rest.get("/openapi/keyward.json").send().await.ok();
    let schemas = &document["components"]["schemas"];
    let pairs = schemas["EraseSubjectRequest"]["not"]["anyOf"].as_array().unwrap();
    // Five members, at most one of them.
    assert_eq!(pairs.len(), 10, "{pairs:?}");
    assert!(pairs.contains(&serde_json::json!({"required": ["keyId", "ownerEmail"]})), "{pairs:?}");
    let base64 = schemas["VerifyLogRequest"]["properties"]["mac"]["pattern"].as_str();
    assert!(base64.is_some_and(|pattern| pattern.contains("==")), "{base64:?}");
    let path = "/v1/workspaces/{workspaceId}/keys/{keyId}:disable";
    let parameters = document["paths"][path]["post"]["parameters"].as_array().unwrap();
    for name in ["Idempotency-Key", "If-Match"] {
        let header = parameters.iter().find(|one| one["name"] == name).unwrap();
        assert!(header["schema"]["pattern"].is_string(), "{header}");
        let asking = rest.post("/v1/workspaces/ws_a/keys/key_a:disable", "{}");
        let unquoted = asking.header(name, "\"not closed").bearer("x").send().await;
        assert_eq!(unquoted.field().0, name.to_lowercase());
    }
}

#[tokio::test]
async fn the_page_comes_whole_from_the_gateway_and_may_ask_nobody_else() {
    let rest = Rest::shared().await;
    let moved = rest.get("/docs").send().await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (302, "docs/"));
    let page = rest.get("/docs/").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body, rest.get("/docs/index.html").send().await.body);
    assert!(page.header("content-security-policy").contains("connect-src 'self'"));
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-standalone-preset.js"] {
        let file = rest.get(&format!("/docs/{file}")).send().await;
        assert!(file.status == 200 && file.body.len() > 10_000, "{:?}", file.headers);
    }
    let list = rest.get("/docs/documents.js").send().await;
    let list = String::from_utf8_lossy(&list.body).into_owned();
    for file in ["keyward.json", "compatible.json"] {
        assert!(list.contains(&format!("../openapi/{file}")), "{list}");
        assert_eq!(rest.get(&format!("/openapi/{file}")).send().await.ok()["openapi"], "3.1.0");
    }
    // The page that Swagger UI brings shows somebody else's pet shop.
    assert_eq!(rest.get("/docs/swagger-initializer.js").send().await.status, 404);
    assert_eq!(rest.get("/docs/none.js").send().await.status, 404);
    assert_eq!(rest.get("/openapi/none.json").send().await.status, 404);
}
