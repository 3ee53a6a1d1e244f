//! The keys, on one sheet.

use leptos::prelude::*;

use super::top_bar::mod_key;
use crate::i18n::shell as text;
use crate::ui::dialog::Dialog;

#[component]
pub(super) fn ShortcutSheet(open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title=text::shortcuts().to_owned() class="dialog-wide">
            <div class="columns columns-half">
                {shortcut_groups()}
            </div>
        </Dialog>
    }
    .into_any()
}

/// All keys, in two groups; the settings page shows them too.
pub(crate) fn shortcut_groups() -> AnyView {
    view! {
        {group(text::keys_everywhere(), &[
            (&[MOD, "K"], text::key_palette()),
            (&["/"], text::key_filter()),
            (&["?"], text::key_sheet()),
            (&["Esc"], text::key_close()),
            (&["["], text::key_fold()),
            (&["g", "o"], text::key_go_overview()),
            (&["g", "e"], text::key_go_editor()),
            (&["g", "j"], text::key_go_jobs()),
            (&["g", "t"], text::key_go_tables()),
            (&["g", "c"], text::key_go_connections()),
        ])}
        {group(text::keys_editor(), &[
            (&[MOD, "Enter"], text::key_preview()),
            (&[MOD, "S"], text::key_save()),
            (&["Ctrl", "Space"], text::key_complete()),
            (&["Shift", "Alt", "F"], text::key_format()),
            (&[MOD, "/"], text::key_comment()),
            (&["Shift", "Alt", "Enter"], text::key_full_screen()),
            (&["Esc", "Tab"], text::key_leave()),
        ])}
    }
    .into_any()
}

const MOD: &str = "Mod";

fn group(title: &'static str, keys: &[(&[&'static str], &'static str)]) -> AnyView {
    view! {
        <section class="panel">
            <div class="panel-head"><h3>{title}</h3></div>
            <dl class="facts shortcuts">
                {keys.iter().map(|(keys, words)| view! {
                    <dt>{*words}</dt>
                    <dd>{keys.iter().map(|key| view! { <kbd>{if *key == MOD { mod_key() } else { key }}</kbd> }).collect_view()}</dd>
                }).collect_view()}
            </dl>
        </section>
    }
    .into_any()
}
