//! Step six: how the table is called.

use leptos::prelude::*;
use millrace_wire::table::Database;

use super::Step;
use super::draft::Form;
use crate::i18n::tables as text;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

#[component]
pub(super) fn NameStep(databases: Vec<Database>) -> impl IntoView {
    let form = expect_context::<Form>();
    let options: Vec<(String, String)> = databases
        .into_iter()
        .filter(|database| !database.built_in)
        .map(|database| (database.name.clone(), database.name))
        .collect();
    view! {
        <Step number=6 title=text::step_name()>
            <div class="form-pair">
                <SelectField label=text::database().to_owned() value=form.database options error=form.error_signal("database")/>
                <TextField label=text::name().to_owned() value=form.name code=true help=text::sql_name_help().to_owned()
                    error=form.error_signal("name") on_blur=move |()| form.touch("name")/>
            </div>
            <TextField label=text::comment().to_owned() value=form.comment is_optional=true error=form.error_signal("comment")/>
        </Step>
    }
    .into_any()
}
