//! The sign-in page.

super::texts! {
    title = "Sign in";
    to(host) = "to {host}";
    email = "E-mail";
    password = "Password";
    submit = "Sign in";
    or = "or";
    demo = "Continue as demo user";
    demo_note = "This server runs in demo mode: anybody who reaches it may look around and change things.";
    needs_email = "Enter your e-mail address.";
    needs_password = "Enter your password.";
    version(version) = "Millrace {version}";
}
