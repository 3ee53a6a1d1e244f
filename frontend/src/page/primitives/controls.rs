//! What a person presses, types and chooses.

use leptos::prelude::*;

use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::confirm::Confirm;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::search_field::SearchField;
use crate::ui::segmented::Segmented;
use crate::ui::select_field::SelectField;
use crate::ui::switch::Switch;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

pub(super) fn buttons() -> AnyView {
    let nothing = Callback::new(|()| {});
    let busy = RwSignal::new(false);
    view! {
        <div class="specimen">
            <Button on_press=nothing>"Plain"</Button>
            <Button kind=Kind::Primary on_press=nothing>"Primary"</Button>
            <Button kind=Kind::Quiet on_press=nothing>"Quiet"</Button>
            <Button kind=Kind::Danger on_press=nothing>"Danger"</Button>
            <Button kind=Kind::DangerQuiet on_press=nothing>"Danger, quiet"</Button>
            <Button icon=Icon::Plus on_press=nothing>"With icon"</Button>
            <Button small=true on_press=nothing>"Small"</Button>
            <Button reason="Needs the role operator.".to_owned() on_press=nothing>"Disabled"</Button>
            <Button busy=busy on_press=move |()| busy.set(true)>"Busy once pressed"</Button>
            <Button pressed=true on_press=nothing>"Pressed"</Button>
            <IconButton icon=Icon::More label="More".to_owned() on_press=nothing/>
        </div>
    }
    .into_any()
}

pub(super) fn fields() -> AnyView {
    let value = RwSignal::new("kafka-1:9092".to_owned());
    let empty = RwSignal::new(String::new());
    let choice = RwSignal::new("json".to_owned());
    let options = vec![("json".to_owned(), "JSON".to_owned()), ("csv".to_owned(), "CSV".to_owned())];
    view! {
        <div class="specimen-grid">
            <TextField label="Text".to_owned() value help="Help below.".to_owned()/>
            <TextField label="Optional, in code".to_owned() value is_optional=true code=true/>
            <TextField label="With error".to_owned() value=empty error="Enter a name.".to_owned()/>
            <SelectField label="Select".to_owned() value=choice options/>
            <TextArea label="Several lines".to_owned() value/>
            <SearchField label="Search" value=empty on_input=move |words: String| empty.set(words)/>
        </div>
    }
    .into_any()
}

pub(super) fn choices() -> AnyView {
    let on = RwSignal::new(true);
    let which = RwSignal::new(1_u8);
    let options = vec![(1, "Newest".to_owned()), (2, "Oldest".to_owned()), (3, "From…".to_owned())];
    view! {
        <div class="specimen">
            <CheckField label="Check" value=on help="What it does."/>
            <Switch label="Switch" value=on/>
            <Segmented label="Which" options value=which on_choose=move |chosen| which.set(chosen)/>
        </div>
    }
    .into_any()
}

pub(super) fn floating() -> AnyView {
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let items = Signal::derive(|| {
        vec![
            MenuItem::run("Savepoint", Some(Icon::Save), || {}),
            MenuItem::run("Stop", Some(Icon::Stop), || {}).unless(Some("It does not run.".to_owned())),
            MenuItem::rule(),
            MenuItem::run("Delete", Some(Icon::Trash), || {}),
        ]
    });
    view! {
        <div class="specimen">
            <Menu label="More actions".to_owned() from_start=true items>{Icon::More.view()}</Menu>
            <Button on_press=move |()| toasts.good("Table clicks saved")>"Good toast"</Button>
            <Button on_press=move |()| toasts.bad("The job could not be started", "The broker does not answer.")>"Bad toast"</Button>
            <Button kind=Kind::DangerQuiet on_press=move |()| open.set(true)>"Delete…"</Button>
            <Confirm open title="Delete clicks?".to_owned() action="Delete" type_name="clicks".to_owned()
                consequences=Signal::derive(|| vec!["3 jobs read this table.".to_owned()]) on_confirm=move |()| open.set(false)/>
        </div>
    }
    .into_any()
}
