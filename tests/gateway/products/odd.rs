//! Headers and queries that no client of these products sends, and that some client will.

use harness::Server;
use http::{HeaderValue, Method};

use super::{Caller, Operation, Product, operations};
use crate::rest::Rest;

/// Values that a header can carry and no credential is.
fn odd_values() -> Vec<HeaderValue> {
    let mut all: Vec<_> = ["", " ", "Bearer", "Bearer ", "bearer\tx", "Basic eDp5", "\"\"", "null"]
        .into_iter()
        .map(HeaderValue::from_static)
        .collect();
    all.extend(
        [&b"\xff\xfe"[..], "kwk_l\u{ef}ve_x".as_bytes()]
            .map(|bytes| HeaderValue::from_bytes(bytes).unwrap()),
    );
    all.push(HeaderValue::try_from("x".repeat(7_000)).unwrap());
    all.push(HeaderValue::try_from("kww_".repeat(1_000)).unwrap());
    all
}

/// The headers that say who asks for what.
const NAMES: [&str; 9] = [
    "authorization",
    "x-velt-auth-token",
    "x-velt-workspace-auth-token",
    "x-velt-workspace-id",
    "x-velt-api-key",
    "x-workspace-id",
    "x-client-hash",
    "idempotency-key",
    "x-keyward-api-key",
];

async fn answered(
    operation: &Operation,
    rest: &Rest,
    caller: &Caller,
    name: &str,
    value: &HeaderValue,
) {
    let mut ask = operation.ask(rest, caller, operation.good.clone());
    ask = ask.value(name, value.clone());
    let answer = ask.send().await;
    let status = answer.status.as_u16();
    let what = format!("{} {} with {name}: {value:?}", operation.method, operation.path);
    assert!(status < 500, "{what}: {status}");
    if status >= 400 {
        let told = operation.product.told(&answer);
        assert!(told.message.len() < 300, "{what}");
        for secret in [&caller.workspace_token, &caller.user_token, &caller.key_token] {
            assert!(!told.message.contains(secret.as_str()), "{what}");
        }
    }
}

#[tokio::test]
async fn a_header_of_any_bytes_is_answered_in_the_envelope_and_never_a_500() {
    let server = Server::shared().await;
    let tenant = server.workspace("odd headers").await;
    let (rest, caller) = (Rest::shared().await, Caller::of(&server, &tenant).await);
    for operation in operations(&caller.workspace_id) {
        for name in NAMES {
            let values = odd_values();
            let asked =
                values.iter().map(|value| answered(&operation, &rest, &caller, name, value));
            futures_util::future::join_all(asked).await;
        }
    }
}

#[tokio::test]
async fn a_query_of_any_kind_is_answered_in_the_envelope_and_never_a_500() {
    let server = Server::shared().await;
    let tenant = server.workspace("odd queries").await;
    let (rest, caller) = (Rest::shared().await, Caller::of(&server, &tenant).await);
    let lists = operations(&caller.workspace_id).into_iter().filter(|one| {
        one.product != Product::Velt && one.method == Method::GET && one.path.ends_with("api-keys")
    });
    for mut list in lists {
        let path = std::mem::take(&mut list.path);
        for (query, status) in [
            ("", 200),
            ("&", 200),
            ("&&pageSize=1&", 200),
            ("pageSize=0", 200),
            ("pageSize=5", 200),
            ("pageSize=1&pageSize=2", 200),
            ("pageSize=", 400),
            ("pageSize", 400),
            ("pageSize=1.5", 400),
            ("pageSize=-1", 400),
            ("pageSize=99999999999", 400),
            ("pageSize=%ff", 400),
            ("pageToken=%00", 400),
            ("pageToken=eyJsYXN0SWQiOiJ2ZWx0X2FwaV9rZXlfMiJ9", 400),
            ("page_size=1", 400),
            ("%70ageSize=1", 400),
            ("=1", 400),
            ("showDeleted=true", 400),
        ] {
            list.path = format!("{path}?{query}");
            let answer = list.good(&rest, &caller).await;
            assert_eq!(answer.status, status, "{}: {:?}", list.path, answer.body);
            if status == 400 {
                list.product.told(&answer);
            }
        }
    }
}

#[tokio::test]
async fn a_suspended_workspace_makes_no_keys_and_says_so_in_each_envelope() {
    let server = Server::shared().await;
    let tenant = server.workspace("suspended").await;
    let (rest, caller) = (Rest::shared().await, Caller::of(&server, &tenant).await);
    let suspend = api::v1::SuspendWorkspaceRequest {
        workspace_id: tenant.id.clone(),
        ..api::v1::SuspendWorkspaceRequest::default()
    };
    server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    let creates = ["apikey/create", "/v1/api-keys", "/api-keys"];
    let mut asked = 0;
    for operation in operations(&caller.workspace_id) {
        let makes = creates.iter().any(|end| operation.path.ends_with(end));
        if !makes || operation.method != Method::POST {
            continue;
        }
        let told = operation.product.told(&operation.good(&rest, &caller).await);
        let status = operation.product.named("FAILED_PRECONDITION");
        assert_eq!((told.http, told.status), (400, status), "{}", operation.path);
        assert!(told.message.contains("suspended"), "{}", told.message);
        asked += 1;
    }
    assert_eq!(asked, 3);
}
