//! What every store must do, whatever it is made of: written against the traits alone.

pub(crate) mod fixtures;
pub(crate) mod writes;

/// Makes a test of every rule, for a backend that `$new` makes.
macro_rules! on {
    ($new:path) => {
        $crate::suite::rules!($new, writes: [
            a_created_binding_is_found_by_everything,
        ]);
    };
}

macro_rules! rules {
    ($new:path, $($file:ident: [$($rule:ident,)*]),*) => {
        $($(
            #[test]
            fn $rule() {
                $crate::suite::$file::$rule(&$new());
            }
        )*)*
    };
}

pub(crate) use {on, rules};
