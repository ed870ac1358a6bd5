//! Parameters of fax over UDPTL: ITU-T T.38 annex D, RFC 3362. `T38VendorInfo` names the sender's maker
//! and device and stays behind.

use alloc::vec::Vec;

use super::MediaDescription;
use super::scan::{decimal, word_of};

/// One parameter that may cross.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaxParameter {
    /// The attribute's name, as T.38 spells it.
    pub name: &'static str,
    /// What it says.
    pub value: FaxValue,
}

/// The value of a [`FaxParameter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaxValue {
    /// Nothing: the name alone says yes.
    Present,
    /// A number of at most six digits.
    Number(u32),
    /// A word of T.38.
    Word(&'static str),
}

/// What a parameter's value looks like.
#[derive(Clone, Copy)]
enum Shape {
    /// Nothing, 0 or 1.
    Flag,
    /// A number of at most this.
    UpTo(u32),
    /// One of these words.
    OneOf(&'static [&'static str]),
}

static TABLE: [(&str, Shape); 10] = [
    ("T38FaxVersion", Shape::UpTo(9)),
    ("T38MaxBitRate", Shape::UpTo(999_999)),
    ("T38FaxFillBitRemoval", Shape::Flag),
    ("T38FaxTranscodingMMR", Shape::Flag),
    ("T38FaxTranscodingJBIG", Shape::Flag),
    ("T38FaxRateManagement", Shape::OneOf(&["transferredTCF", "localTCF"])),
    ("T38FaxMaxBuffer", Shape::UpTo(99_999)),
    ("T38FaxMaxDatagram", Shape::UpTo(99_999)),
    ("T38FaxMaxIFP", Shape::UpTo(99_999)),
    ("T38FaxUdpEC", Shape::OneOf(&["t38UDPRedundancy", "t38UDPFEC", "t38UDPNoEC"])),
];

/// The fax parameters of a section that may cross, each once, in the order they came. Their names are
/// read in any case, since gateways spell them in several ways.
pub(super) fn fax_parameters(media: &MediaDescription<'_>) -> Vec<FaxParameter> {
    let mut found: Vec<FaxParameter> = Vec::new();
    for attribute in &media.attributes {
        let row =
            TABLE.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(attribute.name));
        let Some((name, shape)) = row else { continue };
        let value = attribute.value.map(<[u8]>::trim_ascii);
        let Some(value) = shape.read(value) else { continue };
        if found.iter().all(|known| known.name != *name) {
            found.push(FaxParameter { name, value });
        }
    }
    found
}

impl Shape {
    fn read(self, value: Option<&[u8]>) -> Option<FaxValue> {
        match (self, value) {
            (Self::Flag, None) => Some(FaxValue::Present),
            (Self::Flag, Some(value)) => decimal(value, 1).map(FaxValue::Number),
            (Self::UpTo(max), Some(value)) => decimal(value, max).map(FaxValue::Number),
            (Self::OneOf(words), Some(value)) => word_of(words, value).map(FaxValue::Word),
            (Self::UpTo(_) | Self::OneOf(_), None) => None,
        }
    }
}
