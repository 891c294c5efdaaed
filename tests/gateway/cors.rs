//! Pages of other sites: which may ask, and what they are told.

use gateway::Config;
use gateway::config::Settings;
use http::Method;
use serde_json::json;

use crate::echo::Echo;
use crate::rest::{Answer, Rest, settings};

const OURS: &str = "https://app.example.com";

async fn rest(origins: &[&str]) -> (Rest, Echo) {
    let echo = Echo::start().await;
    let cors_origin = Some(origins.iter().map(|&origin| origin.to_owned()).collect());
    (Rest::start(Settings { cors_origin, ..settings(echo.address) }).await, echo)
}

async fn preflight(rest: &Rest, path: &str, origin: &str) -> Answer {
    let asking = rest.request(Method::OPTIONS, path).header("origin", origin);
    let asking = asking.header("access-control-request-method", "POST");
    asking.header("access-control-request-headers", "authorization,content-type").send().await
}

fn unmarked(answer: &Answer) {
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
    }
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_ask_every_surface_and_read_what_it_needs() {
    let (rest, echo) = rest(&["http://localhost:5173", "HTTPS://app.example.com:443"]).await;
    for path in [
        "/v1/workspaces/w/keys",
        "/v2/workspace/apikey/create",
        "/v1/api-keys",
        "/web/v1/workspaces/w/api-keys",
    ] {
        let asked = preflight(&rest, path, OURS).await;
        assert_eq!((asked.status.as_u16(), asked.body.len()), (204, 0), "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), OURS);
        assert!(asked.header("access-control-allow-methods").contains("PATCH"));
        let headers = asked.header("access-control-allow-headers");
        for needed in ["authorization", "content-type", "x-velt-auth-token", "idempotency-key"] {
            assert!(headers.split(", ").any(|header| header == needed), "{needed}: {headers}");
        }
        assert!(!asked.headers.contains_key("access-control-allow-credentials"));
        assert_eq!(asked.header("vary"), "origin");
    }
    assert_eq!(echo.calls(), 0, "the service is not asked");
    let answer = rest.get("/v1/log/head").header("origin", OURS).send().await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("access-control-allow-origin"), OURS);
    let exposed = answer.header("access-control-expose-headers");
    for name in ["x-request-id", "etag", "retry-after", "x-velt-auth-token"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    assert_eq!(answer.header("vary"), "origin");
    // A surface whose answers vary anyway.
    let body = json!({"name": "x"}).to_string();
    let two = rest.post("/web/v1/workspaces/w/api-keys", body).header("origin", OURS).send().await;
    let vary: Vec<_> = two.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["accept-language", "origin"]);
    rest.stop().await;
}

#[tokio::test]
async fn a_page_of_another_origin_is_told_nothing() {
    let (rest, _echo) = rest(&[OURS]).await;
    for origin in [
        "https://evil.example",
        "null",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "https://APP.example.com",
    ] {
        let asked = preflight(&rest, "/v1/log/head", origin).await;
        assert_eq!(asked.status, 405, "{origin}");
        unmarked(&asked);
        assert_eq!(asked.header("vary"), "origin");
        let answer = rest.get("/v1/log/head").header("origin", origin).send().await;
        unmarked(&answer);
        assert_eq!(answer.header("vary"), "origin");
    }
    let two = rest.get("/v1/log/head").header("origin", OURS).header("origin", OURS);
    unmarked(&two.send().await);
    // `/verify` is asked by proxies: the origin is that of their client, and the answer is not a page's.
    let verify = preflight(&rest, "/verify", OURS).await;
    assert_eq!(verify.status, 503, "it needs a credential, and is asked by any method");
    unmarked(&verify);
    rest.stop().await;
}

#[tokio::test]
async fn by_default_no_page_may_ask() {
    let (rest, _echo) = rest(&[]).await;
    let asked = preflight(&rest, "/v1/log/head", OURS).await;
    assert_eq!(asked.status, 405);
    unmarked(&asked);
    assert!(!asked.headers.contains_key("vary"));
    rest.stop().await;
}

#[tokio::test]
async fn what_is_no_origin_is_refused_at_the_start() {
    for origin in
        ["*", "null", "app.example.com", "https://app.example.com/", "https://*.example.com"]
    {
        let cors_origin = Some(vec![OURS.to_owned(), origin.to_owned()]);
        let refused = Settings { cors_origin, ..settings(([127, 0, 0, 1], 1).into()) };
        let error = Config::resolve(refused).unwrap_err().to_string();
        assert!(error.starts_with("--cors-origin: ") && error.contains(origin), "{error}");
    }
}
