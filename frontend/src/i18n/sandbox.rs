//! Sandbox targets: where test runs may write for real, and what they have written.

super::texts! {
    targets = "Sandbox targets";
    note = "Where test runs may write for real, besides keeping their rows here. Each run writes to topics, tables and folders of its own.";
    new = "New target";
    new_title = "New sandbox target";
    edit_title(of) = "Sandbox target of {of}";
    none = "No sandbox target yet";
    none_body = "Test runs keep their rows in the console. With a sandbox target they can write them to a topic, a table or a folder as well, never to those of production.";
    of = "Of";
    of_help = "Sinks of this connection can then be written there by test runs.";
    files = "Files";
    place = "Place";
    changed = "Changed";
    by(person) = "by {person}";
    actions = "Actions";
    edit(of) = "Edit the target of {of}";
    delete(of) = "Delete the target of {of}";
    topics(prefix) = "topics {prefix}…";
    tables(schema) = "tables in {schema}";
    folders(folder) = "folders in {folder}";
    prefix = "Topic prefix";
    prefix_help = "Names of the runs' topics begin so, such as sandbox. — no topic that a table describes may.";
    schema = "Schema or database";
    schema_help = "It has to exist, no table may lie there, and the connection's user needs the right to create tables in it.";
    folder = "Folder";
    folder_help = "Below the folders that the server allows, and neither in nor around that of a table. It is made when it is not there.";
    no_kind = "Choose a connection first.";
    saved(of) = "Sandbox target of {of} saved";
    deleted(of) = "Sandbox target of {of} deleted";
    delete_title(of) = "Delete the sandbox target of {of}?";
    delete_body = "Test runs cannot write there any more. What they have written stays, and can still be removed below.";

    objects = "Written by test runs";
    objects_note = "They stay until somebody removes them.";
    no_objects = "No test run has written anything outside.";
    object = "Object";
    sink = "For the sink";
    where_ = "Where";
    written = "Written";
    remove(name) = "Remove the {name}";
    remove_action = "Remove";
    remove_title(name) = "Remove the {name}?";
    remove_body = "It is deleted with all rows that the test run wrote. This cannot be undone; a run can be made again.";
    removed(name) = "Removed: {name}";

    rows_of(table) = "Rows of {table}";
    kept = "kept in the console";
    written_to_topics(prefix) = "kept, and written to a topic {prefix}…";
    written_to_tables(schema) = "kept, and written to a table in {schema}";
    written_to_folders(folder) = "kept, and written to a folder in {folder}";
    where_rows_go = "Where the rows go";
    fresh = "A target is made anew for this run and named after it: nothing that exists is written, and runs at the same time do not mix. It gets the rows that are kept, and stays until it is removed under Access.";
    asking = "Looking for sandbox targets…";
    none_offered(why) = "The rows are kept in the console. {why}";
}
