//! Members, roles and API tokens.

super::texts! {
    title = "Access";
    members = "Members";
    tokens = "API tokens";
    add_member = "Add member";
    name = "Name";
    email = "E-mail";
    role = "Role";
    since = "Member since";
    you = "you";
    role_viewer = "sees everything of the team, changes nothing";
    role_developer = "edits tables, connections and drafts; previews";
    role_operator = "starts and stops jobs, and all a developer may";
    role_owner = "members and roles, and all an operator may";
    what_roles_may = "What roles may";
    change_role_of(name) = "Role of {name}";
    remove(name) = "Remove {name}";
    remove_title(name) = "Remove {name} from the team?";
    remove_body = "Their sessions lose this team at once. Jobs they started go on.";
    remove_action = "Remove";
    removed(name) = "{name} removed";
    role_set(name, role) = "{name} is {role} now";
    last_owner = "A team keeps at least one owner.";
    new_user = "This person has no account here yet";
    new_user_help = "Makes an account with a first password, to be changed after the first sign-in.";
    password = "First password";
    password_help = "12 characters or more.";
    member_added(name) = "{name} added";

    tokens_note = "Yours. A token may what you may in its team.";
    new_token = "New token";
    token_name = "Name";
    token_name_help = "What it is for, for example the name of a program.";
    team = "Team";
    expires = "Expires";
    expires_in = "Valid for";
    days_30 = "30 days";
    days_90 = "90 days";
    days_365 = "365 days";
    last_used = "Last used";
    never = "never";
    made = "Made";
    no_tokens = "No API token yet";
    no_tokens_body = "Programs and the command line sign in with a token instead of a password.";
    revoke(name) = "Revoke {name}";
    revoke_title(name) = "Revoke {name}?";
    revoke_body = "Programs that use it are refused from now on. This cannot be undone.";
    revoke_action = "Revoke";
    revoked(name) = "{name} revoked";
    expired = "expired";
    issued_title = "Copy the token now";
    issued_body = "It is shown this once. Whoever has it may do what you may.";
    done = "Done";
}
