//! Errors are told in five languages; success is not.

use super::{Product, error, success};

#[tokio::test]
async fn errors_are_in_the_language_that_the_client_wants() {
    let product = Product::new("languages").await;
    let mut texts = Vec::new();
    for (accept, language, message) in [
        ("en", "en", "name is required"),
        ("fr", "en", "name is required"),
        ("zh", "zh", "缺少 name"),
        ("zh-Hans-CN", "zh", "缺少 name"),
        ("zh-Hant", "zh-Hant", "缺少 name"),
        ("zh-TW, en;q=0.5", "zh-Hant", "缺少 name"),
        ("zh-HK", "zh-Hant", "缺少 name"),
        ("ja-JP", "ja", "name は必須です"),
        ("fr, vi;q=0.2", "vi", "Thiếu name"),
    ] {
        let asking = product.rest.post(&product.keys(), "{}");
        let asking = product.but_for(asking, &product.owner, "Accept-Language");
        let answer = asking.header("Accept-Language", accept).send().await;
        assert_eq!(error(&answer), (400, message.to_owned()), "{accept}");
        assert_eq!(answer.header("content-language"), language, "{accept}");

        let asking = product.rest.post(&product.keys(), "{}");
        let asking = product.but_for(asking, "a.b.c", "Accept-Language");
        let answer = asking.header("Accept-Language", accept).send().await;
        let (status, message) = error(&answer);
        assert_eq!(status, 401);
        texts.push((language, message));
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 5, "{texts:?}");
}

#[tokio::test]
async fn success_is_a_word_of_the_protocol_and_is_not_translated() {
    let product = Product::new("success").await;
    let asking = product.rest.post(&product.keys(), r#"{"name":"a"}"#);
    let asking = product.but_for(asking, &product.owner, "Accept-Language");
    let answer = asking.header("Accept-Language", "ja").send().await;
    success(&answer, 201);
    assert_eq!(answer.header("content-language"), "ja");
    assert_eq!(answer.header("vary"), "accept-language");
}
