//! Signatures of JWTs: the examples of the RFCs, and numbers that make no key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use signature::Verifier;
use vault::{JwtKey, JwtKeyFault};

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// RFC 8037, A.2 and A.4.
fn ed25519() -> (JwtKey, &'static str) {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    (JwtKey::ed25519(&bytes(x)).unwrap(), token)
}

/// RFC 7515, A.3.
fn p256() -> (JwtKey, &'static str) {
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
        Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgf\
        TjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    (JwtKey::p256(&bytes(x), &bytes(y)).unwrap(), token)
}

/// RFC 7515, A.2.
fn rsa() -> (JwtKey, &'static str) {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1\
        Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
        ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5Ih\
        lJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l\
        eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XO\
        iZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZL\
        grnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkH\
        WEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igc\
        N_IoypGlUPQGe77Rw";
    (JwtKey::rsa(&bytes(n), &[1, 0, 1]).unwrap(), token)
}

#[test]
fn the_examples_of_the_rfcs_are_signed_and_no_other_message_is() {
    for (key, token) in [ed25519(), p256(), rsa()] {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = bytes(signature);
        key.verify(message.as_bytes(), &signature).unwrap();
        key.verify(format!("{message}A").as_bytes(), &signature).unwrap_err();
        for at in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            key.verify(message.as_bytes(), &flipped).unwrap_err();
        }
        key.verify(message.as_bytes(), &Vec::new()).unwrap_err();
        key.verify(message.as_bytes(), &signature[1..].to_vec()).unwrap_err();
    }
}

#[test]
fn a_key_takes_no_token_of_another_algorithm() {
    for (key, _) in [ed25519(), p256(), rsa()] {
        for (_, token) in [ed25519(), p256(), rsa()] {
            // They are for nobody, so that not even their own keys take them.
            assert!(!key.signed(token, "joe", "keyward"));
        }
    }
}

#[test]
fn numbers_that_make_no_key_are_refused() {
    let fault = |made: Result<JwtKey, JwtKeyFault>| made.unwrap_err();
    assert_eq!(fault(JwtKey::ed25519(&[1; 31])), JwtKeyFault::Coordinate);
    assert_eq!(fault(JwtKey::ed25519(&[1; 33])), JwtKeyFault::Coordinate);
    assert_eq!(fault(JwtKey::p256(&[1; 32], &[1; 31])), JwtKeyFault::Coordinate);
    assert_eq!(fault(JwtKey::p256(&[], &[1; 32])), JwtKeyFault::Coordinate);
    let modulus = |bytes: usize, first: u8| {
        let mut modulus = vec![1; bytes];
        modulus.iter_mut().take(1).for_each(|byte| *byte = first);
        modulus
    };
    for (bytes, first) in [(0, 0), (128, 0xff), (255, 0xff), (256, 0x7f), (257, 0), (1_025, 1)] {
        let made = JwtKey::rsa(&modulus(bytes, first), &[1, 0, 1]);
        assert_eq!(fault(made), JwtKeyFault::Modulus, "{bytes} {first}");
    }
    for (bytes, first) in [(256, 0x80), (257, 1), (1_024, 0xff)] {
        JwtKey::rsa(&modulus(bytes, first), &[1, 0, 1]).unwrap();
    }
    for exponent in [&[][..], &[0], &[1], &[2], &[0, 3], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        let made = JwtKey::rsa(&modulus(256, 0x80), exponent);
        assert_eq!(fault(made), JwtKeyFault::Exponent, "{exponent:?}");
    }
}

#[test]
fn a_key_shows_nothing_but_its_algorithm() {
    assert_eq!(format!("{:?}", ed25519().0), "JwtKey { algorithm: EdDsa, .. }");
}
