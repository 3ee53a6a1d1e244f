//! The log of a run.

super::texts! {
    label = "Log lines";
    search = "Text in the message";
    level = "Least severity";
    all_levels = "all";
    from_info = "info";
    from_warn = "warn";
    only_error = "error";
    follow = "Follow";
    following = "live, newest at the end";
    paused(lines) = "paused, {lines} came meanwhile";
    ended = "the run has ended, no more lines will come";
    line = "line";
    lines = "lines";
    older = "Earlier lines";
    empty = "No lines yet";
    empty_body = "A worker writes its first lines when it starts. They appear here by themselves.";
    no_match = "No line matches";
    no_match_body = "Lower the severity, or take words out of the search.";
    open_line(time) = "Details of the line of {time}";
    link_line(time) = "Copy link to the line of {time}";
    copy_link = "Copy link to this line";
    copy_line = "Copy message";
    time = "time";
    source = "source";
    attempt = "attempt";
    worker = "worker";
    number = "line";
}
