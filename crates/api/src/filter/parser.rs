//! From tokens to a tree.

use mediator_store::query::{Comparison, Filter, Literal, Operator};

use super::lexer::{Lexer, Token, TokenKind};

/// The longest filter, in bytes.
pub(crate) const MAX_BYTES: usize = 8 * 1024;
/// The deepest nesting of parentheses.
pub(crate) const MAX_DEPTH: usize = 32;
/// The most comparisons.
pub(crate) const MAX_COMPARISONS: usize = 256;
/// The most values of all lists together.
pub(crate) const MAX_VALUES: usize = 1024;

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum FilterError {
    /// Something else was expected.
    #[error("filter: expected {expected} at position {position}, found {found}")]
    Unexpected {
        /// What.
        expected: &'static str,
        /// Where, in characters from 1.
        position: usize,
        /// What is there, in quotes, or "the end".
        found: Box<str>,
    },
    /// A text whose quote never comes.
    #[error("filter: the text at position {position} has no closing quote")]
    Unclosed {
        /// Where it begins, in characters from 1.
        position: usize,
    },
    /// A limit.
    #[error("filter: {0}")]
    TooLarge(&'static str),
}

const OPERATORS: [(&str, Operator); 10] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("like", Operator::Like),
    ("ilike", Operator::Ilike),
    ("in", Operator::In),
    ("notin", Operator::NotIn),
];

/// Reads a filter.
pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > MAX_BYTES {
        return Err(FilterError::TooLarge("longer than 8192 bytes"));
    }
    let mut parser = Parser { lexer: Lexer::new(text), ahead: None, comparisons: 0, values: 0 };
    let filter = parser.any(0)?;
    match parser.peek()?.kind {
        TokenKind::End => Ok(filter),
        _ => parser.unexpected("and, or, or the end"),
    }
}

/// A dotted field, as in an order; `None`: it is none.
pub(crate) fn path(text: &str) -> Option<Vec<Box<str>>> {
    let is_name = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !name.is_empty() && name.bytes().all(is_allowed)
    };
    let names: Vec<&str> = text.split('.').collect();
    let is_path = names.len() <= MAX_DEPTH && names.iter().all(|name| is_name(name));
    is_path.then(|| names.into_iter().map(Into::into).collect())
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<Token<'a>>,
    comparisons: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Result<Token<'a>, FilterError> {
        if let Some(token) = &self.ahead {
            return Ok(token.clone());
        }
        let token = self.lexer.next_token()?;
        self.ahead = Some(token.clone());
        Ok(token)
    }

    fn take(&mut self) -> Result<Token<'a>, FilterError> {
        let token = self.peek()?;
        self.ahead = None;
        Ok(token)
    }

    fn unexpected<T>(&mut self, expected: &'static str) -> Result<T, FilterError> {
        let token = self.peek()?;
        Err(FilterError::Unexpected { expected, position: token.position, found: token.shown() })
    }

    /// Depth is that of parentheses.
    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or")? {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.unit(depth)?];
        while self.takes_word("and")? {
            parts.push(self.unit(depth)?);
        }
        Ok(joined(parts, Filter::All))
    }

    fn unit(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if self.peek()?.kind != TokenKind::Open {
            return self.comparison().map(Filter::Compare);
        }
        if depth == MAX_DEPTH {
            return Err(FilterError::TooLarge("parentheses nested deeper than 32"));
        }
        self.take()?;
        let inner = self.any(depth + 1)?;
        self.expect(&TokenKind::Close, "and, or, or \")\"")?;
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(FilterError::TooLarge("more than 256 comparisons"));
        }
        let TokenKind::Word(field) = self.peek()?.kind else {
            return self.unexpected("a field or \"(\"");
        };
        let Some(path) = path(field) else { return self.unexpected("a field or \"(\"") };
        self.take()?;
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => vec![self.value()?],
        };
        Ok(Comparison { path, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, FilterError> {
        const EXPECTED: &str = "an operator (eq, ne, gt, ge, lt, le, like, ilike, in, notin)";
        let TokenKind::Word(word) = self.peek()?.kind else { return self.unexpected(EXPECTED) };
        let known = OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((_, operator)) = known else { return self.unexpected(EXPECTED) };
        self.take()?;
        Ok(*operator)
    }

    fn list(&mut self) -> Result<Vec<Literal>, FilterError> {
        self.expect(&TokenKind::Open, "\"(\"")?;
        let mut values = vec![self.value()?];
        while self.peek()?.kind == TokenKind::Comma {
            self.take()?;
            values.push(self.value()?);
        }
        self.expect(&TokenKind::Close, "\",\" or \")\"")?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Literal, FilterError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(FilterError::TooLarge("more than 1024 values"));
        }
        let value = match self.peek()?.kind {
            TokenKind::Text(text) => Literal::Text(text.into()),
            TokenKind::Word(word) => bare(word),
            TokenKind::Open
            | TokenKind::Close
            | TokenKind::Comma
            | TokenKind::Other
            | TokenKind::End => {
                return self.unexpected("a value");
            }
        };
        self.take()?;
        Ok(value)
    }

    fn expect(&mut self, kind: &TokenKind<'_>, expected: &'static str) -> Result<(), FilterError> {
        if self.peek()?.kind != *kind {
            return self.unexpected(expected);
        }
        self.take()?;
        Ok(())
    }

    fn takes_word(&mut self, word: &str) -> Result<bool, FilterError> {
        let is_it =
            matches!(self.peek()?.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word));
        if is_it {
            self.take()?;
        }
        Ok(is_it)
    }
}

/// One part stands for itself; nested lists of the same kind stay as the parentheses have them.
fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

/// A value without quotes.
fn bare(word: &str) -> Literal {
    if word.eq_ignore_ascii_case("null") {
        return Literal::Null;
    }
    if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
        return Literal::Bool(word.eq_ignore_ascii_case("true"));
    }
    // A number is what is written as numbers are written: 007 and 1.50 stay what they are for a field that holds text,
    // and are numbers all the same for one that holds a number.
    if let Ok(integer) = word.parse::<i64>()
        && integer.to_string() == word
    {
        return Literal::Integer(integer);
    }
    match word.parse::<f64>() {
        Ok(decimal) if decimal.is_finite() && decimal.to_string() == word => {
            Literal::Decimal(decimal)
        }
        _ => Literal::Text(word.into()),
    }
}
