//! What is said when a call or the console itself fails.

super::texts! {
    unreachable = "The server cannot be reached.";
    unreachable_hint = "Check the network and whether Millrace runs. What you see may be old.";
    unreadable = "The server gave an answer this console cannot read.";
    unreadable_hint = "It may be of another version: reload the page. If that does not help, its log has the reason.";
    not_found = "There is nothing at this address";
    not_found_body = "It was deleted, or its address has a mistake, or it belongs to a team you are not a member of.";
    no_permission = "You may not see this";
    no_permission_body = "An owner of the team can give you a role that may.";
    failed = "This could not be loaded";
    try_again = "Try again";
    copy_details = "Copy code and request id";
    details(code, request) = "{code}, request {request}";
    broken = "The console stopped because of a mistake in it.";
    broken_body = "Nothing on the server is affected. Reload the page to go on.";
    reload = "Reload";
    to_start = "Go to the overview";
}
