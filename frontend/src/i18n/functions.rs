//! Functions: the team's own and the built-in ones.

super::texts! {
    title = "Functions";
    own = "Yours";
    built_in = "Built in";
    new = "New function";
    search = "Name, signature, summary";
    search_own = "Name, signature, remark";
    all = "all";
    name = "Function";
    signature = "Signature";
    summary = "What it does";
    kind = "Kind";
    kinds = "Kind of function";
    language = "Written in";
    wasm = "WebAssembly";
    sql = "SQL";
    version = "Version";
    version_short(number) = "v{number}";
    jobs = "Jobs";
    remark = "Remark";
    changed = "Changed";

    none = "No function of your own yet";
    none_body = "Bring what SQL lacks: a WebAssembly module, written in Rust or any language that speaks arrow-udf, or an SQL expression under a name. Functions run in a sandbox, with limits of memory and time.";
    none_build = "A sample crate lies in assets/udf-sample. This builds it; upload the module it makes.";
    build_command = "Build command";

    from_module = "Module";
    from_sql = "SQL expression";
    how = "How the function is written";
    new_version_title(name) = "New version of {name}";
    file = "WebAssembly module";
    choose_file = "Choose a .wasm file";
    drop_file = "or drop it here. At most 16 MB.";
    replace_file = "Choose another file";
    reading = "Reading the module…";
    not_wasm = "Choose a .wasm file.";
    too_large = "A module has at most 16 MB. Build it in release mode and strip it.";
    unreadable = "The file cannot be read any more. Choose it again.";
    entry = "Function of the module";
    entry_help(count) = "{count} in this module.";
    no_module = "Choose a module first.";
    name_field = "Name in SQL";
    name_help = "As statements will call it. Letters, digits and underscores.";
    remark_help = "What it does, for others.";
    definition = "Definition";
    definition_in_sql = "Definition in SQL";
    definition_help = "Parameters, type and expression.";
    definition_empty = "Write a definition.";
    checking = "Checking…";
    right(signature) = "{signature}";
    at(line, column, message) = "Line {line}, column {column}: {message}";
    overwrite(name) = "Make it a new version of {name}";
    overwrite_help = "Jobs keep the version they were saved with until they are saved again.";
    made(name) = "{name} made";
    versioned(name, number) = "{name} is at version {number}";
    unchanged(name, number) = "Nothing is different: {name} stays at version {number}";

    no_remark = "no remark";
    use_in_editor = "Use in editor";
    new_version = "New version";
    edit_remark = "Edit remark";
    remark_saved = "Remark saved";
    test = "Test";
    versions = "Versions";
    used_by = "Used by";
    facts = "Facts";
    entry_fact = "Entry";
    module = "Module";
    size = "Size";
    made_at = "Made";
    made_by = "Made by";
    changed_by = "Changed by";

    values = "Sample values";
    values_note = "NULL stands for no value.";
    value_of(parameter, row) = "{parameter}, row {row}";
    row = "Row";
    add_row = "Add row";
    remove_row(row) = "Remove row {row}";
    most_rows(count) = "At most {count} rows.";
    no_parameters = "It takes no values.";
    run = "Run";
    result = "Result";
    result_of(rows, ms) = "{rows} in {ms} ms";
    not_run = "Not run yet";
    not_run_body = "It runs in a process of its own, with the limits a job has. Nothing is written.";
    no_rows = "It gave no rows";
    failed = "The function failed";
    script = "What was run";

    newest = "newest";
    by_on = "By";
    hash = "SHA-256";
    no_user = "No job uses it";
    no_user_body = "A job whose script calls it will stand here.";
    job = "Job";
    job_version = "Version of the job";
    function_version = "Uses version";
    older_tip(newest) = "The newest is version {newest}. The job takes it when it is saved and started again.";

    delete_title(name) = "Delete {name}?";
    delete_body = "All its versions go. Older versions of jobs keep what they were saved with.";
    deleted(name) = "{name} deleted";
}
