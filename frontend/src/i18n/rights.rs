//! Why somebody may not do something.

super::texts! {
    needs_role(role) = "Needs the role {role} in this team. An owner can give it to you.";
    needs_right = "Needs a right to this object that you do not have. Whoever manages it can give it to you.";
    needs_manage = "Needs the right to manage this object: the role operator, or a right of your own.";
    built_in = "Belongs to the platform and cannot be changed.";
}
