//! Snippets and templates of the editor.

super::texts! {
    library = "Library";
    from_template = "New from template…";
    insert_snippet = "Snippets…";
    save_snippet = "Save as snippet…";
    nothing_to_save = "Write SQL first.";
    templates = "New from template";
    templates_body = "A template comes behind what the tab holds. Each is a whole script: put your own tables in place of its tables.";
    use_template = "Use";
    use_this(name) = "Use the template {name}";
    snippets = "Snippets";
    no_snippets = "No snippets yet";
    no_snippets_body = "Select SQL, or take the whole tab, and choose Save as snippet. A snippet is completed by its name, too.";
    name = "Name";
    description = "Description";
    sql = "SQL";
    actions = "Actions";
    insert = "Insert";
    insert_this(name) = "Insert {name} at the caret";
    edit_this(name) = "Edit {name}";
    delete_this(name) = "Delete {name}";
    delete_title(name) = "Delete the snippet {name}?";
    delete_body = "Scripts into which it was put keep its SQL.";
    new_title = "Save as snippet";
    edit_title(name) = "Edit {name}";
    name_help = "What one types in the editor to get it, for instance dedup.";
    saved(name) = "Snippet {name} saved";
    deleted(name) = "Snippet {name} deleted";
}
