//! One line: closed with its message, open with all that is known of it.

use leptos::prelude::*;
use millrace_wire::log_search::LogHit;

use super::question::ask;
use crate::address::use_address;
use crate::clock::local;
use crate::format::percent;
use crate::i18n::logs as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::Button;
use crate::ui::copy_button::CopyButton;
use crate::ui::icon::Icon;

/// `around`: among the lines around another one, where it is that one.
#[component]
pub(super) fn Row(team: StoredValue<String>, hit: LogHit, #[prop(optional)] is_wanted: bool) -> impl IntoView {
    let open = RwSignal::new(is_wanted);
    let moment = local(hit.at);
    let label = text::open_line(moment.millis());
    let source = if hit.job_name.is_empty() { hit.target.clone() } else { hit.job_name.clone() };
    let level = hit.level.as_str();
    let message = parts(&hit.message, &hit.marks)
        .into_iter()
        .map(|(part, marked)| if marked { view! { <mark>{part}</mark> }.into_any() } else { part.into_any() })
        .collect_view();
    // A frame of a stack trace stands below what it belongs to.
    let continued = hit.event.is_some();
    let details = StoredValue::new(hit);
    view! {
        <div class="log-line" class:log-linked=is_wanted class:log-continued=continued data-level=level
            data-open=move || open.get().then_some("")>
            <button type="button" class="log-open" aria-expanded=move || open.get().to_string() aria-label=label
                on:click=move |_| open.update(|open| *open = !*open)>
                {move || if open.get() { Icon::Down } else { Icon::Right }.small()}
            </button>
            <time title=moment.full()>{moment.millis()}</time>
            <span class="log-level">{level}</span>
            <span class="log-source" title=source.clone()>{source.clone()}</span>
            <span class="log-message">{message}</span>
        </div>
        {move || open.get().then(|| view! { <Details team hit=details.get_value()/> })}
    }
    .into_any()
}

#[component]
fn Details(team: StoredValue<String>, hit: LogHit) -> impl IntoView {
    let address = use_address();
    let slug = team.get_value();
    let run_href = hit.job.map(|job| {
        let href = TeamRoute::Job(job, JobTab::Logs).of(&slug).href();
        hit.run.map_or_else(|| href.clone(), |run| format!("{href}?run={run}&line={}", hit.seq))
    });
    let own = hit.id.clone();
    let around = move |()| address.set_query("line", Some(&own));
    let link = {
        let path = TeamRoute::Logs.of(&slug).href();
        let origin = leptos::prelude::window().location().origin().unwrap_or_default();
        format!("{origin}{path}?{}", percent::query(&[("line".to_owned(), hit.id.clone())]))
    };
    let group = hit.group.clone().map(|group| {
        let show = move |()| ask(address, &format!("group:{group}"));
        view! { <dt>{text::of_group()}</dt><dd><Button small=true on_press=show>{text::show_group()}</Button></dd> }
    });
    let fact = |name: &'static str, value: String| {
        (!value.is_empty()).then(|| view! { <dt>{name}</dt><dd title=value.clone()>{value.clone()}</dd> })
    };
    view! {
        <dl class="log-fields">
            {fact(text::time(), local(hit.at).full())}
            {fact(text::job(), hit.job_name.clone())}
            {fact(text::of_source(), hit.target.clone())}
            {fact(text::of_version(), hit.version.clone())}
            {fact(text::of_worker(), hit.worker.clone())}
            {fact(text::attempt(), if hit.run.is_some() { hit.attempt.to_string() } else { String::new() })}
            {fact(text::of_run(), hit.run.map(|run| run.to_string()).unwrap_or_default())}
            {group}
        </dl>
        <div class="log-acts">
            {hit.run.is_some().then(|| view! { <Button small=true on_press=around>{text::lines_around()}</Button> })}
            {run_href.map(|href| view! { <a class="link small" href=href>{text::open_run()}</a> })}
            <CopyButton label=text::copy_link().to_owned() text=link/>
            <CopyButton label=text::copy_message().to_owned() text=hit.message/>
        </div>
    }
    .into_any()
}

/// The message in parts, each with whether it is what was looked for. The marks are places in bytes; those that fall
/// into a letter are left out.
fn parts(message: &str, marks: &[(u32, u32)]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (start, end) in marks {
        let (start, end) = (*start as usize, *end as usize);
        let (Some(before), Some(marked)) = (message.get(from..start), message.get(start..end)) else { continue };
        if !before.is_empty() {
            found.push((before.to_owned(), false));
        }
        found.push((marked.to_owned(), true));
        from = end;
    }
    if let Some(rest) = message.get(from..).filter(|rest| !rest.is_empty()) {
        found.push((rest.to_owned(), false));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(parts: &[(String, bool)]) -> Vec<(&str, bool)> {
        parts.iter().map(|(part, marked)| (part.as_str(), *marked)).collect()
    }

    #[test]
    fn marks_are_places_in_bytes() {
        let found = parts("größe of broker", &[(0, 7), (11, 17)]);
        assert_eq!(plain(&found), [("größe", true), (" of ", false), ("broker", true)]);
        assert_eq!(plain(&parts("no mark", &[])), [("no mark", false)]);
    }

    #[test]
    fn wrong_marks_cost_nothing_but_themselves() {
        for marks in [&[(2, 3)][..], &[(0, 99)], &[(5, 2)], &[(4, 6), (0, 2)]] {
            let found = parts("größe", marks);
            assert_eq!(found.iter().map(|(part, _)| part.as_str()).collect::<String>(), "größe", "{marks:?}");
        }
    }
}
