//! What every store must do, whatever it is made of: written against the traits alone.

pub(crate) mod calls;
pub(crate) mod claims;
pub(crate) mod feed;
pub(crate) mod filters;
pub(crate) mod fixtures;
pub(crate) mod model;
pub(crate) mod objects;
pub(crate) mod writes;

/// Makes a test of every rule, for a backend that `$new` makes.
macro_rules! on {
    ($new:path) => {
        $crate::suite::rules!($new, writes: [
            a_created_binding_is_found_by_everything,
            a_refused_write_leaves_nothing_behind,
            revisions_grow_by_one_a_write_that_changed_something,
            a_stale_revision_is_refused,
            what_is_not_there_is_gone,
            keys_of_bindings_and_dialouts_are_unique,
            an_update_may_take_a_free_key_only,
            who_is_past_its_end_makes_way_as_a_change_of_its_own,
            a_binding_past_its_end_is_not_there,
            expiry_takes_the_earliest_first,
            what_a_write_requires_must_be_there,
            too_many_operations_are_refused,
            answers_are_kept_once_until_their_end,
            the_follower_hears_in_order_and_before_the_writer,
            a_listener_that_panics_harms_nobody,
            flush_waits_for_all_before_it,
        ], claims: [
            the_first_caller_claims,
            a_repeated_claim_changes_nothing,
            a_refused_claim_tells_the_follower_what_is_held,
            of_racing_callers_one_wins,
        ], objects: [
            objects_come_back_whole_with_their_secrets,
            unique_keys_of_objects_name_their_holder,
            what_is_used_is_not_deleted,
            a_trunk_group_takes_its_trunks_along,
            a_snapshot_begins_with_what_others_refer_to,
            a_freed_key_is_free,
        ], feed: [
            who_was_away_resumes,
            a_revision_is_never_cut,
            a_revision_of_another_history_is_refused,
        ], calls: [
            records_come_back_newest_first,
            what_was_appended_is_read_at_once,
            records_are_filtered_by_what_is_shown,
            old_records_are_purged,
            a_delivery_lives_until_it_is_taken,
            a_delivery_that_is_given_up_is_a_dead_letter,
            a_record_is_kept_and_queued_once,
        ], filters: [
            operators_are_what_the_reference_says,
            fields_that_there_are_not_are_named,
            values_of_another_type_are_named,
            keys_of_attributes_may_be_anything,
            redirect_did_info_is_the_did,
            orders_are_stable_and_pages_do_not_overlap,
            dialouts_show_the_seconds_that_remain,
            random_filters_match_what_the_model_matches,
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
