//! Schema versions of tables, what differs between them, what a change breaks, and who a table belongs to.

super::texts! {
    versions = "Schema versions";
    version = "Version";
    version_name(number) = "Version {number}";
    comment = "What changed";
    by = "By";
    saved = "Saved";
    compare = "Compare";
    from = "From";
    to = "To";
    same = "Nothing differs.";
    compatible = "Rows written with either can be read with the other.";
    not_backward = "The newer one cannot read all that the older one wrote";
    not_forward = "The older one cannot read all that the newer one writes";

    changes = "Changes";
    what = "What";
    change = "Change";
    before = "Before";
    after = "After";
    whole_table = "table";
    column_added = "column added";
    column_removed = "column removed";
    type_changed = "type changed";
    nullability_changed = "NULL or not changed";
    source_changed = "expression or source changed";
    order_changed = "order of columns changed";
    comment_changed = "comment changed";
    key_changed = "primary key changed";
    event_time_changed = "event time changed";
    option_changed = "option changed";

    version_comment = "What changed, for the list of versions";
    breaks_title = "This change breaks something";
    breaks_mode(mode) = "The table asks for changes that are {mode} compatible:";
    breaks_jobs = "These jobs cannot be planned with the new description:";
    breaks_hidden_jobs(count) = "Jobs that you may not see and that break as well: {count}.";
    breaks_running = "running";
    breaks_note = "Running jobs keep the description of their version until they get a new one.";
    breaks_columns(columns) = "because of {columns}";
    breaks_confirm = "Save and break them";
    back_to_form = "Back to the form";

    about = "Owner and tags";
    about_edit = "Change owner and tags";
    owner = "Owner";
    owner_help = "A person or a group.";
    no_owner = "nobody named";
    tags = "Tags";
    tags_help = "Several with commas.";
    no_tags = "none";
    sharers = "Shared with";
    sharers_help = "Who else answers questions about it; several with commas.";
    compatibility = "Compatibility";
    compatibility_help = "Changes that do not fit are refused unless somebody confirms them.";
    mode_none = "none: every change is accepted";
    mode_backward = "backward: new reads old";
    mode_forward = "forward: old reads new";
    mode_full = "full: both";
    about_saved(name) = "{name} saved";
}
