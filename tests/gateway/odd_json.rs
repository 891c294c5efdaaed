//! Bodies that are refused before the service sees them, each with the path of what is wrong.

use harness::{Server, Tenant};

use crate::rest::{Answer, Rest};

struct Odd {
    rest: Rest,
    tenant: Tenant,
}

impl Odd {
    async fn start() -> Self {
        let (server, rest) = (Server::shared().await, Rest::shared().await);
        Self { rest, tenant: server.workspace("odd").await }
    }

    async fn create(&self, body: impl Into<Vec<u8>>) -> Answer {
        let path = format!("/v1/workspaces/{}/keys", self.tenant.id);
        self.rest.post(&path, body.into()).bearer(&self.tenant.token).send().await
    }
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let odd = Odd::start().await;
    for body in [
        &b"{"[..],
        b"{\"name\":\"a\"",
        b"{\"name\":\"a\"}}",
        b"{\"name\":\"a\"} x",
        b"{\"name\":\"a\",}",
        b"{,}",
        b"{name:\"a\"}",
        b"{'name':\"a\"}",
        b"{\"name\":\"a\"}{}",
        b"\xef\xbb\xbf{}",
        b"{\"name\":\"\xff\"}",
        b"{\"name\":\"a\nb\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\\udc00\"}",
        b"{\"name\":\"\\ud800\\u0041\"}",
        b"{\"name\":\"\\x\"}",
        b"{\"name\":\"\\u12\"}",
        b"{\"allowLocalhost\":tru}",
        b"{\"name\":nullx}",
        b"// hello\n{}",
        b"NaN",
    ] {
        let shown = String::from_utf8_lossy(body);
        let answer = odd.create(body).await;
        assert_eq!(answer.refused(), (400, "MESSAGE_MALFORMED".to_owned()), "{shown}");
    }
}

#[tokio::test]
async fn the_path_of_what_is_wrong_is_named() {
    let odd = Odd::start().await;
    let deep =
        format!("{{\"plan\":{{\"customData\":{}1{}}}}}", "{\"a\":".repeat(31), "}".repeat(31));
    let deep_path = format!("plan.custom_data{}", ".a".repeat(30));
    for (body, path, rule) in [
        ("{\"ipWhitelist\":[]}", "ipWhitelist", "there is no such field"),
        ("{\"owner\":{\"mail\":\"x\"}}", "owner.mail", "there is no such field"),
        ("{\"name\":\"a\",\"name\":\"b\"}", "name", "must be there once"),
        ("{\"ipAllowlist\":[],\"ip_allowlist\":[]}", "ip_allowlist", "must be there once"),
        ("{\"metadata\":{\"a\":\"1\",\"a\":\"2\"}}", "metadata.a", "must be there once"),
        ("{\"metadata\":{\"a\":1}}", "metadata.a", "must be a string"),
        (
            "{\"plan\":{\"customData\":{\"x\":{\"y\":1,\"y\":2}}}}",
            "plan.custom_data.x.y",
            "must be there once",
        ),
        ("{\"name\":1}", "name", "must be a string"),
        ("{\"scopes\":\"read\"}", "scopes", "must be a list"),
        ("{\"scopes\":[\"a\",null]}", "scopes[1]", "must be a string"),
        ("{\"scopes\":[\"a\",[]]}", "scopes[1]", "must be a string"),
        ("{\"allowLocalhost\":\"true\"}", "allow_localhost", "must be true or false"),
        ("{\"owner\":[]}", "owner", "must be an object"),
        (
            "{\"expiresAt\":\"soon\"}",
            "expires_at",
            "must be a time as RFC 3339 has it, such as 2030-01-31T12:00:00Z",
        ),
        (deep.as_str(), deep_path.as_str(), "must not be deeper than 32 levels"),
        (
            "{\"workspaceId\":\"ws_other\",\"name\":\"a\"}",
            "workspace_id",
            "must be as in the path, or left out",
        ),
    ] {
        let found = odd.create(body).await.field();
        assert_eq!(found, (path.to_owned(), rule.to_owned()), "{body}");
    }
    let env = odd.create("{\"env\":\"LIFE\"}").await.field();
    assert!(env.0 == "env" && env.1.starts_with("must be one of ENVIRONMENT_"), "{env:?}");
}

#[tokio::test]
async fn what_protobuf_takes_is_taken() {
    let odd = Odd::start().await;
    let id = &odd.tenant.id;
    for body in [
        "{\"name\":\"a\"}".to_owned(),
        " \t\r\n{ \"name\" : \"a\" } \n".to_owned(),
        "{\"name\":\"\\u0061\\ud83d\\ude00\",\"owner\":null,\"scopes\":null}".to_owned(),
        "{\"name\":\"a\",\"expires_at\":\"2999-01-01T01:00:00.5+01:00\"}".to_owned(),
        "{\"name\":\"a\",\"env\":2}".to_owned(),
        "{\"name\":\"a\",\"env\":\"ENVIRONMENT_TEST\"}".to_owned(),
        format!("{{\"name\":\"a\",\"workspaceId\":\"{id}\"}}"),
        "{\"name\":\"a\",\"plan\":{\"type\":\"x\",\"custom\":true,\"customData\":{\"a\":[1,-2.5e3,null,true,{\"b\":\"c\"}]}}}".to_owned(),
    ] {
        let answer = odd.create(body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn a_refused_value_is_never_repeated() {
    let odd = Odd::start().await;
    for body in [
        "{\"name\":\"a\",\"webhook\":{\"authToken\":[\"hush-hush\"]}}",
        "{\"expiresAt\":\"hush-hush\"}",
        "{\"name\":\"hush-hush\\q\"}",
        "{\"env\":\"hush-hush\"}",
    ] {
        let answer = odd.create(body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("hush"), "{:?}", answer.body);
    }
}
