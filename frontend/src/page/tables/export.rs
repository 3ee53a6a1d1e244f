//! Tables as a script that another server takes.

use leptos::prelude::*;
use millrace_wire::table_script::ExportedTables;

use crate::api;
use crate::i18n::table_script as text;
use crate::load::load;
use crate::ui::code_block::CodeBlock;
use crate::ui::dialog::Dialog;
use crate::ui::skeleton::Shape;

/// `query`: `database=…` or `table=…`; empty for the whole team.
#[component]
pub(super) fn ExportDialog(open: RwSignal<bool>, team: String, #[prop(into)] query: Signal<String>) -> impl IntoView {
    let team = StoredValue::new(team);
    view! {
        <Dialog open title=text::export_title().to_owned() class="dialog-wide".to_owned()>
            {move || open.get().then(|| view! { <Exported team=team.get_value() query=query.get_untracked()/> })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Exported(team: String, query: String) -> impl IntoView {
    let path = api::path::team(&team, &format!("tables/script?{query}"));
    let script = load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<ExportedTables>(&path).await }
        },
    );
    view! {
        <p class="muted">{text::export_note()}</p>
        {script.show(Shape::Lines(10), |script| view! {
            <CodeBlock label=text::exported() text=Signal::derive(move || script.with(|script| script.sql.clone()))/>
        }.into_any())}
    }
    .into_any()
}
