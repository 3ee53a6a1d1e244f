//! Personal settings.

super::texts! {
    title = "Settings";
    kept_here = "Kept in this browser.";
    look = "Look";
    theme = "Theme";
    theme_system = "As the system";
    theme_light = "Light";
    theme_dark = "Dark";
    density = "Density";
    density_comfortable = "Comfortable";
    density_compact = "Compact";
    density_help = "Changes spacing only, never what is shown.";
    person = "You";
    name = "Name";
    email = "E-mail";
    administrator = "Administrator of this server";
    teams = "Teams";
    server = "Server";
    version = "Version";
    broker = "Broker";
    broker_addresses = "Addresses";
    broker_down = "does not answer";
    broker_up = "answers";
    demo_mode = "Demo mode";
    demo_on = "on: anybody who reaches this server may sign in as the demo user";
    off = "off";
    times = "Times";
    times_body = "Times are shown in the zone of this browser. The exact time stands in the tip of each age.";
}
