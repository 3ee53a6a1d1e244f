//! Variables: what `${name}` in scripts stands for.

super::texts! {
    title = "Variables";
    new = "New variable";
    new_title = "New variable";
    edit_title(name) = "Edit {name}";
    search = "Name, description";
    one = "variable";
    many = "variables";
    name = "Name";
    value = "Value";
    description = "Description";
    changed = "Changed";
    actions = "Actions";
    by(person) = "by {person}";
    empty_value = "empty";
    secret = "secret";
    secret_tip = "Its value goes in and never comes out.";
    none = "No variables yet";
    none_body = "A script says ${name} where jobs of this team should share a value, or where test and production differ. Change the value in one place; each job takes it at its next start.";
    edit(name) = "Edit {name}";
    delete(name) = "Delete {name}";
    name_help = "Letters, digits and underscores. Scripts say ${name}.";
    value_help = "Put in as it is; within quotes it stays within them.";
    is_secret = "Secret";
    is_secret_help = "Kept encrypted and never shown again. It can stand only in a table's option that holds a credential.";
    secret_value = "Secret value";
    secret_keeps = "Leave it empty to keep the one that is stored.";
    secret_now_plain = "Enter the value anew: that of a secret cannot be shown.";
    next_start = "A job that runs keeps the value it was started with. Secrets are read anew whenever a run is tried again.";
    made(name) = "Variable {name} was made";
    saved(name) = "Variable {name} was saved";
    deleted(name) = "Variable {name} was deleted";
    delete_title(name) = "Delete the variable {name}?";
    delete_unused = "No script names it.";
    delete_used(jobs) = "These jobs name it and cannot be started without it: {jobs}.";
    delete_hidden(count) = "Jobs that you may not see name it: {count}.";
    delete_running = "What runs goes on with the value it was started with.";
    asking = "Looking for scripts that name it…";

    used = "Variables";
    unknown = "not known";
    of_script = "default";
    manage = "All variables";
}
