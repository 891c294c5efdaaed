//! The OpenAPI of the products' surfaces: held against what the gateway serves.

use std::collections::BTreeSet;

use api::v1::CreateApiKeyRequest;
use gateway::surface::Surface;
use harness::Server;
use http::Method;
use serde_json::Value;

use crate::documents::references;
use crate::rest::{Asking, Rest, settings};

const PRODUCTS: [Surface; 4] =
    [Surface::Velt, Surface::Organization, Surface::SlaunchX, Surface::ForwardAuth];

async fn document(rest: &Rest) -> Value {
    rest.get("/openapi/compatible.json").send().await.ok()
}

/// Method and path of each operation; variables without their names.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), nameless(path)))
    });
    operations.collect()
}

fn nameless(path: &str) -> String {
    let segments = path.split('/').map(|one| if one.starts_with('{') { "{}" } else { one });
    segments.collect::<Vec<_>>().join("/")
}

fn served(surfaces: &[Surface]) -> BTreeSet<(String, String)> {
    let endpoints = surfaces.iter().flat_map(|surface| surface.table().endpoints);
    endpoints.map(|one| (one.method.to_string(), nameless(one.template))).collect()
}

#[tokio::test]
async fn every_endpoint_of_every_product_is_documented_and_nothing_else() {
    let document = document(&Rest::shared().await).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(operations(&document), served(&PRODUCTS));
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["description"].as_str().is_some_and(|it| it.len() > 15), "{id}");
            let parameters = operation["parameters"].as_array().unwrap();
            let in_path = parameters.iter().filter(|one| one["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{id}");
            // Who signs up has no credential yet.
            let open = operation["security"].as_array().unwrap().is_empty();
            assert_eq!(open, id == "veltCreateWorkspace", "{id}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let bare = status == "204" || (id == "verify" && status == "200");
                let content = response["content"].as_object();
                assert_eq!(content.is_none(), bare, "{id} {status}");
                for media in content.into_iter().flat_map(serde_json::Map::values) {
                    assert!(!media["example"].is_null(), "{id} {status} shows no example");
                }
            }
            let body = &operation["requestBody"];
            assert!(
                body.is_null() || body["content"]["application/json"]["example"].is_object(),
                "{id}"
            );
        }
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in found {
        let name = target.strip_prefix("#/components/schemas/").unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn surfaces_that_are_off_are_in_no_document_and_not_on_the_page() {
    let service = Server::shared().await.address();
    let without = |off: &[Surface]| {
        let without = Some(off.to_vec());
        Rest::start(gateway::config::Settings { without, ..settings(service) })
    };
    let off = [Surface::Velt, Surface::ForwardAuth, Surface::Canonical];
    let rest = without(&off).await;
    let document = document(&rest).await;
    assert_eq!(operations(&document), served(&[Surface::Organization, Surface::SlaunchX]));
    assert!(!document.to_string().contains("Velt"));
    assert_eq!(rest.get("/openapi/keyward.json").send().await.status, 404);
    let list = rest.get("/docs/documents.js").send().await;
    let list = String::from_utf8_lossy(&list.body).into_owned();
    assert!(list.contains("compatible.json") && !list.contains("keyward.json"), "{list}");

    let rest = without(&PRODUCTS).await;
    assert_eq!(rest.get("/openapi/compatible.json").send().await.status, 404);
    assert_eq!(rest.get("/openapi/keyward.json").send().await.status, 200);
}

/// The documented request of an operation.
fn asking(rest: &Rest, document: &Value, path: &str, workspace: &str) -> Asking {
    let operation = &document["paths"][path]["post"];
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    let path = path.replace("{workspaceId}", workspace);
    rest.request(Method::POST, &path).body(example.to_string())
}

#[tokio::test]
async fn bodies_that_need_not_be_there_may_be_null_as_documented() {
    let rest = Rest::shared().await;
    let document = document(&rest).await;
    let schema = |path: &str| {
        let body = &document["paths"][path]["post"]["requestBody"];
        assert_eq!(body["required"], false, "{path}");
        body["content"]["application/json"]["schema"].clone()
    };
    let of_key = "/web/v1/workspaces/{workspaceId}/api-keys/{keyId}";
    let delete = format!("{of_key}/delete");
    for path in ["/v2/workspace/apikeys/get", "/v2/workspace/get", &delete] {
        assert_eq!(schema(path)["type"], serde_json::json!(["object", "null"]), "{path}");
    }
    assert_eq!(schema("/v2/workspace/domains/get"), serde_json::json!({}));

    let server = Server::shared().await;
    let tenant = server.workspace("null bodies").await;
    let key_id = tenant.create_key("a key").await.api_key.unwrap().key_id;
    let asking = rest.post("/v2/workspace/apikeys/get", "null");
    let asking = asking.header("x-velt-workspace-id", &tenant.id);
    assert_eq!(asking.header("x-velt-auth-token", &tenant.token).send().await.status, 200);
    let path = delete.replace("{workspaceId}", &tenant.id).replace("{keyId}", &key_id);
    let asking = rest.post(&path, "null").bearer(&server.user_token(&tenant, "owner"));
    let asking = asking.header("x-workspace-id", &tenant.id).header("x-client-hash", "3f2a9c");
    assert_eq!(asking.send().await.status, 204);
}

#[tokio::test]
async fn an_idempotency_key_that_is_too_short_is_refused_wherever_one_is_documented() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("short keys").await;
    let owner = server.user_token(&tenant, "owner");
    let asked = CreateApiKeyRequest { create_auth_token: true, ..tenant.key("a key") };
    let made = tenant.create(asked).await;
    let key_id = made.api_key.unwrap().key_id;
    let document = document(&rest).await;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap();
            if !parameters.iter().any(|one| one["name"] == "Idempotency-Key") {
                continue;
            }
            let shown = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = if shown.is_null() { String::new() } else { shown.to_string() };
            let body = body.replace("key_...", &key_id);
            let to = path.replace("{workspaceId}", &tenant.id);
            let to = to.replace("{keyId}", &key_id).replace("{id}", &key_id);
            let asking = rest.request(method.to_uppercase().parse().unwrap(), &to).body(body);
            let asking = asking.header("idempotency-key", "fifteen-letters");
            let first = operation["security"][0].as_object().unwrap();
            let asking = if first.contains_key("veltAuthToken") {
                asking
                    .header("x-velt-api-key", &key_id)
                    .header("x-velt-auth-token", &made.auth_token)
            } else if first.contains_key("veltWorkspaceToken") {
                let asking = asking.header("x-velt-workspace-id", &tenant.id);
                asking.header("x-velt-api-key", &key_id).header("x-velt-auth-token", &tenant.token)
            } else {
                let asking = asking.bearer(&owner).header("x-workspace-id", &tenant.id);
                asking.header("x-client-hash", "3f2a9c")
            };
            let answer = asking.send().await;
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(answer.status == 400 && said.contains("Idempotency-Key"), "{to}: {said}");
            tried += 1;
        }
    }
    assert!(tried >= 9, "{tried}");
}

#[tokio::test]
async fn the_documented_requests_succeed() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("documented").await;
    let owner = server.user_token(&tenant, "owner");
    let document = document(&rest).await;
    let asking = |path| asking(&rest, &document, path, &tenant.id);
    for path in ["/v2/workspace/apikey/create", "/v2/workspace/apikeys/get", "/v2/workspace/get"] {
        let asking = asking(path).header("x-velt-workspace-id", &tenant.id);
        let answer = asking.header("x-velt-auth-token", &tenant.token).send().await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    }
    let answer = asking("/v1/api-keys").bearer(&owner).send().await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let asking = asking("/web/v1/workspaces/{workspaceId}/api-keys").bearer(&owner);
    let asking = asking.header("x-workspace-id", &tenant.id).header("x-client-hash", "3f2a9c");
    let answer = asking.send().await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
}
