//! Who is let in.

use axum::http::{HeaderMap, HeaderValue, header};
use tally_rpc::auth;

use super::{Guard, Refusal};

fn headers(host: Option<&'static str>, origin: Option<&'static str>, user: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&auth::basic(user)).unwrap();
    headers.insert(header::AUTHORIZATION, value);
    if let Some(host) = host {
        headers.insert(header::HOST, HeaderValue::from_static(host));
    }
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
    }
    headers
}

#[test]
fn names_pages_and_passwords() {
    let guard = Guard::new("me:secret", &["Node.example".to_owned()]);
    let page = Some("http://127.0.0.1:9741");
    let cases = [
        (Some("127.0.0.1:9741"), None, "me:secret", Ok(())),
        (Some("localhost:9741"), None, "me:secret", Ok(())),
        (Some("LOCALHOST"), None, "me:secret", Ok(())),
        (Some("[::1]:9741"), None, "me:secret", Ok(())),
        (Some("node.example:1"), None, "me:secret", Ok(())),
        (Some("evil.example"), None, "me:secret", Err(Refusal::Foreign)),
        (Some("127.0.0.1.evil.example:9741"), None, "me:secret", Err(Refusal::Foreign)),
        (None, None, "me:secret", Err(Refusal::Foreign)),
        (Some("127.0.0.1:9741"), page, "me:secret", Err(Refusal::Foreign)),
        (Some("127.0.0.1:9741"), None, "me:secre", Err(Refusal::Unauthorized)),
        (Some("127.0.0.1:9741"), None, "", Err(Refusal::Unauthorized)),
    ];
    for (host, origin, user, expected) in cases {
        assert_eq!(guard.check(&headers(host, origin, user)), expected, "{host:?} {origin:?} {user}");
    }
    let mut without = headers(Some("localhost"), None, "me:secret");
    without.remove(header::AUTHORIZATION);
    assert_eq!(guard.check(&without), Err(Refusal::Unauthorized));
}
