//! Chooses numbers for the lines of a batch: those with the fewest bindings first, the lines before counted too.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use mediator_model::{BindingKey, Number, UnixMillis};
use mediator_store::{ReadError, Store};

use crate::catalog::Catalog;
use crate::mediator::bindings::create::{Chosen, Maker};
use crate::mediator::bindings::draft::Draft;

/// Who asks for a number: which caller, and of which country.
type Wish = (Option<Number>, Option<&'static str>);

/// The account's numbers, as the batch leaves them.
pub(super) struct Numbers<'a> {
    store: &'a dyn Store,
    catalog: &'a Catalog,
    maker: &'a Maker,
    now: UnixMillis,
    /// By how many bindings they have; read when the first line needs one.
    by_count: Option<BTreeSet<(u64, Number)>>,
    countries: HashMap<Number, Option<Box<str>>>,
    /// Wishes that no number was left for.
    hopeless: HashSet<Wish>,
    /// What was chosen, held until the batch is written.
    pub(super) chosen: Vec<Chosen>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        catalog: &'a Catalog,
        maker: &'a Maker,
        now: UnixMillis,
    ) -> Self {
        let (countries, hopeless, chosen) = (HashMap::new(), HashSet::new(), Vec::new());
        Self { store, catalog, maker, now, by_count: None, countries, hopeless, chosen }
    }

    /// A number that has no binding for the draft's caller yet, in the store or in `planned`; `None`: there is none.
    pub(super) fn choose(
        &mut self,
        draft: &Draft,
        planned: &HashSet<BindingKey>,
    ) -> Result<Option<Number>, ReadError> {
        let wish = (draft.origination_did, draft.country);
        if self.hopeless.contains(&wish) {
            return Ok(None);
        }
        let mut by_count = match self.by_count.take() {
            Some(by_count) => by_count,
            None => self.read(),
        };
        let mut found = None;
        for entry in &by_count {
            let key = BindingKey { redirect_did: entry.1, origination_did: wish.0 };
            if self.is_of(entry.1, wish.1)
                && !planned.contains(&key)
                && self.store.binding_at(key, self.now)?.is_none()
                && let Some(chosen) = Chosen::take(&self.maker.desk, key)
            {
                self.chosen.push(chosen);
                found = Some(*entry);
                break;
            }
        }
        match found {
            Some(entry) => {
                by_count.remove(&entry);
                by_count.insert((entry.0 + 1, entry.1));
            }
            None => drop(self.hopeless.insert(wish)),
        }
        self.by_count = Some(by_count);
        Ok(found.map(|(_, number)| number))
    }

    fn read(&mut self) -> BTreeSet<(u64, Number)> {
        let mut by_count = BTreeSet::new();
        for did in self.catalog.dids_of(self.maker.account) {
            let did = Arc::unwrap_or_clone(did.record);
            by_count.insert((self.catalog.bindings_of(did.phonenumber), did.phonenumber));
            self.countries.insert(did.phonenumber, did.country_code);
        }
        by_count
    }

    fn is_of(&self, number: Number, country: Option<&'static str>) -> bool {
        let own = self.countries.get(&number).and_then(Option::as_deref);
        country.is_none() || own == country
    }
}
