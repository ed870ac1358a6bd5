//! Parameters of headers and URIs: `;name=value`.

/// The parameters behind a value, parsed as they are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    raw: &'a [u8],
}

/// One parameter: its name and, where there is one, its value.
pub type Param<'a> = (&'a [u8], Option<&'a [u8]>);

impl<'a> Params<'a> {
    /// The text from the first `;` on; empty where there are none.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Each parameter in order; a quoted value comes without its quotes, its escapes left in.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let _ = self;
        core::iter::empty()
    }

    /// The value of the first parameter of that name, in any case; `Some(None)` where it has no value.
    pub fn get(&self, _name: &str) -> Option<Option<&'a [u8]>> {
        todo!()
    }

    /// The value of the first parameter of that name; `None` where it is absent or has no value.
    pub fn value(&self, _name: &str) -> Option<&'a [u8]> {
        todo!()
    }
}
