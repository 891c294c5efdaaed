//! The corpus. Each token is good but for what its name says.

use harness::{SigningKey, base64url};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Scene, Tokens};

pub(super) fn tokens(scene: &Scene<'_>) -> Tokens {
    [
        algorithms(scene),
        strangers(scene),
        signatures(scene),
        shapes(scene),
        encodings(scene),
        repetitions(scene),
        documents(scene),
        headers(scene),
        key_ids(scene),
        times(scene),
        audiences_and_issuers(scene),
        users(scene),
    ]
    .concat()
}

fn named<const N: usize>(tokens: [(&str, String); N]) -> Tokens {
    tokens.into_iter().map(|(name, token)| (name.to_owned(), token)).collect()
}

/// The first two parts of a token.
fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()))
}

fn hs256(header: &Value, claims: &Value, key: &[u8]) -> String {
    let message = message(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", base64url(mac.finalize().into_bytes()))
}

fn algorithms(scene: &Scene<'_>) -> Tokens {
    let key = &scene.identities.ed.key;
    let mut tokens = Tokens::new();
    for spelt in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = message(&json!({"alg": spelt, "kid": key.kid}), &scene.claims());
        tokens.push((format!("alg {spelt:?}, unsigned"), format!("{unsigned}.")));
        tokens.push((format!("alg {spelt:?}, signed"), scene.heading("alg", json!(spelt))));
    }
    for other in
        ["eddsa", "EDDSA", "EdDSA ", "Ed25519", "ES256", "ES384", "RS256", "RS384", "PS256"]
    {
        tokens.push((format!("alg {other:?}"), scene.heading("alg", json!(other))));
    }
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key.kid});
    let public_text = base64url(key.public());
    let rsa = &scene.identities.rsa;
    let rsa_header = json!({"alg": "HS256", "kid": rsa.key.kid});
    let rsa_claims = rsa.claims(&scene.tenant.id, "owner");
    tokens.extend(named([
        ("HS256 keyed with the public key", hs256(&header, &scene.claims(), key.public())),
        ("HS256 keyed with its text", hs256(&header, &scene.claims(), public_text.as_bytes())),
        ("HS256 keyed with an empty key", hs256(&header, &scene.claims(), b"")),
        ("HS256 keyed with a modulus", hs256(&rsa_header, &rsa_claims, rsa.key.public())),
        ("HMAC under the right name", hs256(&key.header(), &scene.claims(), key.public())),
        ("no alg", scene.heading("alg", Value::Null)),
        ("alg a number", scene.heading("alg", json!(1))),
        ("alg a list", scene.heading("alg", json!(["EdDSA"]))),
    ]));
    tokens
}

fn strangers(scene: &Scene<'_>) -> Tokens {
    let (ed, ec, rsa) = (&scene.identities.ed, &scene.identities.ec, &scene.identities.rsa);
    let stranger = SigningKey::new("EdDSA", &ed.key.kid);
    let twin = SigningKey::new("ES256", &ec.key.kid);
    let of_ec = ec.claims(&scene.tenant.id, "owner");
    let header = ed.key.header().to_string();
    named([
        ("signed by a stranger under our kid", stranger.token(&scene.claims())),
        ("signed by a stranger of ES256", twin.token(&of_ec)),
        ("signed by another issuer's key", ec.key.token(&scene.claims())),
        ("signed by a third issuer's key", rsa.key.token(&scene.claims())),
        ("signed by another issuer's key under our header", {
            ec.key.token_of(&header, scene.claims().to_string())
        }),
        ("our key for another issuer", ed.key.token(&of_ec)),
        ("our key under another issuer's header", {
            ed.key.token_of(ec.key.header().to_string(), of_ec.to_string())
        }),
    ])
}

fn signatures(scene: &Scene<'_>) -> Tokens {
    let (ed, ec, rsa) = (&scene.identities.ed.key, &scene.identities.ec, &scene.identities.rsa);
    let of = |key: &SigningKey, claims: &Value, forge: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let message = message(&key.header(), claims);
        let signature = forge(key.sign(message.as_bytes()));
        format!("{message}.{}", base64url(signature))
    };
    let claims = scene.claims();
    let of_ec = ec.claims(&scene.tenant.id, "owner");
    let of_rsa = rsa.claims(&scene.tenant.id, "owner");
    let cut = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    let longer = |bytes: Vec<u8>| [bytes, vec![0]].concat();
    let zeros = |bytes: Vec<u8>| vec![0; bytes.len()];
    let der = |_: Vec<u8>| ec.key.sign_der(message(&ec.key.header(), &of_ec).as_bytes());
    let half = |from: usize| {
        move |mut bytes: Vec<u8>| {
            bytes[from..from + 32].fill(0);
            bytes
        }
    };
    let flipped = |mut bytes: Vec<u8>| {
        bytes[7] ^= 1;
        bytes
    };
    let swapped = |bytes: Vec<u8>| [&bytes[32..], &bytes[..32]].concat();
    named([
        ("EdDSA: a byte missing", of(ed, &claims, &cut)),
        ("EdDSA: a byte more", of(ed, &claims, &longer)),
        ("EdDSA: zeros", of(ed, &claims, &zeros)),
        ("EdDSA: a bit flipped", of(ed, &claims, &flipped)),
        ("ES256: in DER", of(&ec.key, &of_ec, &der)),
        ("ES256: r and s are zero", of(&ec.key, &of_ec, &zeros)),
        ("ES256: r is zero", of(&ec.key, &of_ec, &half(0))),
        ("ES256: s is zero", of(&ec.key, &of_ec, &half(32))),
        ("ES256: r and s change places", of(&ec.key, &of_ec, &swapped)),
        ("ES256: a byte missing", of(&ec.key, &of_ec, &cut)),
        ("ES256: a byte more", of(&ec.key, &of_ec, &longer)),
        ("RS256: zeros", of(&rsa.key, &of_rsa, &zeros)),
        ("RS256: a byte missing", of(&rsa.key, &of_rsa, &cut)),
        ("RS256: a bit flipped", of(&rsa.key, &of_rsa, &flipped)),
        ("RS256: one", of(&rsa.key, &of_rsa, &|_| vec![1])),
    ])
}

fn shapes(scene: &Scene<'_>) -> Tokens {
    let good = scene.token(&scene.claims());
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let member = scene.identities.ed.claims(&scene.tenant.id, "member");
    let member = base64url(member.to_string());
    let large = scene.claiming("extra", json!("x".repeat(6_500)));
    assert!((8_900..9_400).contains(&large.len()), "{}", large.len());
    named([
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", format!("{header}.{header}.{claims}.{claims}.{signature}")),
        ("nothing but dots", "..".to_owned()),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("claims of another user under the signature", format!("{header}.{member}.{signature}")),
        ("parts in another order", format!("{claims}.{header}.{signature}")),
        ("a dot in front", format!(".{header}.{claims}{signature}")),
        ("9 KiB", large),
    ])
}

fn encodings(scene: &Scene<'_>) -> Tokens {
    let key = &scene.identities.ed.key;
    let good = scene.token(&scene.claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let signed = |header: &str, claims: &str| {
        let message = format!("{header}.{claims}");
        format!("{message}.{}", base64url(key.sign(message.as_bytes())))
    };
    // 64 bytes leave four bits of the last character unused.
    let last = signature.chars().last().unwrap();
    let next = char::from(last as u8 + 1);
    let other_bits = format!("{}{next}", &signature[..signature.len() - 1]);
    // 3 n + 1 bytes likewise.
    let mut odd = scene.claims().to_string();
    while odd.len() % 3 != 1 {
        odd.push(' ');
    }
    let odd = base64url(odd);
    let odd_bits = format!("{}B", odd.strip_suffix(['A', 'Q', 'g', 'w']).unwrap());
    let marked = scene.with("extra", json!("???>>>???>>>~~~~"));
    let standard = base64url(marked.to_string()).replace('-', "+").replace('_', "/");
    assert!(standard.contains(['+', '/']));
    named([
        ("padding after the signature", format!("{good}=")),
        ("padding after the signature, complete", format!("{good}==")),
        ("signed padding after the claims", signed(header, &format!("{odd}=="))),
        ("the standard alphabet, signed", signed(header, &standard)),
        ("unused bits set in the signature", format!("{message}.{other_bits}")),
        ("unused bits set in the claims, signed", signed(header, &odd_bits)),
        ("a space in front", format!(" {good}")),
        ("a space behind", format!("{good} ")),
        ("a space in the claims, signed", signed(header, &format!(" {claims}"))),
        ("a space before the signature", format!("{message}. {signature}")),
        ("a tab behind the header", format!("{header}\t.{claims}.{signature}")),
        ("quotes around it", format!("\"{good}\"")),
        ("a comma and more", format!("{good},{good}")),
        ("percent signs", good.replace('.', "%2E")),
    ])
}

fn repetitions(scene: &Scene<'_>) -> Tokens {
    let key = &scene.identities.ed.key;
    let (header, claims) = (key.header().to_string(), scene.claims().to_string());
    let twice = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let behind = |text: &str, member: &str| format!("{},{member}}}", &text[..text.len() - 1]);
    let of_claims = |claims: String| key.token_of(&header, claims);
    let of_header = |header: String| key.token_of(header, &claims);
    named([
        ("exp twice, the first long past", of_claims(twice(&claims, "\"exp\":1"))),
        ("exp twice, the last long past", of_claims(behind(&claims, "\"exp\":1"))),
        ("sub twice", of_claims(behind(&claims, "\"sub\":\"admin\""))),
        ("sub twice, once escaped", of_claims(behind(&claims, "\"\\u0073ub\":\"admin\""))),
        ("a claim of no meaning twice", of_claims(behind(&claims, "\"a\":1,\"a\":1"))),
        ("a member of a claim twice", of_claims(behind(&claims, "\"a\":{\"b\":1,\"b\":1}"))),
        ("alg twice", of_header(twice(&header, "\"alg\":\"none\""))),
        ("alg twice, the last none", of_header(behind(&header, "\"alg\":\"none\""))),
        ("kid twice", of_header(twice(&header, "\"kid\":\"x\""))),
    ])
}

fn documents(scene: &Scene<'_>) -> Tokens {
    let key = &scene.identities.ed.key;
    let (header, claims) = (key.header().to_string(), scene.claims().to_string());
    let of_claims = |claims: &[u8]| key.token_of(&header, claims);
    let of_header = |header: &[u8]| key.token_of(header, &claims);
    let inside = |text: &str| format!("{},\"a\":{text}}}", &claims[..claims.len() - 1]);
    let bomb = |open: &str, close: &str, depth| {
        inside(&format!("{}{}", open.repeat(depth), close.repeat(depth)))
    };
    let not_utf_8 = inside("\"?\"").replace('?', "\u{1}").into_bytes();
    let not_utf_8: Vec<_> =
        not_utf_8.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let utf_16: Vec<_> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    named([
        ("claims nested 2,000 deep", of_claims(bomb("[", "]", 2_000).as_bytes())),
        ("claims nested 200 deep", of_claims(bomb("[", "]", 200).as_bytes())),
        ("claims of 5,000 open brackets", of_claims("[".repeat(5_000).as_bytes())),
        ("claims of 500 open objects", of_claims("{\"a\":".repeat(500).as_bytes())),
        ("claims not in UTF-8", of_claims(&not_utf_8)),
        ("claims in UTF-16", of_claims(&utf_16)),
        ("claims with half a surrogate", of_claims(inside("\"\\ud800\"").as_bytes())),
        ("claims behind a mark of byte order", of_claims(format!("\u{feff}{claims}").as_bytes())),
        ("claims and more", of_claims(format!("{claims}{{}}").as_bytes())),
        ("claims with a comma too many", of_claims(inside("1,").as_bytes())),
        ("claims cut off", of_claims(&claims.as_bytes()[..claims.len() - 1])),
        ("claims in a list", of_claims(format!("[{claims}]").as_bytes())),
        ("claims in a text", of_claims(json!(claims).to_string().as_bytes())),
        ("claims null", of_claims(b"null")),
        ("claims nothing", of_claims(b" ")),
        ("a header in a list", of_header(format!("[{header}]").as_bytes())),
        ("a header null", of_header(b"null")),
        ("a header not in UTF-8", of_header(b"{\"alg\":\"EdDSA\",\"a\":\"\xff\"}")),
        ("a token in a token", key.token_of(&header, scene.token(&scene.claims()))),
    ])
}

fn headers(scene: &Scene<'_>) -> Tokens {
    let stranger = SigningKey::new("EdDSA", "mine");
    let own = json!({"alg": "EdDSA", "jwk": stranger.jwk()});
    let away = json!({"alg": "EdDSA", "kid": "mine", "jku": "http://127.0.0.1:1/jwks.json"});
    let claims = scene.claims().to_string();
    let mut tokens = named([
        ("a key of its own in the header", stranger.token_of(own.to_string(), &claims)),
        ("the address of a key of its own", stranger.token_of(away.to_string(), &claims)),
    ]);
    for (member, value) in [
        ("jku", json!("https://ed.example/jwks.json")),
        ("jku", json!("")),
        ("jwk", scene.identities.ed.key.jwk()),
        ("jwk", json!({})),
        ("x5u", json!("https://ed.example/cert.pem")),
        ("x5c", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("typ", json!("JWE")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(7)),
    ] {
        tokens.push((format!("{member} {value}"), scene.heading(member, value)));
    }
    let null = scene.identities.ed.key.header().to_string().replace('}', ",\"jku\":null}");
    tokens.push(("jku null".to_owned(), scene.identities.ed.key.token_of(null, claims)));
    tokens
}

fn key_ids(scene: &Scene<'_>) -> Tokens {
    let mut tokens = Tokens::new();
    for kid in [
        json!("../../../../etc/passwd"),
        json!("../ed.json"),
        json!("ed.json"),
        json!("/dev/null"),
        json!("https://ed.example/jwks.json"),
        json!("' OR 1=1 --"),
        json!("ed-1\u{0}"),
        json!("ed-1 "),
        json!("ED-1"),
        json!("ec-1"),
        json!("unknown"),
        json!(""),
        json!("x".repeat(129)),
        json!("\u{fc}"),
        json!(1),
        json!(["ed-1"]),
        json!({"kid": "ed-1"}),
        json!(true),
    ] {
        tokens.push((format!("kid {kid}"), scene.heading("kid", kid)));
    }
    tokens
}

fn times(scene: &Scene<'_>) -> Tokens {
    let now = scene.claims()["iat"].as_i64().unwrap();
    let mut tokens = Tokens::new();
    for (claim, value) in [
        ("exp", Value::Null),
        ("exp", json!((now + 3_600).to_string())),
        ("exp", json!("")),
        ("exp", json!(-1)),
        ("exp", json!(-(now + 3_600))),
        ("exp", json!(0)),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(253_402_300_800_i64)),
        ("exp", json!((now + 3_600) * 1_000)),
        ("exp", json!(now - 31)),
        ("exp", json!(now - 86_400)),
        ("exp", json!(true)),
        ("exp", json!([now + 3_600])),
        ("nbf", json!(now + 120)),
        ("nbf", json!((now - 10).to_string())),
        ("nbf", json!(-1)),
        ("nbf", json!(1e300)),
        ("nbf", json!([])),
        ("iat", json!(now.to_string())),
        ("iat", json!(-5)),
        ("iat", json!({})),
    ] {
        tokens.push((format!("{claim} {value}"), scene.claiming(claim, value)));
    }
    let key = &scene.identities.ed.key;
    let claims = scene.with("exp", Value::Null).to_string();
    for text in
        ["NaN", "Infinity", "1e400", "null", "0x7fffffff", "9e", "+9999999999", "09999999999"]
    {
        let claims = format!("{},\"exp\":{text}}}", &claims[..claims.len() - 1]);
        let token = key.token_of(key.header().to_string(), claims);
        tokens.push((format!("exp as the text {text}"), token));
    }
    tokens
}

fn audiences_and_issuers(scene: &Scene<'_>) -> Tokens {
    let mut tokens = Tokens::new();
    for (claim, value) in [
        ("aud", Value::Null),
        ("aud", json!("somebody")),
        ("aud", json!("")),
        ("aud", json!("Keyward")),
        ("aud", json!("keyward2")),
        ("aud", json!("keyward ")),
        ("aud", json!("somebody keyward")),
        ("aud", json!([])),
        ("aud", json!(["somebody", "else"])),
        ("aud", json!(["keyward", 1])),
        ("aud", json!([["keyward"]])),
        ("aud", json!({"keyward": true})),
        ("aud", json!(1)),
        ("iss", Value::Null),
        ("iss", json!("https://ed.example/")),
        ("iss", json!("https://ED.example")),
        ("iss", json!("http://ed.example")),
        ("iss", json!("https://ed.example.evil")),
        ("iss", json!("ed")),
        ("iss", json!("")),
        ("iss", json!(["https://ed.example"])),
        ("iss", json!("https://ec.example")),
        ("iss", json!(1)),
    ] {
        tokens.push((format!("{claim} {value}"), scene.claiming(claim, value)));
    }
    tokens
}

fn users(scene: &Scene<'_>) -> Tokens {
    let id = &scene.tenant.id;
    let missing = crate::asks::missing(id);
    let mut tokens = Tokens::new();
    for (claim, value) in [
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(129))),
        ("sub", json!("two words")),
        ("sub", json!("line\nbreak")),
        ("sub", json!("\u{fc}ser")),
        ("sub", json!(1)),
        ("sub", json!(["user-1"])),
        (harness::WORKSPACE_CLAIM, Value::Null),
        (harness::WORKSPACE_CLAIM, json!(missing)),
        (harness::WORKSPACE_CLAIM, json!(id.to_uppercase())),
        (harness::WORKSPACE_CLAIM, json!(format!("{id} "))),
        (harness::WORKSPACE_CLAIM, json!("*")),
        (harness::WORKSPACE_CLAIM, json!("")),
        (harness::WORKSPACE_CLAIM, json!([id])),
        (harness::WORKSPACE_CLAIM, json!({"id": id})),
        ("access", Value::Null),
        ("access", json!({})),
        ("access", json!("owner")),
        ("access", json!(["owner"])),
        ("access", json!({"roles": []})),
        ("access", json!({"roles": "admin"})),
        ("access", json!({"roles": "OWNER"})),
        ("access", json!({"roles": "owner member"})),
        ("access", json!({"roles": ["owner", 1]})),
        ("access", json!({"roles": {"owner": true}})),
        ("access", json!([{"roles": "owner"}])),
        ("portal", json!(1)),
        ("portal", json!({"partner": true})),
        ("portal", json!(["partner", 1])),
        ("client_hash", json!(1)),
    ] {
        tokens.push((format!("{claim} {value}"), scene.claiming(claim, value)));
    }
    let mut beside = scene.with("access", Value::Null);
    beside["roles"] = json!(["owner"]);
    beside["access.roles"] = json!(["owner"]);
    tokens.push(("roles beside the configured claim".to_owned(), scene.token(&beside)));
    tokens
}
