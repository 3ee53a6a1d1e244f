//! The page that makes the first administrator.

super::texts! {
    title = "First administrator";
    intro = "Nobody can sign in yet. The server wrote a one-time token to its log when it started.";
    token = "One-time token";
    token_help = "From the log of the server; it works once.";
    name = "Name";
    email = "E-mail";
    password = "Password";
    password_help = "12 characters or more.";
    submit = "Make administrator";
    done_before = "This server has an administrator already.";
    to_sign_in = "Go to sign-in";
    needs_token = "Paste the token from the log of the server.";
    needs_name = "Enter your name.";
    needs_email = "Enter your e-mail address.";
    short_password = "Use 12 characters or more.";
}
