//! Bodies that are not as they must be, on every path that reads one; and on those that read none.

use harness::Server;

use super::{Body, Caller, Operation, Product, operations};
use crate::rest::{Answer, Rest};

/// What no answer may repeat.
const SECRET: &str = "kwk_live_0123456789abcdefg";

/// Everything that is no JSON, or none as it is wanted here; whatever the path.
fn broken() -> Vec<Vec<u8>> {
    let deep =
        |open: &str, close: &str| format!("{}0{}", open.repeat(33), close.repeat(33)).into_bytes();
    let mut all: Vec<Vec<u8>> = [
        "{",
        "}",
        "[]",
        "7",
        "true",
        "\"kwk_live_0123456789abcdefg\"",
        "{\"data\":",
        "{'data': {}}",
        "{\"data\": {},}",
        "{} {}",
        "{}x",
        "nul",
        "NaN",
        "-",
        "{\"data\" {}}",
        "{data: {}}",
        "/* no */ {}",
        "\u{feff}{}",
        "{\"a\": 01}",
        "{\"a\": 1e}",
        "{\"a\": \"\\x\"}",
        "{\"a\": \"\\u12\"}",
        "{\"a\": \"\n\"}",
        "{\"a\": \"kwk_live_0123456789abcdefg}",
        // Half of a pair: alone, the wrong way round, and in a name.
        "{\"a\": \"\\ud800\"}",
        "{\"a\": \"\\udc00\\ud800\"}",
        "{\"\\ud800\": 1}",
        "{\"kwk\": 1, \"kwk\": 1}",
        "{\"data\": {\"a\": 1, \"a\": \"kwk_live_0123456789abcdefg\"}}",
        "{\"nobody\": \"kwk_live_0123456789abcdefg\"}",
        "{\"data\": {\"nobody\": null}}",
        "{\"__proto__\": {}}",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    all.extend([deep("[", "]"), deep("{\"data\":", "}"), deep("{\"a\":[", "]}")]);
    // No UTF-8: a byte that there is not, one too few, a surrogate.
    all.extend([b"{\"a\": \"\xff\"}".to_vec(), b"{\"a\": \"\xc3\"}".to_vec(), b"\x00".to_vec()]);
    all.push(b"{\"a\": \"\xed\xa0\x80\"}".to_vec());
    all
}

fn refused(operation: &Operation, answer: &Answer, http: u16, what: &str) {
    let shown = format!("{} {}: {what}", operation.method, operation.path);
    assert_eq!(answer.status, http, "{shown}: {:?}", answer.body);
    let told = operation.product.told(answer);
    assert_eq!(told.status, operation.product.named("INVALID_ARGUMENT"), "{shown}");
    assert!(!told.message.contains(SECRET), "{shown}: {}", told.message);
    assert!(told.message.len() < 300, "{shown}: {}", told.message);
}

async fn somebody(name: &str) -> (Rest, Caller, Vec<Operation>) {
    let server = Server::shared().await;
    let tenant = server.workspace(name).await;
    let caller = Caller::of(&server, &tenant).await;
    let all = operations(&caller.workspace_id);
    (Rest::shared().await, caller, all)
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_400_on_every_path_that_reads_one() {
    let (rest, caller, all) = somebody("broken bodies").await;
    for operation in all.iter().filter(|operation| operation.body == Body::Read) {
        // Twice what may be there once.
        let twice = operation.good.strip_prefix('{').and_then(|good| good.strip_suffix('}'));
        let twice = twice.map(|members| format!("{{{members},{members}}}").into_bytes());
        for body in broken().into_iter().chain(twice) {
            let what = String::from_utf8_lossy(&body).into_owned();
            let answer = operation.ask(&rest, &caller, body).send().await;
            refused(operation, &answer, 400, &what);
        }
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_may_be_anything_of_up_to_64_kib() {
    let (rest, caller, all) = somebody("ignored bodies").await;
    for operation in all.iter().filter(|operation| operation.body == Body::Ignored) {
        let expected = operation.good(&rest, &caller).await;
        for body in [b"{".to_vec(), b"\xff".to_vec(), vec![b' '; 64 * 1024]] {
            let ask = operation.ask(&rest, &caller, body).header("content-type", "text/plain");
            assert_eq!(ask.send().await.status, expected.status, "{}", operation.path);
        }
    }
}

#[tokio::test]
async fn a_body_of_65_kib_is_413_and_one_of_another_kind_415_on_every_path() {
    let (rest, caller, all) = somebody("large bodies").await;
    for operation in &all {
        let large = format!("{}{}", operation.good, " ".repeat(65 * 1024));
        let answer = operation.ask(&rest, &caller, large).send().await;
        refused(operation, &answer, 413, "65 KiB");
        if operation.body == Body::Ignored {
            continue;
        }
        let body = if operation.good.is_empty() { "{}" } else { &operation.good };
        for (name, value) in [
            ("content-type", "text/plain"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-type", "multipart/form-data; boundary=x"),
            ("content-type", "application/json; charset=utf-16"),
            ("content-type", ""),
            ("content-encoding", "gzip"),
        ] {
            let ask = operation.ask(&rest, &caller, body.to_owned()).header(name, value);
            refused(operation, &ask.send().await, 415, value);
        }
    }
}

#[tokio::test]
async fn a_body_may_be_json_of_any_spelling_of_its_kind() {
    let (rest, caller, all) = somebody("kinds of bodies").await;
    for operation in all.iter().filter(|operation| operation.body == Body::Read) {
        let expected = operation.good(&rest, &caller).await.status;
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/vnd.api+json",
            "application/json;charset=\"utf-8\"",
        ] {
            let ask = operation.ask(&rest, &caller, operation.good.clone());
            let answer = ask.header("content-type", kind).send().await;
            assert_eq!(answer.status, expected, "{kind} {}: {:?}", operation.path, answer.body);
        }
    }
}

#[tokio::test]
async fn two_credentials_are_refused_on_every_path_in_its_envelope() {
    let (rest, caller, all) = somebody("two credentials").await;
    for operation in &all {
        let ask = operation.ask(&rest, &caller, operation.good.clone());
        let (ask, http) = match operation.product {
            Product::Velt => (ask.header("x-velt-auth-token", &caller.key_token), 403),
            Product::Organization | Product::SlaunchX => (ask.bearer(&caller.workspace_token), 400),
        };
        let answer = ask.send().await;
        let told = operation.product.told(&answer);
        assert_eq!(told.http, http, "{}: {told:?}", operation.path);
        assert!(!told.message.contains(&caller.workspace_token), "{told:?}");
        // In words of its own, so that each language has them.
        let own = told.message == "There must be one Authorization header only";
        assert_eq!(own, matches!(operation.product, Product::SlaunchX), "{told:?}");
    }
}
