//! The sign-in page.

super::texts! {
    title = "Sign in";
    to(host) = "to {host}";
    email = "E-mail";
    password = "Password";
    submit = "Sign in";
    or = "or";
    with_provider(name) = "Continue with {name}";
    refused = "Not signed in.";
    refused_expired = "It was not begun in this browser, or it took longer than ten minutes. Begin again.";
    refused_unreachable = "The sign-in provider cannot be reached now. Try again in a moment.";
    refused_declined = "The sign-in provider refused, or it was cancelled there.";
    refused_not_confirmed = "The sign-in provider did not confirm it. Try again; the server's log says what was wrong.";
    refused_no_email = "The sign-in provider gave no verified e-mail address, so it is not known who you are.";
    refused_no_account = "There is no account for your e-mail address here. Ask an owner of your team to add you.";
    refused_other_person = "Your e-mail address belongs to the account of somebody else here. Ask an administrator of the server.";
    refused_switched_off = "Your account is switched off.";
    refused_too_many = "Too many sign-ins from your address. Wait a minute.";
    refused_failed = "The server failed to do this. Its log says why.";
    demo = "Continue as demo user";
    demo_note = "This server runs in demo mode: anybody who reaches it may look around and change things.";
    needs_email = "Enter your e-mail address.";
    needs_password = "Enter your password.";
    version(version) = "Millrace {version}";
}
