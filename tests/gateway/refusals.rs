//! What is refused by path, method, size and kind, and what every answer says in its headers.

use harness::Server;
use http::Method;

use crate::rest::{Answer, Rest};

fn problem(answer: &Answer) -> u16 {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!(body["status"], answer.status.as_u16(), "{body}");
    assert!(body["title"].is_string() && body["type"] == "about:blank", "{body}");
    answer.status.as_u16()
}

#[tokio::test]
async fn a_path_that_nobody_has_is_a_problem_and_one_of_a_surface_is_in_its_envelope() {
    let rest = Rest::shared().await;
    for path in ["/", "/nothing", "/v3/keys", "/v1", "//v1/keys:verify"] {
        assert_eq!(problem(&rest.get(path).send().await), 404, "{path}");
    }
    for path in [
        "/v1/",
        "/v1/keys",
        "/v1/keys:verify/",
        "/v1/workspaces/a/keys/b:burn",
        "/v1/workspaces//keys",
    ] {
        let refused = rest.post(path, "").send().await.refused();
        assert_eq!(refused, (404, "METHOD_UNKNOWN".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_answered_with_those_that_it_takes() {
    let rest = Rest::shared().await;
    for (method, path, allow) in [
        (Method::GET, "/v1/keys:verify", "POST"),
        (Method::PUT, "/v1/workspaces/a/keys", "POST, GET, HEAD"),
        (Method::POST, "/v1/workspaces/a/keys/b", "GET, HEAD, PATCH, DELETE"),
        (Method::OPTIONS, "/v1/log/head", "GET, HEAD"),
    ] {
        let answer = rest.request(method.clone(), path).send().await;
        assert_eq!(answer.refused(), (405, "METHOD_UNKNOWN".to_owned()), "{method} {path}");
        let mut found: Vec<_> = answer.header("allow").split(", ").collect();
        let mut expected: Vec<_> = allow.split(", ").collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }
    assert_eq!(problem(&rest.post("/healthz", "").send().await), 405);
}

#[tokio::test]
async fn a_body_may_have_64_kib_and_1_mib_where_lists_are_taken() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("large").await;
    let keys = format!("/v1/workspaces/{}/keys", tenant.id);
    let post =
        async |path: &str, body: String| rest.post(path, body).bearer(&tenant.token).send().await;
    // Spaces count as much as anything.
    let padded = |bytes: usize| format!("{{\"name\":\"a\"{}}}", " ".repeat(bytes - 12));
    let too_large = (413, "MESSAGE_TOO_LARGE".to_owned());
    assert_eq!(post(&keys, padded(1024 * 1024)).await.status, 200);
    assert_eq!(post(&keys, padded(1024 * 1024 + 1)).await.refused(), too_large);
    let message = format!("{{\"name\":\"{}\"}}", "x".repeat(65 * 1024));
    assert_eq!(post(&keys, message).await.refused(), too_large, "by the service");
    let verify = format!("{{\"key\":\"a\"{}}}", " ".repeat(64 * 1024 - 11));
    assert_eq!(post("/v1/keys:verify", verify.clone()).await.status, 200);
    assert_eq!(post("/v1/keys:verify", format!("{verify} ")).await.refused(), too_large);
}

#[tokio::test]
async fn a_body_is_json_uncompressed_or_says_nothing_of_itself() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("kinds").await;
    let send = async |name: &str, value: &str| {
        let asking = rest.post("/v1/keys:verify", "{\"key\":\"a\"}").bearer(&tenant.token);
        asking.header(name, value).send().await
    };
    for kind in
        ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"]
    {
        assert_eq!(send("content-type", kind).await.status, 200, "{kind}");
    }
    let unsupported = (415, "MESSAGE_MALFORMED".to_owned());
    for kind in [
        "text/plain",
        "application/grpc",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
    ] {
        assert_eq!(send("content-type", kind).await.refused(), unsupported, "{kind}");
    }
    assert_eq!(send("content-encoding", "gzip").await.refused(), unsupported);
}

#[tokio::test]
async fn refusals_of_the_service_keep_their_reason_and_say_in_headers_what_http_knows() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let (tenant, other) = (server.workspace("one").await, server.workspace("other").await);
    let keys = |id: &str| format!("/v1/workspaces/{id}/keys");
    let nobody = rest.get(&keys(&tenant.id)).send().await;
    assert_eq!(nobody.refused(), (401, "CREDENTIAL_MISSING".to_owned()));
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"keyward\"");
    assert_eq!(nobody.json()["error"]["status"], "UNAUTHENTICATED");
    let unknown = rest.get(&keys(&tenant.id)).bearer("kww_live_nothing").send().await;
    assert_eq!(unknown.refused(), (401, "CREDENTIAL_INVALID".to_owned()));
    let challenge = "Bearer realm=\"keyward\", error=\"invalid_token\"";
    assert_eq!(unknown.header("www-authenticate"), challenge);

    let foreign = rest.get(&keys(&other.id)).bearer(&tenant.token).send().await;
    let missing =
        rest.get(&keys("ws_01m7z4q90pffyr6grw1xbf0abq")).bearer(&tenant.token).send().await;
    assert_eq!(foreign.refused(), (404, "WORKSPACE_NOT_FOUND".to_owned()));
    assert_eq!(missing.refused(), foreign.refused());

    let operators =
        rest.post("/v1/workspaces", "{\"name\":\"x\"}").bearer(&tenant.token).send().await;
    assert_eq!(operators.refused(), (403, "PERMISSION_DENIED".to_owned()));
    let field = rest.get(&format!("{}?pageSize=-1", keys(&tenant.id))).bearer(&tenant.token);
    assert_eq!(field.send().await.field().0, "page_size");

    let twice = rest.get(&keys(&tenant.id)).bearer(&tenant.token).bearer(&tenant.token);
    assert_eq!(twice.send().await.refused(), (400, "TWO_CREDENTIALS".to_owned()));
}

#[tokio::test]
async fn every_answer_has_a_name_and_is_not_to_be_stored() {
    let rest = Rest::shared().await;
    for path in ["/", "/healthz", "/v1/log/head", "/v2/workspace/apikey/create"] {
        let named = rest.get(path).header("x-request-id", "my-name-1").send().await;
        assert_eq!(named.header("x-request-id"), "my-name-1", "{path}");
        assert_eq!(named.header("cache-control"), "no-store", "{path}");
        let unnamed = rest.get(path).header("x-request-id", "two words").send().await;
        assert_eq!(unnamed.header("x-request-id").len(), 36, "{path}");
    }
}
