//! Who calls, and what the other side may see of it: contract §1 (numbers) and §2 (identity rules).
//!
//! Invariant: what [`Shown`] holds is all that leg B ever learns about the caller.

use alloc::borrow::Cow;

use mediator_model::{Attributes, Endpoint, EndpointKind, Number};
use mediator_sip::message::Request;
use mediator_sip::uri::{Host, Scheme, Uri};

/// The caller as routing sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// A number that may be shown.
    Open(Number),
    /// A number hidden by Privacy: it matches bindings, is never shown onward and never claims.
    Withheld(Number),
    /// No number at all.
    Anonymous,
}

impl Caller {
    /// The number that bindings are matched by.
    pub const fn number(self) -> Option<Number> {
        match self {
            Self::Open(number) | Self::Withheld(number) => Some(number),
            Self::Anonymous => None,
        }
    }

    /// The number that may claim a binding that waits for its first caller.
    pub const fn claimant(self) -> Option<Number> {
        match self {
            Self::Open(number) => Some(number),
            Self::Withheld(_) | Self::Anonymous => None,
        }
    }

    /// The number that the account's owner may be told: a hidden one is told nobody.
    pub const fn told(self) -> Option<Number> {
        match self {
            Self::Open(number) => Some(number),
            Self::Withheld(_) | Self::Anonymous => None,
        }
    }

    /// What a following binding takes this caller for, once an earlier one has shown it as `shown`.
    pub(crate) const fn after(self, shown: Shown) -> Self {
        match shown {
            Shown::Number(number) => Self::Open(number),
            Shown::Anonymous => self,
        }
    }
}

/// What leg B sees as the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// This number.
    Number(Number),
    /// `"Anonymous" <sip:anonymous@anonymous.invalid>` and `Privacy: id` (RFC 3323 §4.1.1.3).
    Anonymous,
}

impl Shown {
    /// The number, where one is shown.
    pub const fn number(self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Anonymous => None,
        }
    }
}

/// Applies a binding's identity attributes.
pub(crate) fn present(
    caller: Caller,
    redirect_did: Number,
    attributes: Option<&Attributes>,
) -> Shown {
    let hide = attributes.is_some_and(|a| a.hide_origination_did);
    let fix = attributes.is_some_and(|a| a.fix_anonymous_cid);
    match caller {
        _ if hide => Shown::Number(redirect_did),
        Caller::Open(number) => Shown::Number(number),
        Caller::Withheld(_) | Caller::Anonymous if fix => Shown::Number(redirect_did),
        Caller::Withheld(_) | Caller::Anonymous => Shown::Anonymous,
    }
}

/// The caller without any binding between: as presented.
pub(crate) const fn present_plain(caller: Caller) -> Shown {
    match caller {
        Caller::Open(number) => Shown::Number(number),
        Caller::Withheld(_) | Caller::Anonymous => Shown::Anonymous,
    }
}

/// Who calls, and the number that the source has asserted (RFC 3325), where it may be told.
pub(crate) struct Identified {
    pub(crate) caller: Caller,
    pub(crate) asserted: Option<Number>,
}

/// Reads who calls from an INVITE of `endpoint`. A phone cannot claim another's number, and asserts nothing.
pub(crate) fn caller_of(request: &Request, endpoint: &Endpoint) -> Identified {
    let from = request.from().ok();
    let from_number = from.as_ref().and_then(|from| number_of(&from.uri));
    let (number, asserted) =
        if let EndpointKind::ThirdParty { credentials: Some(_) } = endpoint.kind {
            let own = from_number.filter(|number| endpoint.dids.contains(number));
            (own.or_else(|| endpoint.dids.first().copied()), None)
        } else {
            let asserted = asserted_number(request);
            (asserted.or(from_number), asserted)
        };
    let Some(number) = number else {
        return Identified { caller: Caller::Anonymous, asserted: None };
    };
    let privacy = request.privacy();
    let asks_privacy = privacy.id || privacy.user || privacy.header;
    let from_hides = from.is_none_or(|from| from_is_anonymous(&from.uri));
    if asks_privacy || from_hides {
        Identified { caller: Caller::Withheld(number), asserted: None }
    } else {
        Identified { caller: Caller::Open(number), asserted }
    }
}

/// The number in a URI's user part, where it is one.
pub(crate) fn number_of(uri: &Uri<'_>) -> Option<Number> {
    match uri.scheme {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => {
            uri.user.and_then(|_| Number::from_user(&uri.user_decoded()).ok())
        }
        Scheme::Other => None,
    }
}

fn asserted_number(request: &Request) -> Option<Number> {
    request
        .asserted_identities()
        .filter_map(Result::ok)
        .find_map(|identity| number_of(&identity.uri))
}

/// RFC 3323 §4.1.1.3 and what carriers send instead.
fn from_is_anonymous(uri: &Uri<'_>) -> bool {
    if matches!(uri.host, Host::Name(name) if name.eq_ignore_ascii_case("anonymous.invalid")) {
        return true;
    }
    let user: Cow<'_, str> = uri.user_decoded();
    ["", "anonymous", "unavailable", "restricted"]
        .iter()
        .any(|hidden| user.eq_ignore_ascii_case(hidden))
}

#[cfg(test)]
mod tests;
