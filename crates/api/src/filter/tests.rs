//! The language: what is read, what is refused and why, and that what is printed is read back.

use mediator_store::query::{Comparison, Filter, Literal, Operator};
use proptest::prelude::*;

use super::parser::{MAX_BYTES, MAX_COMPARISONS, MAX_DEPTH, MAX_VALUES};
use super::{parse, path};

fn compare(field: &str, operator: Operator, values: &[Literal]) -> Filter {
    Filter::Compare(Comparison {
        path: field.split('.').map(Into::into).collect(),
        operator,
        values: values.to_vec(),
    })
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

#[test]
fn reads_comparisons() {
    use Operator::{Eq, Ge, Gt, Ilike, In, Le, Like, Lt, Ne, NotIn};
    let rows: &[(&str, Filter)] = &[
        (r#"name eq "my_mediator""#, compare("name", Eq, &[text("my_mediator")])),
        ("name eq 'it''s'", compare("name", Eq, &[text("it's")])),
        (r#"name eq "say \"hi\" \\ \'""#, compare("name", Eq, &[text("say \"hi\" \\ '")])),
        ("name eq ''", compare("name", Eq, &[text("")])),
        (
            "wait_origination_did_ttl ge 70000",
            compare("wait_origination_did_ttl", Ge, &[Literal::Integer(70_000)]),
        ),
        ("maximum_ttl gt -1", compare("maximum_ttl", Gt, &[Literal::Integer(-1)])),
        ("maximum_ttl LE 1.25", compare("maximum_ttl", Le, &[Literal::Decimal(1.25)])),
        ("maximum_ttl lt -0.5", compare("maximum_ttl", Lt, &[Literal::Decimal(-0.5)])),
        ("name iLike 'AccOUnt%'", compare("name", Ilike, &[text("AccOUnt%")])),
        ("name like \"A%t\"", compare("name", Like, &[text("A%t")])),
        ("dtmf eq NULL", compare("dtmf", Eq, &[Literal::Null])),
        ("auth_required ne True", compare("auth_required", Ne, &[Literal::Bool(true)])),
        (
            "status in(\"active\" ,'suspended')",
            compare("status", In, &[text("active"), text("suspended")]),
        ),
        (
            "n notin (1,2.5,null,false)",
            compare(
                "n",
                NotIn,
                &[Literal::Integer(1), Literal::Decimal(2.5), Literal::Null, Literal::Bool(false)],
            ),
        ),
        ("type eq conference", compare("type", Eq, &[text("conference")])),
        (
            "phonenumber eq 15162065337",
            compare("phonenumber", Eq, &[Literal::Integer(15_162_065_337)]),
        ),
        ("phonenumber eq +15162065337", compare("phonenumber", Eq, &[text("+15162065337")])),
        ("name eq 007", compare("name", Eq, &[text("007")])),
        ("name eq 1.50", compare("name", Eq, &[text("1.50")])),
        (
            "name eq 99999999999999999999999",
            compare("name", Eq, &[text("99999999999999999999999")]),
        ),
        (
            "date_created gt 2018-10-09T22:47:56.609Z",
            compare("date_created", Gt, &[text("2018-10-09T22:47:56.609Z")]),
        ),
        ("addresses.ip eq '1.1.2.13'", compare("addresses.ip", Eq, &[text("1.1.2.13")])),
        (
            "attributes.sip_header_X-Foo eq 'ä'",
            compare("attributes.sip_header_X-Foo", Eq, &[text("ä")]),
        ),
        ("and eq or", compare("and", Eq, &[text("or")])),
        ("((  a eq 1 ))", compare("a", Eq, &[Literal::Integer(1)])),
    ];
    for (written, expected) in rows {
        assert_eq!(parse(written).as_ref(), Ok(expected), "{written}");
    }
}

#[test]
fn and_binds_tighter_than_or() {
    let one = |name: &str| compare(name, Operator::Eq, &[Literal::Integer(1)]);
    let rows = [
        (
            "a eq 1 or b eq 1 AND c eq 1",
            Filter::Any(vec![one("a"), Filter::All(vec![one("b"), one("c")])]),
        ),
        (
            "(a eq 1 Or b eq 1) and c eq 1",
            Filter::All(vec![Filter::Any(vec![one("a"), one("b")]), one("c")]),
        ),
        ("a eq 1 and b eq 1 and c eq 1", Filter::All(vec![one("a"), one("b"), one("c")])),
        (
            "a eq 1 and (b eq 1 and c eq 1)",
            Filter::All(vec![one("a"), Filter::All(vec![one("b"), one("c")])]),
        ),
    ];
    for (written, expected) in rows {
        assert_eq!(parse(written), Ok(expected), "{written}");
    }
}

#[test]
fn says_where_it_stops_and_what_was_expected() {
    const OPERATOR: &str = "an operator (eq, ne, gt, ge, lt, le, like, ilike, in, notin)";
    let rows = [
        ("", "filter: expected a field or \"(\" at position 1, found the end".to_owned()),
        ("   ", "filter: expected a field or \"(\" at position 4, found the end".to_owned()),
        ("maximum_ttl == 5", format!("filter: expected {OPERATOR} at position 13, found \"==\"")),
        ("name", format!("filter: expected {OPERATOR} at position 5, found the end")),
        ("näme is 1", "filter: expected a field or \"(\" at position 1, found \"näme\"".to_owned()),
        ("name eq", "filter: expected a value at position 8, found the end".to_owned()),
        ("name eq (1)", "filter: expected a value at position 9, found \"(\"".to_owned()),
        ("name in 1", "filter: expected \"(\" at position 9, found \"1\"".to_owned()),
        ("name in ()", "filter: expected a value at position 10, found \")\"".to_owned()),
        ("name in (1 2)", "filter: expected \",\" or \")\" at position 12, found \"2\"".to_owned()),
        ("(a eq 1", "filter: expected and, or, or \")\" at position 8, found the end".to_owned()),
        ("a eq 1)", "filter: expected and, or, or the end at position 7, found \")\"".to_owned()),
        (
            "a eq 1 b eq 2",
            "filter: expected and, or, or the end at position 8, found \"b\"".to_owned(),
        ),
        ("a..b eq 1", "filter: expected a field or \"(\" at position 1, found \"a..b\"".to_owned()),
        ("'a' eq 1", "filter: expected a field or \"(\" at position 1, found \"'a'\"".to_owned()),
        (
            "a eq 'ä' or b eq 'open",
            "filter: the text at position 18 has no closing quote".to_owned(),
        ),
        ("a eq 'x\\", "filter: the text at position 6 has no closing quote".to_owned()),
        (
            "a eq 1; drop",
            "filter: expected and, or, or the end at position 7, found \";\"".to_owned(),
        ),
    ];
    for (written, expected) in rows {
        assert_eq!(parse(written).map_err(|error| error.to_string()), Err(expected), "{written}");
    }
}

#[test]
fn has_limits() {
    let nested = |depth: usize| format!("{}a eq 1{}", "(".repeat(depth), ")".repeat(depth));
    let many = |count: usize| vec!["a eq 1"; count].join(" or ");
    let list = |count: usize| format!("a in ({})", vec!["1"; count].join(","));
    let long = |bytes: usize| format!("a eq '{}'", "x".repeat(bytes - 7));
    let rows = [
        (nested(MAX_DEPTH), nested(MAX_DEPTH + 1), "parentheses nested deeper than 32"),
        (many(MAX_COMPARISONS), many(MAX_COMPARISONS + 1), "more than 256 comparisons"),
        (list(MAX_VALUES), list(MAX_VALUES + 1), "more than 1024 values"),
        (long(MAX_BYTES), long(MAX_BYTES + 1), "longer than 8192 bytes"),
    ];
    for (fits, is_too_much, error) in rows {
        assert!(parse(&fits).is_ok(), "{error}");
        let refused = parse(&is_too_much).map_err(|error| error.to_string());
        assert_eq!(refused, Err(format!("filter: {error}")));
    }
}

#[test]
fn reads_paths_of_orders() {
    assert_eq!(path("attributes.X-Foo").map(|path| path.len()), Some(2));
    for bad in ["", ".", "a.", "a b", "a;b", "ä"] {
        assert_eq!(path(bad), None, "{bad}");
    }
}

fn names() -> impl Strategy<Value = String> {
    prop::collection::vec("[A-Za-z_][A-Za-z0-9_-]{0,8}", 1..4).prop_map(|names| names.join("."))
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(Literal::Integer),
        (-1_000_000_i32..1_000_000).prop_map(|n| Literal::Decimal(f64::from(n) + 0.5)),
        any::<String>()
            .prop_map(|text| Literal::Text(text.chars().take(20).collect::<String>().into())),
    ]
}

fn comparisons() -> impl Strategy<Value = Filter> {
    let single = prop::sample::select(vec![
        Operator::Eq,
        Operator::Ne,
        Operator::Gt,
        Operator::Ge,
        Operator::Lt,
        Operator::Le,
        Operator::Like,
        Operator::Ilike,
    ]);
    let listed = prop::sample::select(vec![Operator::In, Operator::NotIn]);
    prop_oneof![
        (names(), single, literals()).prop_map(|(field, operator, value)| compare(
            &field,
            operator,
            &[value]
        )),
        (names(), listed, prop::collection::vec(literals(), 1..4))
            .prop_map(|(field, operator, values)| compare(&field, operator, &values)),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    comparisons().prop_recursive(4, 32, 4, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![parts.clone().prop_map(Filter::All), parts.prop_map(Filter::Any)]
    })
}

fn print(filter: &Filter) -> String {
    let joined = |parts: &[Filter], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| format!("({})", print(part))).collect();
        parts.join(word)
    };
    match filter {
        Filter::All(parts) => joined(parts, " and "),
        Filter::Any(parts) => joined(parts, " or "),
        Filter::Compare(comparison) => {
            let values: Vec<String> = comparison.values.iter().map(print_literal).collect();
            let field = comparison.path.join(".");
            let operator = format!("{:?}", comparison.operator).to_lowercase();
            match comparison.operator {
                Operator::In | Operator::NotIn => {
                    format!("{field} {operator} ({})", values.join(", "))
                }
                _ => format!("{field} {operator} {}", values[0]),
            }
        }
    }
}

fn print_literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Decimal(value) => value.to_string(),
        Literal::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\"")),
    }
}

proptest! {
    #[test]
    fn reads_back_what_is_printed(filter in filters()) {
        prop_assert_eq!(parse(&print(&filter)), Ok(filter));
    }

    #[test]
    fn any_text_is_a_filter_or_a_reason(text in any::<String>()) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().starts_with("filter: "));
        }
    }

    #[test]
    fn any_words_are_a_filter_or_a_reason(words in prop::collection::vec(
        prop::sample::select(vec![
            "a", "a.b", "eq", "in", "notin", "and", "or", "(", ")", ",", "'x'", "\"", "'", "\\", "1", "-", "null", "%", "=",
        ]),
        0..40,
    )) {
        if let Ok(filter) = parse(&words.join(" ")) {
            prop_assert_eq!(parse(&print(&filter)), Ok(filter));
        }
    }
}
