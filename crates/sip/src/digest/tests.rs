//! Vectors of the RFCs, both sides against each other, and what must be refused.
//!
//! Responses that no RFC prints (the `-sess` ones and RFC 3261's example) were computed with Python's
//! hashlib from the formulas of RFC 7616 §3.4.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use mediator_model::UnixMillis;
use proptest::prelude::*;

use super::*;

/// RFC 7616 §3.9.1, whose client nonce and nonce are the same for both algorithms.
const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const MUFASA: Login<'_> = Login { username: "Mufasa", password: "Circle of Life" };
const GET: Asked<'_> = Asked { method: "GET", uri: b"/dir/index.html" };

fn challenge(algorithm: &str, qop: &str) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", {qop}algorithm={algorithm}, nonce=\"{NONCE}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

const RESPONSES: [(&str, &str); 4] = [
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ("MD5-sess", "e783283f46242139c486a698fec7211d"),
    ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ("SHA-256-sess", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"),
];

#[test]
fn answers_and_verifies_as_rfc_7616_does() {
    for (algorithm, response) in RESPONSES {
        let text = challenge(algorithm, "qop=\"auth, auth-int\", ");
        let challenge = Challenge::parse(text.as_bytes()).unwrap();
        let counted = Counted { cnonce: CNONCE, nc: 1 };
        let value = answer(&challenge, &MUFASA, &GET, &counted).unwrap();
        let value = String::from_utf8(value).unwrap();
        assert!(value.contains(&format!("response=\"{response}\"")), "{value}");

        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        assert_eq!(credentials.nc, Some(1));
        assert_eq!(credentials.opaque, challenge.opaque);
        assert!(verify_password(&credentials, "GET", "Circle of Life"));
        assert!(!verify_password(&credentials, "GET", "Circle of life"));
        assert!(!verify_password(&credentials, "POST", "Circle of Life"));
    }
}

#[test]
fn answers_in_the_order_of_the_example() {
    let text = challenge("MD5", "qop=\"auth\", ");
    let challenge = Challenge::parse(text.as_bytes()).unwrap();
    let value = answer(&challenge, &MUFASA, &GET, &Counted { cnonce: CNONCE, nc: 255 }).unwrap();
    let start = r#"Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf"#;
    let value = String::from_utf8(value).unwrap();
    assert!(value.starts_with(start), "{value}");
    assert!(value.ends_with(", qop=auth, nc=000000ff"), "{value}");
    assert!(value.contains(", algorithm=MD5, cnonce="), "{value}");
}

#[test]
fn verifies_rfc_2617_with_qop_and_rfc_2069_without() {
    let common = r#"Digest username="Mufasa", realm="testrealm@host.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html",
        opaque="5ccc069c403ebaf9f0171e9517f40e41", response="#;
    let with_qop = format!(
        "{common}\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, cnonce=\"0a4f113b\""
    );
    let without = format!("{common}\"670fd8c2df070c60b045671b8b24ff02\"");
    for text in [with_qop, without] {
        let credentials = Credentials::parse(text.as_bytes()).unwrap();
        assert!(verify_password(&credentials, "GET", "Circle Of Life"), "{text}");
        let ha1 = Ha1::new(Algorithm::Md5, b"Mufasa", b"testrealm@host.com", b"Circle Of Life");
        assert_eq!(ha1.as_hex(), b"939e7578ed9e3c518a452acee763bce9");
        assert!(verify(&credentials, "GET", &ha1));
    }
    // A response without qop must not stand where credentials name one, or the count could be dropped.
    for qop in ["auth", "auth-int", "other"] {
        let mixed = format!(
            "{common}\"670fd8c2df070c60b045671b8b24ff02\", qop={qop}, nc=00000001, cnonce=\"0a4f113b\""
        );
        let credentials = Credentials::parse(mixed.as_bytes()).unwrap();
        assert!(!verify_password(&credentials, "GET", "Circle Of Life"));
    }
}

#[test]
fn answers_a_challenge_without_qop_in_the_old_way() {
    let text = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
    let challenge = Challenge::parse(text.as_bytes()).unwrap();
    let login = Login { username: "Mufasa", password: "Circle Of Life" };
    let value = answer(&challenge, &login, &GET, &Counted { cnonce: "x", nc: 1 }).unwrap();
    let value = String::from_utf8(value).unwrap();
    assert!(value.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{value}");
    assert!(
        !value.contains("qop") && !value.contains("nc=") && !value.contains("cnonce"),
        "{value}"
    );
}

#[test]
fn verifies_the_sip_example_of_rfc_3261() {
    // RFC 3261 §22.4 takes its numbers from RFC 2617; method, URI and user are SIP's.
    let text = r#"Digest username="bob", realm="bee.net", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        uri="sip:bob@biloxi.com", qop=auth, nc=00000001, cnonce="0a4f113b",
        response="d0152163ed7ebe1057cf694a174fc1a7""#;
    let credentials = Credentials::parse(text.as_bytes()).unwrap();
    assert!(verify_password(&credentials, "INVITE", "zanzibar"));
}

#[test]
fn reads_credentials_however_phones_write_them() {
    let rows = [
        // Folded, spaces around every separator, names in any case, values quoted or not.
        "DIGEST\r\n username = \"bob\" ,\r\n\tRealm=\"r\",NONCE=n,uri=\"sip:a\" , response = \"x\",QOP=\"auth\",nc=\"0000000A\",cnonce=c,algorithm=\"md5\"",
        "Digest username=bob,realm=r,nonce=n,uri=sip:a,response=x,,qop=auth,nc=0000000a,cnonce=\"c\",",
        "Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"x\", auth-param=\"y\", integrity-protected=no, qop=auth, nc=0000000a, cnonce=\"c\"",
        "Digest username*=UTF-8''b%6Fb, realm=\"\\r\", nonce=\"\\n\", uri=\"sip:a\", response=\"x\", qop=auth, nc=0000000a, cnonce=\"c\"",
    ];
    for row in rows {
        let read =
            Credentials::parse(row.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {row}"));
        let texts = [&read.username, &read.realm, &read.nonce, &read.uri, &read.response];
        let texts: Vec<&[u8]> = texts.into_iter().map(AsRef::as_ref).collect();
        assert_eq!(texts, [&b"bob"[..], b"r", b"n", b"sip:a", b"x"], "{row}");
        assert_eq!(
            (read.qop, read.nc, read.algorithm),
            (Qop::Auth, Some(10), Some(Algorithm::Md5))
        );
        assert_eq!(read.cnonce.as_deref(), Some(&b"c"[..]));
    }
}

#[test]
fn refuses_credentials_that_cannot_be_meant() {
    let whole = "username=u, realm=r, nonce=n, uri=a, response=x";
    let rows = [
        (String::new(), AuthError::NotDigest),
        ("Basic dXNlcjpwYXNz".to_string(), AuthError::NotDigest),
        (format!("Digestive {whole}"), AuthError::NotDigest),
        ("Digest".to_string(), AuthError::Missing("username")),
        ("Digest realm=r".to_string(), AuthError::Missing("username")),
        ("Digest username=u, realm=r, nonce=n, uri=a".to_string(), AuthError::Missing("response")),
        (format!("Digest {whole}, nonce=m"), AuthError::Repeated("nonce")),
        (format!("Digest {whole}, username*=UTF-8''u"), AuthError::Repeated("username")),
        ("Digest username*=latin-1''u".to_string(), AuthError::BadValue("username*")),
        ("Digest username*=UTF-8''%+1".to_string(), AuthError::BadValue("username*")),
        ("Digest username*=UTF-8''%4".to_string(), AuthError::BadValue("username*")),
        (format!("Digest {whole}, qop=auth, nc=00000001"), AuthError::Missing("cnonce")),
        (format!("Digest {whole}, qop=auth, cnonce=c"), AuthError::Missing("nc")),
        (format!("Digest {whole}, qop=auth, cnonce=c, nc=1"), AuthError::BadValue("nc")),
        (format!("Digest {whole}, qop=auth, cnonce=c, nc=0000000g"), AuthError::BadValue("nc")),
        (format!("Digest {whole}, qop=auth, cnonce=c, nc=+0000001"), AuthError::BadValue("nc")),
        (format!("Digest {whole}, opaque=\"open"), AuthError::Malformed),
        (format!("Digest {whole}, opaque=\"open\\\""), AuthError::Malformed),
        (format!("Digest {whole}, opaque=\"a\"b"), AuthError::Malformed),
        (format!("Digest {whole}, opaque=\"a\"b=c"), AuthError::Malformed),
        (format!("Digest {whole}, alone"), AuthError::Malformed),
        (format!("Digest {whole}, =x"), AuthError::Malformed),
        (format!("Digest {whole}, a b=x"), AuthError::Malformed),
        (format!("Digest {whole}{}", ", a=b".repeat(28)), AuthError::TooManyParams),
        (format!("Digest a={}", "x".repeat(8192)), AuthError::TooLong { bytes: 8201 }),
    ];
    for (text, expected) in rows {
        assert_eq!(Credentials::parse(text.as_bytes()), Err(expected), "{text}");
    }
    assert!(Credentials::parse(format!("Digest {whole}{}", ", a=b".repeat(27)).as_bytes()).is_ok());
}

#[test]
fn verifies_nothing_that_is_not_asked_for() {
    let text = challenge("MD5", "qop=\"auth\", ");
    let challenge = Challenge::parse(text.as_bytes()).unwrap();
    let value = answer(&challenge, &MUFASA, &GET, &Counted { cnonce: CNONCE, nc: 1 }).unwrap();
    let good = String::from_utf8(value).unwrap();
    let accepts = |text: &str| {
        verify_password(&Credentials::parse(text.as_bytes()).unwrap(), "GET", "Circle of Life")
    };
    assert!(accepts(&good));
    assert!(accepts(
        &good.replace("8ca523f5e9506fed4657c9700eebdbec", "8CA523F5E9506FED4657C9700EEBDBEC")
    ));
    let changes = [
        ("qop=auth,", "qop=auth-int,"),
        ("algorithm=MD5,", "algorithm=SHA-512-256,"),
        ("algorithm=MD5,", "algorithm=MD5-sess,"),
        ("algorithm=MD5,", "algorithm=SHA-256,"),
        ("nc=00000001", "nc=00000002"),
        ("nc=00000001", "nc=00000001, userhash=true"),
        ("/dir/index.html", "/dir/other.html"),
        ("8ca523f5", "8ca523f4"),
        ("8ca523f5", ""),
        ("8ca523f5e9506fed4657c9700eebdbec", ""),
        ("8ca523f5", "8ca523f58ca523f58ca523f58ca523f58ca523f58ca523f58ca523f5"),
        ("Mufasa", "Scar"),
        ("http-auth", "other"),
    ];
    for (from, to) in changes {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        assert!(!accepts(&changed), "{changed}");
    }
    let other = Ha1::new(Algorithm::Sha256, b"Mufasa", b"http-auth@example.org", b"Circle of Life");
    assert!(!verify(&Credentials::parse(good.as_bytes()).unwrap(), "GET", &other));
    // Nor where somebody has computed a response from the hash of the other algorithm.
    let ha2 = algorithm::Hash::Md5.of(&[b"GET", b"a"]);
    let mixed = algorithm::Hash::Md5.of(&[other.as_hex(), b"n", ha2.as_bytes()]);
    let mixed = core::str::from_utf8(mixed.as_bytes()).unwrap();
    let text = format!("Digest username=u, realm=r, nonce=n, uri=a, response={mixed}");
    assert!(!verify(&Credentials::parse(text.as_bytes()).unwrap(), "GET", &other));
    // -sess without a cnonce cannot be computed.
    let bare = "Digest username=u, realm=r, nonce=n, uri=a, response=x, algorithm=MD5-sess";
    assert!(!accepts(bare));
}

#[test]
fn chooses_the_strongest_that_can_be_answered() {
    let rows: [(&[&str], Option<usize>); 8] = [
        (&["SHA-256", "MD5"], Some(0)),
        (&["MD5", "SHA-256"], Some(1)),
        (&["SHA-512-256", "MD5"], Some(1)),
        (&["SHA-512-256", "AKAv1-MD5"], None),
        (&["MD5", "MD5"], Some(0)),
        (&["md5", "sha-256"], Some(1)),
        (&["MD5, qop=\"auth-int\""], None),
        (&[], None),
    ];
    for (algorithms, expected) in rows {
        let texts: Vec<String> = algorithms
            .iter()
            .enumerate()
            .map(|(index, algorithm)| {
                format!("Digest realm=r, nonce=n{index}, algorithm={algorithm}")
            })
            .collect();
        let challenges = texts.iter().map(|text| Challenge::parse(text.as_bytes()).unwrap());
        let chosen =
            choose(challenges).map(|chosen| String::from_utf8(chosen.nonce.to_vec()).unwrap());
        assert_eq!(chosen, expected.map(|index| format!("n{index}")), "{algorithms:?}");
    }
    let text = challenge("SHA-512-256", "qop=auth, ");
    let unknown = Challenge::parse(text.as_bytes()).unwrap();
    assert_eq!(answer(&unknown, &MUFASA, &GET, &Counted { cnonce: "c", nc: 1 }), None);
}

#[test]
fn reads_the_challenges_of_real_servers() {
    let rows = [
        ("Digest realm=\"asterisk\", nonce=\"4084e389\", algorithm=MD5", Qop::Absent, false),
        (
            "Digest realm=\"sip\",nonce=\"a/b==\",qop=\"auth\",stale=TRUE,algorithm=MD5",
            Qop::Auth,
            true,
        ),
        ("Digest nonce=\"n\", realm=\"r\", domain=\"sip:a sip:b\", qop=auth", Qop::Auth, false),
        ("Digest realm=\"r\",\r\n nonce=\"n\",\r\n qop=\"auth-int,token\"", Qop::Other, false),
        ("digest realm=\"r\", nonce=\"\", qop=\"\", stale=\"false\"", Qop::Absent, false),
    ];
    for (text, qop, stale) in rows {
        let read = Challenge::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (read.qop, read.stale, read.algorithm),
            (qop, stale, Some(Algorithm::Md5)),
            "{text}"
        );
    }
    assert_eq!(Challenge::parse(b"Digest nonce=n"), Err(AuthError::Missing("realm")));
    assert_eq!(Challenge::parse(b"Digest realm=n"), Err(AuthError::Missing("nonce")));
    assert_eq!(Challenge::parse(b"Bearer realm=n"), Err(AuthError::NotDigest));
}

#[test]
fn quotes_what_it_sends_back() {
    let text = "Digest realm=\"a \\\"b\\\" \\\\ c\r\n d\", nonce=\"n\", opaque=\"\"";
    let challenge = Challenge::parse(text.as_bytes()).unwrap();
    assert_eq!(&challenge.realm[..], b"a \"b\" \\ c d");
    let login = Login { username: "o\"k\r\nVia: x", password: "p" };
    let value = answer(&challenge, &login, &GET, &Counted { cnonce: "c", nc: 1 }).unwrap();
    let value = String::from_utf8(value).unwrap();
    assert!(
        value.contains(r#"username="o\"k  Via: x", realm="a \"b\" \\ c d", nonce="n""#),
        "{value}"
    );
    assert!(value.contains("opaque=\"\""), "{value}");
    assert!(!value.contains(['\r', '\n']));
}

/// Where nonces are sent and come from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

#[test]
fn our_challenges_are_read_as_meant() {
    let key = NonceKey::new([7; 32]);
    let nonce = key.mint(UnixMillis(1_000_000), 5, HERE);
    for (algorithm, stale) in [(Algorithm::Sha256, Stale::Yes), (Algorithm::Md5, Stale::No)] {
        let value = challenge_value("a \"realm\"", &nonce, algorithm, stale);
        let read = Challenge::parse(&value).unwrap();
        assert_eq!(read.answerable(), Some(algorithm));
        assert_eq!((read.stale, read.qop), (stale == Stale::Yes, Qop::Auth));
        assert_eq!(&read.realm[..], b"a \"realm\"");
        assert_eq!(&read.nonce[..], nonce.as_bytes());
    }
}

#[test]
fn nonces_are_fresh_then_stale_and_never_forged_by_others() {
    let key = NonceKey::new([1; 32]);
    let minted = UnixMillis(1_700_000_000_000);
    let nonce = key.mint(minted, 42, HERE);
    assert_eq!(nonce.len(), 64);
    assert_ne!(nonce, key.mint(minted, 43, HERE), "two of the same millisecond");
    let after = |seconds| minted + Duration::from_secs(seconds);
    let NonceState::Fresh { id } = key.check(nonce.as_bytes(), minted, HERE) else {
        panic!("not fresh")
    };
    assert_eq!(key.check(nonce.as_bytes(), after(300), HERE), NonceState::Fresh { id });
    assert_eq!(key.check(nonce.as_bytes(), after(301), HERE), NonceState::Stale);
    let other = key.mint(minted, 43, HERE);
    assert!(
        matches!(key.check(other.as_bytes(), minted, HERE), NonceState::Fresh { id: found } if found != id)
    );

    // Another shard's clock may be a little behind; a clock that was set back makes nonces stale.
    assert_eq!(
        key.check(nonce.as_bytes(), UnixMillis(minted.0 - 5000), HERE),
        NonceState::Fresh { id }
    );
    assert_eq!(key.check(nonce.as_bytes(), UnixMillis(minted.0 - 5001), HERE), NonceState::Stale);

    let short = key.clone().with_life(Duration::from_secs(10));
    assert_eq!(short.check(nonce.as_bytes(), after(11), HERE), NonceState::Stale);
    let foreign = NonceKey::new([2; 32]);
    assert_eq!(foreign.check(nonce.as_bytes(), minted, HERE), NonceState::Forged);
    let mapped = "::ffff:192.0.2.9".parse().unwrap();
    assert_eq!(key.check(nonce.as_bytes(), minted, mapped), NonceState::Fresh { id });
    for elsewhere in ["192.0.2.10", "2001:db8::9"] {
        let elsewhere = elsewhere.parse().unwrap();
        assert_eq!(key.check(nonce.as_bytes(), minted, elsewhere), NonceState::Forged);
    }
    let spellings = [
        nonce.to_uppercase(),
        nonce[1..].to_string(),
        format!("{nonce}0"),
        String::new(),
        "x".repeat(64),
    ];
    for text in spellings {
        assert_eq!(key.check(text.as_bytes(), minted, HERE), NonceState::Forged, "{text}");
    }
    for at in 0..64 {
        let mut changed = nonce.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(key.check(&changed, minted, HERE), NonceState::Forged, "digit {at}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!(
        "{:?} {:?} {:?}",
        Ha1::new(Algorithm::Md5, b"bob", b"r", b"zanzibar"),
        Login { username: "bob", password: "zanzibar" },
        NonceKey::new([0x5a; 32]),
    );
    assert!(
        !shown.contains("zanzibar") && !shown.contains("5a") && !shown.contains("90"),
        "{shown}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Challenge::parse(&bytes);
        let mut text = b"Digest ".to_vec();
        text.extend_from_slice(&bytes);
        let _ = Challenge::parse(&text);
        let _ = Credentials::parse(&text);
        let _ = NonceKey::new([0; 32]).check(&bytes, UnixMillis(0), HERE);
    }

    #[test]
    fn grammar_shaped_text_is_read_or_refused(
        text in "Digest( ?(username|realm|nonce|uri|response|qop|nc|cnonce|x)\\*?=(\"([a-z\\\\]|\\\\\")*\"?|[a-z0-9]*)[, \r\n]*){0,9}"
    ) {
        if let Ok(read) = Credentials::parse(text.as_bytes()) {
            let _ = verify_password(&read, "INVITE", "x");
        }
    }

    #[test]
    fn what_is_answered_is_verified(
        realm in "\\PC{0,20}", username in "\\PC{0,20}", password in "\\PC{0,20}", nonce in "\\PC{0,20}",
        cnonce in "[a-z0-9]{1,20}", nc in any::<u32>(), algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
    ) {
        let text = challenge_value(&realm, &nonce, algorithm, Stale::No);
        let challenge = Challenge::parse(&text).unwrap();
        let login = Login { username: &username, password: &password };
        let asked = Asked { method: "INVITE", uri: b"sip:1001@192.0.2.1;transport=udp" };
        let value = answer(&challenge, &login, &asked, &Counted { cnonce: &cnonce, nc }).unwrap();
        let credentials = Credentials::parse(&value).unwrap();
        prop_assert_eq!(&credentials.username[..], username.as_bytes());
        prop_assert_eq!(&credentials.realm[..], realm.as_bytes());
        prop_assert_eq!(&credentials.nonce[..], nonce.as_bytes());
        prop_assert_eq!(credentials.nc, Some(nc));
        prop_assert!(verify_password(&credentials, "INVITE", &password));
        prop_assert!(!verify_password(&credentials, "BYE", &password));
    }
}
