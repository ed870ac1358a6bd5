//! From a text to tokens, each read once.

use std::borrow::Cow;

use super::parser::FilterError;

/// One token and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    /// In characters, from 1.
    pub(super) position: usize,
    /// As it stands in the text.
    source: &'a str,
}

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum TokenKind<'a> {
    /// Letters, digits, `_`, `-`, `.`, `+` and `:`, without quotes.
    Word(&'a str),
    /// Between quotes, escapes undone.
    Text(Cow<'a, str>),
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
    /// A run of anything else.
    Other,
    /// After the last one.
    End,
}

impl Token<'_> {
    /// For messages: the beginning of it, in quotes.
    pub(super) fn shown(&self) -> Box<str> {
        const MAX_CHARS: usize = 32;
        if self.kind == TokenKind::End {
            return "the end".into();
        }
        let shown: String = self.source.chars().take(MAX_CHARS).collect();
        format!("{shown:?}").into()
    }
}

/// Hands out tokens, one after another.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    /// Characters before `rest`.
    before: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, before: 0 }
    }

    pub(super) fn next_token(&mut self) -> Result<Token<'a>, FilterError> {
        let blank = run(self.rest, char::is_whitespace);
        self.advance(blank);
        let position = self.before + 1;
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token { kind: TokenKind::End, position, source: "" });
        };
        let (kind, length) = match first {
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            ',' => (TokenKind::Comma, 1),
            '"' | '\'' => {
                let (text, length) =
                    quoted(self.rest, first).ok_or(FilterError::Unclosed { position })?;
                (TokenKind::Text(text), length)
            }
            first if is_word(first) => {
                let length = run(self.rest, is_word);
                (TokenKind::Word(self.rest.get(..length).unwrap_or_default()), length)
            }
            _ => (TokenKind::Other, run(self.rest, is_other)),
        };
        let source = self.advance(length);
        Ok(Token { kind, position, source })
    }

    /// Leaves behind this many bytes.
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (read, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.before += read.chars().count();
        self.rest = rest;
        read
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | ':')
}

fn is_other(c: char) -> bool {
    !is_word(c) && !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | '"' | '\'')
}

/// How many bytes at the beginning are all of a kind.
fn run(text: &str, of_kind: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of_kind(c)).unwrap_or(text.len())
}

/// The text between quotes and how many bytes it takes with them; `None`: it has no end.
fn quoted(text: &str, quote: char) -> Option<(Cow<'_, str>, usize)> {
    let mut plain = String::new();
    let mut is_plain = true;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            let (_, escaped) = chars.next()?;
            plain.push(escaped);
            is_plain = false;
        } else if c != quote {
            plain.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            plain.push(quote);
            is_plain = false;
        } else {
            let text = match text.get(1..at) {
                Some(inner) if is_plain => Cow::Borrowed(inner),
                _ => Cow::Owned(plain),
            };
            return Some((text, at + 1));
        }
    }
    None
}
