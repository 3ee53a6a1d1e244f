//! Why somebody may not do something.

super::texts! {
    needs_role(role) = "Needs the role {role} in this team. An owner can give it to you.";
    built_in = "Belongs to the platform and cannot be changed.";
}
