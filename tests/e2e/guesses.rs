//! Keys that are asked for and are none: limited for each caller, and never for a key.

use std::num::NonZeroU32;
use std::time::Duration;

use api::v1::{
    BatchVerifyKeysRequest, Denial, ErrorReason, Permission, VerifyKeyRequest, VerifyMode,
};
use harness::{Client, Refusal, Refused, Server, Site};

const LIMIT: u32 = 5;

async fn limited() -> (Site, Server) {
    let site = Site::new().await;
    let mut config = site.config(site.url());
    config.guess_limit = NonZeroU32::new(LIMIT);
    let server = Server::start_with(config, site.operator_token()).await;
    (site, server)
}

fn question(key: &str) -> VerifyKeyRequest {
    VerifyKeyRequest { key: key.to_owned(), ..VerifyKeyRequest::default() }
}

async fn ask(client: &Client, asked: VerifyKeyRequest) -> Result<Denial, Refusal> {
    let answered = client.keys.clone().verify_key(asked).await;
    answered.map(|answer| answer.into_inner().denial()).map_err(|status| Refusal::of(&status))
}

/// Asks until that is refused.
async fn exhaust(client: &Client, key: &str) -> Refusal {
    for _ in 0..LIMIT + 3 {
        if let Err(refusal) = ask(client, question(key)).await {
            return refusal;
        }
    }
    panic!("it may ask as often as it likes");
}

#[tokio::test]
async fn past_its_limit_a_caller_learns_nothing_of_guesses_and_all_of_keys() {
    let (_site, server) = limited().await;
    let (tenant, other) = (server.workspace("a").await, server.workspace("b").await);
    let (good, revoked) = (tenant.create_key("good").await, tenant.create_key("dead").await);
    tenant.revoke_key(&revoked.api_key.unwrap().key_id).await;
    let foreign = other.create_key("foreign").await.secret;

    let refusal = exhaust(&tenant.client, "nonsense").await;
    assert_eq!(refusal.reason, ErrorReason::GuessesExhausted);
    let wait = refusal.retry_after.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(60 / u64::from(LIMIT)));
    // What is not there is not told from what is not well-formed, whichever way one asks.
    for key in ["nonsense", &foreign] {
        for mode in [VerifyMode::Normal, VerifyMode::DryRun, VerifyMode::Explain] {
            let asked = VerifyKeyRequest { mode: mode.into(), ..question(key) };
            let again = ask(&tenant.client, asked).await.unwrap_err();
            assert_eq!(
                Refusal { retry_after: None, ..again },
                Refusal { retry_after: None, ..refusal.clone() }
            );
        }
    }
    // Good traffic goes on, and so do denials of keys that there are.
    for _ in 0..20 {
        assert_eq!(ask(&tenant.client, question(&good.secret)).await, Ok(Denial::Unspecified));
        assert_eq!(ask(&tenant.client, question(&revoked.secret)).await, Ok(Denial::Revoked));
    }
    tenant.client.keys.clone().list_api_keys(tenant.list()).await.unwrap();
    // Nobody else is any the worse for it.
    assert_eq!(ask(&other.client, question("nonsense")).await, Ok(Denial::Malformed));
    let service = server.bearer(&server.service(&[Permission::Verify], &[&tenant]).await);
    assert_eq!(ask(&service, question(&foreign)).await, Ok(Denial::NotFound));
}

#[tokio::test]
async fn in_a_batch_only_the_guesses_past_the_limit_are_undecided() {
    let (_site, server) = limited().await;
    let tenant = server.workspace("a").await;
    let good = tenant.create_key("good").await.secret;
    let keys = [good.as_str(), "nonsense"].repeat(10);
    let requests = keys.iter().map(|key| question(key)).collect();
    let asked = BatchVerifyKeysRequest { requests };
    let answered = tenant.client.keys.clone().batch_verify_keys(asked).await.unwrap().into_inner();
    let (mut told, mut withheld) = (0, 0);
    for (key, verdict) in keys.iter().zip(&answered.verdicts) {
        match &verdict.undecided {
            _ if *key == good => assert_eq!(verdict.denial(), Denial::Unspecified),
            None => {
                assert_eq!(verdict.denial(), Denial::Malformed);
                told += 1;
            }
            Some(_) => withheld += 1,
        }
    }
    // A slow machine may win back one of the limit meanwhile.
    assert!((LIMIT..LIMIT + 2).contains(&told) && told + withheld == 10, "{told} {withheld}");
    let one = tenant.client.keys.clone().verify_key(question("nonsense")).await;
    assert_eq!(one.refused().reason, ErrorReason::GuessesExhausted);
}

/// However many wrong secrets come with its kid, a key is as good as before: for those who guess, too.
#[tokio::test]
async fn a_key_is_never_locked_by_guesses_of_its_secret() {
    let (_site, server) = limited().await;
    let tenant = server.workspace("a").await;
    let (good, other) =
        (tenant.create_key("good").await.secret, tenant.create_key("other").await.secret);
    let wrong = crate::verify_key::not_found::spliced(&good, &other);
    assert_eq!(ask(&tenant.client, question(&wrong)).await, Ok(Denial::NotFound));
    exhaust(&tenant.client, &wrong).await;
    assert_eq!(ask(&tenant.client, question(&good)).await, Ok(Denial::Unspecified));
}
