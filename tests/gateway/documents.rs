//! The documentation: OpenAPI that agrees with the routes, and a page that needs nothing from elsewhere.

use std::collections::BTreeSet;

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
