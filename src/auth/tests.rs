//! Letting in and keeping out, on every store.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{
    Jwts, Login, Refused, Scope, Scopes, TokenError, create, list, revoke, token_name, usable,
};
use crate::model::{Clock, ManualClock, Timestamp};
use crate::store::testing::{On, TestStore, at, on_every_store};

on_every_store!(
    tokens_let_in_until_they_are_revoked_or_expire,
    a_name_belongs_to_one_token_at_a_time,
    its_use_is_noted_now_and_then,
);

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn scopes(words: &str) -> Scopes {
    Scopes::among(words.split(' '))
}

fn login(test: &TestStore, clock: &Arc<ManualClock>) -> Login {
    Login::new(test.store.clone(), clock.clone(), None)
}

/// Why `token` lets nobody in.
async fn why(login: &Login, token: &str) -> String {
    match login.principal(token, HERE).await {
        Ok(principal) => panic!("{principal:?} was let in"),
        Err(refused) => refused.to_string(),
    }
}

async fn tokens_let_in_until_they_are_revoked_or_expire(on: On) {
    let test = TestStore::on(on).await;
    let clock = Arc::new(ManualClock::at(at(0)));
    let login = login(&test, &clock);
    assert_eq!(usable(&test.store, at(0)).await.expect("an answer"), 0);
    let day = at(86_400);
    let one = create(&test.store, "grafana", scopes("read"), at(0), Some(day)).await;
    let two = create(&test.store, "éditeur", scopes("write admin"), at(1), None).await;
    let (one, two) = (one.expect("a token"), two.expect("a token"));
    assert_eq!(usable(&test.store, at(0)).await.expect("an answer"), 2);
    let principal = login.principal(&one.token, HERE).await.expect("let in");
    assert_eq!(principal.name, "grafana");
    assert!(principal.scopes.allow(Scope::Read) && !principal.scopes.allow(Scope::Write));
    let principal = login.principal(&two.token, HERE).await.expect("let in");
    assert_eq!(principal.name, "éditeur");
    assert!(
        Scope::ALL
            .iter()
            .all(|scope| principal.scopes.allow(*scope))
    );

    // The secret of one behind the id of the other.
    let (id, _) = two.token.rsplit_once('_').expect("two parts");
    let (_, secret) = one.token.rsplit_once('_').expect("two parts");
    let mixed = format!("{id}_{secret}");
    assert_ne!(mixed, two.token);
    for wrong in [
        &*mixed,
        &*one.token.to_uppercase(),
        &one.token[..one.token.len() - 1],
        "archonctl_",
        "x",
    ] {
        let why = why(&login, wrong).await;
        assert!(
            ["the token is not known", "the token is none of archonctl"].contains(&&*why),
            "{why}"
        );
    }

    let revoked = revoke(&test.store, &two.info.id, at(5))
        .await
        .expect("revoked");
    assert_eq!(revoked.revoked_at, Some(at(5)));
    assert_eq!(why(&login, &two.token).await, "the token was revoked");
    let again = revoke(&test.store, "éditeur", at(9))
        .await
        .expect("as before");
    assert_eq!(again.revoked_at, Some(at(5)), "the first time stays");
    clock.advance(Duration::from_hours(24));
    assert_eq!(why(&login, &one.token).await, "the token has expired");
    assert_eq!(usable(&test.store, day).await.expect("an answer"), 0);
    let all = list(&test.store).await.expect("a list");
    let told: Vec<_> = all
        .iter()
        .map(|token| (&*token.name, token.status(day)))
        .collect();
    assert_eq!(told, [("éditeur", "revoked"), ("grafana", "expired")]);
    assert!(matches!(
        revoke(&test.store, "nobody", at(9)).await,
        Err(TokenError::Unknown(_))
    ));
}

async fn a_name_belongs_to_one_token_at_a_time(on: On) {
    let test = TestStore::on(on).await;
    let made = |seconds| create(&test.store, "backup", scopes("read"), at(seconds), None);
    let first = made(0).await.expect("a token");
    assert!(matches!(made(1).await, Err(TokenError::NameTaken(_))));
    revoke(&test.store, "backup", at(2)).await.expect("revoked");
    let second = made(3).await.expect("a token");
    assert_ne!(first.info.id, second.info.id);
    assert_ne!(first.token, second.token);
    // By name it is the one that is good.
    let revoked = revoke(&test.store, "backup", at(4)).await.expect("revoked");
    assert_eq!(revoked.id, second.info.id);
    for wrong in ["", " x", "a\nb", "0123456789abcdef", &"x".repeat(101)] {
        assert!(token_name(wrong).is_err(), "{wrong:?}");
    }
}

/// When the token was last used, once that is `expected`.
async fn used(test: &TestStore, expected: Timestamp) {
    for _ in 0..1_000 {
        let tokens = list(&test.store).await.expect("a list");
        if tokens[0].last_used_at == Some(expected) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it was never noted");
}

async fn its_use_is_noted_now_and_then(on: On) {
    let test = TestStore::on(on).await;
    let clock = Arc::new(ManualClock::at(at(0)));
    let login = login(&test, &clock);
    let made = create(&test.store, "grafana", scopes("read"), at(0), None).await;
    let token = made.expect("a token").token;
    login.principal(&token, HERE).await.expect("let in");
    used(&test, at(0)).await;
    clock.advance(Duration::from_mins(9));
    login.principal(&token, HERE).await.expect("let in");
    clock.advance(Duration::from_mins(1));
    used(&test, at(0)).await;
    login.principal(&token, HERE).await.expect("let in");
    used(&test, at(600)).await;
}

#[tokio::test]
async fn too_many_wrong_tokens_keep_out_whoever_was_not_in_before() {
    let test = TestStore::new().await;
    let clock = Arc::new(ManualClock::at(at(0)));
    let login = login(&test, &clock);
    let mut tokens = Vec::new();
    for name in ["before", "after"] {
        let made = create(&test.store, name, scopes("read"), at(0), None).await;
        tokens.push(made.expect("a token").token);
    }
    // Good ones use no tries up.
    for _ in 0..20 {
        login.principal(&tokens[0], HERE).await.expect("let in");
    }
    for _ in 0..10 {
        assert_eq!(
            why(&login, "archonctl_wrong").await,
            "the token is not known"
        );
    }
    let refused = login.principal("archonctl_wrong", HERE).await;
    let Err(Refused::TooMany(wait)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(wait, Duration::from_secs(6));
    assert!(matches!(
        login.principal(&tokens[1], HERE).await,
        Err(Refused::TooMany(_))
    ));
    login
        .principal(&tokens[0], HERE)
        .await
        .expect("was in before");
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    login
        .principal(&tokens[1], elsewhere)
        .await
        .expect("another address");
    clock.advance(Duration::from_secs(6));
    assert_eq!(
        why(&login, "archonctl_wrong").await,
        "the token is not known"
    );
    // Who was in before is looked up all the same.
    revoke(&test.store, "before", clock.now())
        .await
        .expect("revoked");
    assert_eq!(why(&login, &tokens[0]).await, "the token was revoked");
}

#[tokio::test]
async fn while_the_store_is_away_who_was_in_before_gets_in() {
    let test = TestStore::new().await;
    let clock = Arc::new(ManualClock::at(at(0)));
    let login = login(&test, &clock);
    let mut tokens = Vec::new();
    for (name, expires) in [("one", None), ("short", Some(at(60))), ("never used", None)] {
        let made = create(&test.store, name, scopes("read"), at(0), expires).await;
        tokens.push(made.expect("a token").token);
    }
    for token in &tokens[..2] {
        login.principal(token, HERE).await.expect("let in");
    }
    test.store.close().await;
    clock.advance(Duration::from_mins(5));
    login.principal(&tokens[0], HERE).await.expect("remembered");
    for token in &tokens[1..] {
        let refused = login.principal(token, HERE).await;
        assert!(matches!(refused, Err(Refused::Store(_))), "{refused:?}");
    }
    clock.advance(Duration::from_mins(6));
    let refused = login.principal(&tokens[0], HERE).await;
    assert!(matches!(refused, Err(Refused::Store(_))), "{refused:?}");
}

/// The key and the token of RFC 7515, appendix A.2 (RS256).
const RFC_KEY: &str = r#"{"keys": [{"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#;
const RFC_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

#[test]
fn the_signature_of_the_standards_own_example_is_right_and_one_of_other_bits_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("keys.json");
    std::fs::write(&file, RFC_KEY).expect("written");
    let jwts = Jwts::new(&super::JwtOptions {
        key_file: Some(file),
        secret_file: None,
        issuer: "joe".to_owned(),
        audience: "archonctl".to_owned(),
    });
    let jwts = jwts.expect("keys");
    // It is of 2011 and says nothing of whom it is for, which is only looked at behind a right signature.
    assert_eq!(
        jwts.principal(RFC_TOKEN).expect_err("refused"),
        "the token lacks one of the claims exp, iss and aud"
    );
    let (message, signature) = RFC_TOKEN.rsplit_once('.').expect("three parts");
    let other = format!("{message}.d{}", &signature[1..]);
    assert_eq!(
        jwts.principal(&other).expect_err("refused"),
        "the token's signature is wrong"
    );
}
