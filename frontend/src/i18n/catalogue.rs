//! The catalogue, asking for access or ingestion, deciding, notices.

super::texts! {
    title = "Catalogue";
    note = "Tables that teams list for everybody: names, words and columns, never rows or connections.";
    search = "Name, description, column, team";
    table = "Table";
    team = "Team";
    description = "Description";
    columns = "Columns";
    access = "Access";
    open = "open to you";
    ask = "Ask for access";
    ask_title(name) = "Ask for access to {name}";
    level = "Right";
    for_whom = "For";
    for_me = "Me";
    for_team(name) = "Team {name}";
    reason = "What you need it for";
    asked = "Asked. You get a notice when it is decided.";
    nothing = "No table is listed yet";
    nothing_body = "Whoever manages a table lists it on its page, under Permissions.";
    ask_ingestion = "Ask for ingestion";
    ask_ingestion_title = "Ask a team to take a source in";
    ask_ingestion_note = "For what is in no table yet.";
    of_team = "Short name of the team that is asked";
    source_kind = "What it is";
    source_kind_help = "For example: MySQL table, Kafka topic, files.";
    source_address = "Where it is";
    source_table = "Its name";
    purpose = "What it is needed for";

    requests = "Requests";
    to_decide = "To decide";
    to_ingest = "To be ingested";
    mine = "Asked by you";
    none_to_decide = "Nothing to decide";
    none_to_decide_body = "Requests for tables that you manage, and for ingestion by teams you operate, stand here.";
    nothing_asked = "You have asked for nothing yet";
    nothing_asked_body = "Find a table in the catalogue and ask for access to it.";
    what = "What";
    who = "Who asks";
    right = "Right";
    age = "Asked";
    state = "State";
    state_open = "not decided yet";
    state_accepted(who) = "accepted by {who}";
    state_declined(who) = "declined by {who}";
    ingestion = "ingestion";
    actions = "Actions";
    decide = "Decide";
    decide_on(what) = "Decide on {what}";
    accept = "Approve";
    decline = "Decline";
    answer = "A word to the person";
    answer_help = "Needed to decline.";
    done_accepted = "Approved";
    done_declined = "Declined";

    notices = "Notices";
    notices_unread(count) = "Notices, {count} unread";
    no_notices = "No notice yet";
    mark_read = "Mark all read";
    mail_off = "This server sends no mail: notices stand behind the letter in the top bar only.";
}
