//! Numbers as people read them, and the countries that they belong to, by libphonenumber's tables.

mod countries;
#[cfg(test)]
mod tests;

use mediator_model::Number;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

pub(crate) use countries::alpha3;

/// A number in the formats that the APIs show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberInfo {
    /// ISO 3166-1 alpha-3; `None`: it belongs to no country, or to nobody's plan.
    pub country_code: Option<&'static str>,
    /// As `(516) 206-5337`.
    pub in_country_format: Box<str>,
    /// As `+1 516-206-5337`.
    pub international_format: Box<str>,
    /// As `+15162065337`.
    pub e164_format: Box<str>,
}

impl NumberInfo {
    /// Looks the number up. Takes some microseconds; what is no number of any plan is shown as its digits.
    pub fn of(number: Number) -> Self {
        let e164_format: Box<str> = format!("+{number}").into();
        let Ok(parsed) = PHONE_NUMBER_UTIL.parse(&*e164_format, None) else {
            return Self {
                country_code: None,
                in_country_format: number.to_string().into(),
                international_format: e164_format.clone(),
                e164_format,
            };
        };
        // A region's value is its two letters; "the world" has none and is no country.
        let letters = PHONE_NUMBER_UTIL
            .get_region_for_number(&parsed)
            .map(|region| (region as u16).to_be_bytes());
        Self {
            country_code: letters
                .and_then(|letters| std::str::from_utf8(&letters).ok().and_then(alpha3)),
            in_country_format: PHONE_NUMBER_UTIL
                .format(&parsed, PhoneNumberFormat::National)
                .into(),
            international_format: PHONE_NUMBER_UTIL
                .format(&parsed, PhoneNumberFormat::International)
                .into(),
            e164_format,
        }
    }
}
