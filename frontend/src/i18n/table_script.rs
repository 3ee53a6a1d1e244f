//! Tables from a script, and as one.

super::texts! {
    title = "Import tables";
    import = "Import";
    export = "Export";
    export_title = "Tables as a script";
    export_note = "For another Millrace or Flink. Secrets are placeholders.";
    exported = "Script";
    script = "Script";
    script_help = "CREATE TABLE statements of Flink SQL, also CREATE DATABASE, USE and LIKE.";
    file = "Or take it from a file";
    accept_breaking = "Also take over changes that break something";
    check = "Check";
    apply = "Take over";
    no_script = "Paste a script or choose a file first.";
    check_first = "Check the script first.";
    not_whole = "Something in it is refused.";
    applied(tables) = "{tables} taken over";
    databases(names) = "These databases are made: {names}.";
    problems = "Cannot be read";
    left_out = "Left out: not about tables";
    result = "What would happen";
    line = "Line";
    line_of(line, message) = "Line {line}: {message}";
    verdict = "Verdict";
    what = "Details";
    new = "new";
    changed = "changed";
    same = "same";
    refused = "refused";
    no_connection = "none";
    connection_of(table) = "Connection of {table}";
}
