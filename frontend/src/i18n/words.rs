//! Words used on many pages.

super::texts! {
    product = "Millrace";
    title(page) = "{page} · Millrace";
    cancel = "Cancel";
    close = "Close";
    save = "Save";
    delete = "Delete";
    edit = "Edit";
    create = "Create";
    copy = "Copy";
    copied = "Copied";
    search = "Search";
    clear_filter = "Clear filter";
    clear_search = "Clear search";
    more_actions = "More actions";
    dismiss = "Dismiss";
    optional = "optional";
    not_known = "not known";
    lag_not_known = "Nothing was read yet, or no source of the job has an event time.";
    none = "none";
    loading = "Loading";
    load_more = "Load more";
    sort_by(column) = "Sort by {column}";
    yes = "yes";
    no = "no";
    ago(age) = "{age} ago";
    seen = "seen";
    just_now = "just now";
    no_match = "Nothing matches";
    no_match_body = "Try fewer words or clear the filter.";
    state_stale = "stale";
    wanted(state) = "wanted: {state}";
    shown_of(shown, total) = "{shown} of {total}";
    leave_unsaved = "Leave the page? What you changed here is not saved.";
}
