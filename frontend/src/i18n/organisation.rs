//! Organisations, their teams and members.

super::texts! {
    organisation = "Organisation";
    organisations = "Organisations";
    organisations_note = "Teams see of each other's catalogue within one organisation, and of others nothing.";
    none = "You belong to no organisation. Whoever runs this server takes you in.";
    new_organisation = "New organisation";
    made(name) = "Organisation {name} made";
    name = "Name";
    slug = "Name in addresses";
    slug_help = "2 to 40 lower-case letters, digits and dashes.";
    teams_count(count) = "{count} teams";
    one_team = "1 team";

    rename = "Rename";
    renamed(name) = "The organisation is called {name} now";
    delete = "Delete";
    delete_title(name) = "Delete {name}?";
    delete_body = "Its members belong to it no longer. This cannot be undone.";
    delete_not_empty = "It has teams. Delete or move them first.";
    deleted(name) = "{name} deleted";

    teams = "Teams";
    team = "Team";
    new_team = "New team";
    team_name = "Name";
    team_slug = "Name in addresses";
    team_slug_help = "2 to 40 lower-case letters, digits and dashes.";
    team_made(name) = "Team {name} made";
    members = "Members";
    owners = "Owners";
    since = "Since";
    no_owner = "none";
    no_teams = "No team yet";
    no_teams_body = "Tables, jobs and everything else belong to a team.";
    what_owners_see = "You see which teams there are, not what is in them. To look into one, become an owner of it: that stands in the audit trail.";

    name_owner_of(team) = "Name an owner of {team}";
    name_owner = "Name an owner";
    of_team(team) = " of {team}";
    name_owner_body = "A member of the organisation. Owners of a team may do everything in it. The audit trail says who named whom.";
    owner_named(name, team) = "{name} owns {team} now";
    email = "E-mail";

    take_team = "Move a team here";
    take_body = "From another organisation of this server. Its members become members here. What it opened to people and teams that stay behind, and they to it, is closed.";
    take_help = "The team's name in addresses.";
    taken(team) = "{team} belongs here now";
    taken_grants(count) = "{count} permissions were withdrawn.";

    role = "Role";
    role_member = "sees which teams there are and what they list in the catalogue";
    role_owner = "makes teams, decides who belongs here; sees, by that, nothing of what is in a team";
    what_roles_may = "What roles may";
    in_teams = "In teams";
    in_no_team = "in none";
    change_role_of(name) = "Role of {name}";
    role_set(name, role) = "{name} is {role} now";
    remove(name) = "Remove {name}";
    remove_title(name) = "Remove {name} from the organisation?";
    remove_body = "They leave all its teams at once, tokens for these stop to work, and what was opened to them in person is closed. Jobs they started go on.";
    remove_action = "Remove";
    removed(name) = "{name} removed";
}
