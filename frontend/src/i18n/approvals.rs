//! Starts that somebody else approves first.

super::texts! {
    // The start dialog.
    needed = "This start needs approval";
    approved_by(who, time) = "Approved by {who}, {time}.";
    asked_already(who) = "{who} has asked for approval already";
    asked_already_body = "It waits for a decision under Access, Requests. Whoever asked can withdraw it on the page of the job.";
    reason = "Why it is to start";
    reason_help = "For whoever approves. They see what will change as well.";
    at_once = "Start as soon as it is approved";
    at_once_help = "Otherwise you start it yourself once it is approved.";
    while_running = "The job runs. Once this is approved, stop it and start it again.";
    ask = "Ask for approval";
    ask_dialog = "Ask for approval…";
    asked = "Asked. You get a notice when it is decided.";
    what_starts = "What starts";
    draft = "The draft as it is now";
    ran_last(number) = "v{number}, which ran last";

    // Requests.
    starts_to_decide = "Starts to approve";
    my_starts = "Starts you asked for";
    job = "Job";
    version(number) = "v{number}";
    how = "Starts from";
    latest_state = "latest state";
    no_state = "no earlier state";
    no_state_since(time) = "no state, reading from {time}";
    state_open = "not decided yet";
    state_approved(who) = "approved by {who}";
    state_declined(who) = "declined by {who}";
    state_withdrawn = "withdrawn";
    state_stale = "out of date";
    not_started = "approved, not started";
    decide_on(job, number) = "Decide on the start of {job}, v{number}";
    withdraw = "Withdraw";
    withdraw_start(job, number) = "Withdraw the request to start {job}, v{number}";
    withdrawn = "Withdrawn";
    asks(who, reason) = "{who}: {reason}";
    starts_at_once = "It starts as soon as it is approved.";
    starts_later = "It does not start by itself.";
    no_report = "No deployment report could be made when it was asked for.";
    approved = "Approved";
    approved_not_started = "Approved, but it did not start";
    declined = "Declined";

    // The page of the job.
    you_ask(number) = "You asked for approval to start v{number}";
    somebody_asks(who, number) = "{who} asks for approval to start v{number}";
    was_declined(who, number) = "{who} declined the start of v{number}";
    did_not_start(number) = "v{number} was approved and did not start";
    approved_by_word(who) = "approved by {who}";

    // The team's setting.
    setting = "Approval of starts";
    is_off = "Jobs start without approval.";
    is_required = "A job starts once another operator or owner has approved its version.";
    changed(who, time) = "Set by {who}, {time}.";
    require = "Ask for approval";
    require_title = "Ask for approval of every start?";
    require_consequences = "Every new version of a job waits until an operator or owner other than the one who asks approves it, also when a schedule, a program or a bulk action starts it.";
    require_running = "Jobs that run go on. Stopping never needs approval.";
    switch_off = "Start without approval";
    switch_off_title = "Let jobs start without approval?";
    switch_off_consequences = "Whoever may operate a job starts any version of it. All operators and owners are told.";
    switched = "Approval of starts changed";
}
