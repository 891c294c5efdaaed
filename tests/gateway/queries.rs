//! Queries, bound as the transcoding of google.api.http says.

use harness::Server;

use crate::rest::Rest;

#[tokio::test]
async fn parameters_of_every_kind_are_bound_and_wrong_ones_named() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("queries").await;
    let one = tenant.create_key("first one").await.api_key.unwrap().key_id;
    let two = tenant.create_key("second+one").await.api_key.unwrap().key_id;
    let list = async |query: &str| {
        let path = format!("/v1/workspaces/{}/keys?{query}", tenant.id);
        rest.get(&path).bearer(&tenant.token).send().await
    };
    let names = async |query: &str| {
        let keys = list(query).await.ok()["apiKeys"].clone();
        let keys = keys.as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["second+one", "first one"]);
    assert_eq!(names("pageSize=1").await, ["second+one"]);
    assert_eq!(names("page_size=1").await, ["second+one"]);
    assert_eq!(names(&format!("keyIds={one}&keyIds={two}&pageSize=50")).await.len(), 2);
    assert_eq!(names(&format!("keyIds={one}&")).await, ["first one"]);
    assert_eq!(names("namePrefix=first%20o").await, ["first one"]);
    assert_eq!(names("namePrefix=first+o").await, ["first one"]);
    assert_eq!(names("namePrefix=second%2Bo").await, ["second+one"]);
    assert_eq!(names("env=ENVIRONMENT_TEST").await, [""; 0]);
    assert_eq!(names("env=1&expiringBefore=1999-01-01T00:00:00Z").await, [""; 0]);

    for (query, path) in [
        ("nothing=1", "nothing"),
        ("pageSize=many", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("pageSize=1&page_size=2", "page_size"),
        ("pageSize=1.5", "pageSize"),
        ("pageSize=99999999999", "pageSize"),
        ("pageSize.x=1", "pageSize.x"),
        ("env=LIFE", "env"),
        ("workspaceId=ws_x", "workspaceId"),
        ("expiringBefore=soon", "expiringBefore"),
        ("namePrefix=%ff", "query"),
    ] {
        assert_eq!(list(query).await.field().0, path, "{query}");
    }
}

#[tokio::test]
async fn a_request_with_a_body_takes_no_query_and_one_without_no_body() {
    let rest = Rest::shared().await;
    let both = rest.post("/v1/keys:verify?key=a", "{}").send().await.field();
    assert_eq!(both, ("key".to_owned(), "must be in the path or the body only".to_owned()));
    let body = rest.get("/v1/log/head").body("{}").send().await;
    assert_eq!(body.refused(), (400, "MESSAGE_MALFORMED".to_owned()));
}
