//! Each check finds what it is for, and nothing in a file that is as it should be.

use super::arrows::{Arrow, refusal};
use super::code::{code_of, find_word, line_of};
use super::pure::check_sources;
use super::source::{File, check_neighbours, check_rust};

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn blanks_what_is_not_code() {
    let rows = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("f(\"x\\\"y\") g", "f(      ) g"),
        ("r#\"a\"b\"# c", "         c"),
        ("br\"a\" b'\\'' c\"d\"", "                "),
        ("'a' '\\n' &'a str", "         &'a str"),
        ("'\u{e4}' x", "     x"),
        ("for r in b {}", "for r in b {}"),
        ("\"a\nb\"", "  \n  "),
        ("abr\"x\"", "abr   "),
    ];
    for (text, code) in rows {
        assert_eq!(code_of(text), code, "{text}");
    }
}

#[test]
fn finds_whole_words_with_their_line() {
    let code = "unsafe_code\nan unsafe {\nunsafely";
    let places = find_word(code, "unsafe");
    assert_eq!(places.len(), 1);
    assert_eq!(line_of(code, places[0]), 2);
}

#[test]
fn draws_only_the_arrows_of_the_architecture() {
    let rows = [
        ("mediator-sip", "mediator-model", false, true),
        ("mediator-call", "mediator-sip", false, true),
        ("mediator-call", "mediator-table", false, false),
        ("mediator-sip", "mediator-call", false, false),
        ("mediator-net", "mediator-call", false, false),
        ("mediator-call", "mediator-sim", false, false),
        ("mediator-call", "mediator-sim", true, true),
        ("mediator", "mediator-net", false, true),
        ("mediator", "mediator-sim", false, false),
        ("mediator-model", "mediator-sip", true, false),
    ];
    for (from, to, for_tests, drawn) in rows {
        assert_eq!(refusal(Arrow { from, to, for_tests }).is_none(), drawn, "{from} -> {to}");
    }
}

#[test]
fn refuses_what_no_rust_file_may_hold() {
    let rows = [
        ("crates/a/src/a.rs", "//! a\nfn f() {}\n", 0),
        ("crates/a/src/a.rs", "fn f() {}\n", 1),
        ("crates/a/src/a.rs", "//! todo!() unsafe\n// dbg!(1)\n", 0),
        ("crates/a/src/a.rs", "//! a\nfn f() { todo!() }\n", 1),
        ("crates/a/src/a.rs", "//! a\nfn f() { dbg!(1); unimplemented!() }\n", 2),
        ("crates/a/src/a.rs", "//! a\n#[ignore = \"slow\"]\nfn f() {}\n", 1),
        ("crates/a/src/a.rs", "//! a\n#![allow(unsafe_code)]\nunsafe fn f() {}\n", 2),
        ("crates/table/src/a.rs", "//! a\n#![allow(unsafe_code)]\nunsafe fn f() {}\n", 0),
    ];
    for (path, text, findings) in rows {
        assert_eq!(check_rust(&file(path, text)).len(), findings, "{path}: {text}");
    }
}

#[test]
fn refuses_to_name_what_lies_beside_the_project() {
    let text = concat!("a\nb ../", "shared/x\n");
    assert_eq!(check_neighbours(&file("README.md", text)).len(), 1);
    assert_eq!(check_neighbours(&file(".ci/run", text)).len(), 0);
}

#[test]
fn refuses_impure_names_in_pure_code_only() {
    let library = "//! a\n#![no_std]\n#[cfg(test)]\nextern crate std;\n";
    let rows = [
        ("crates/sip/src/lib.rs", library, 0),
        ("crates/sip/src/lib.rs", "//! a\n", 1),
        ("crates/sip/src/a.rs", "//! a\nuse std::time::Instant;\n", 1),
        ("crates/sip/src/a/tests.rs", "//! a\nuse std::time::Instant;\n", 0),
        ("crates/sip/src/a.rs", "//! std::time\nuse core::time::Duration;\n", 0),
        ("crates/net/src/a.rs", "//! a\nuse std::time::Instant;\n", 0),
    ];
    for (path, text, findings) in rows {
        assert_eq!(
            check_sources("crates/sip/", &[file(path, text)]).len(),
            findings,
            "{path}: {text}"
        );
    }
}
