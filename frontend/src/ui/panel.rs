//! A heading, a hairline, content; no box.

use leptos::prelude::*;

#[component]
pub fn Panel(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] count: MaybeProp<String>,
    #[prop(optional, into)] note: MaybeProp<String>,
    /// Links and buttons at the end of the heading.
    #[prop(optional, into)]
    end: ViewFn,
    children: Children,
) -> impl IntoView {
    let heading = super::id::next("panel");
    let labelled = heading.clone();
    view! {
        <section class="panel" aria-labelledby=labelled>
            <div class="panel-head">
                <h2 id=heading>
                    {move || title.get()}
                    {move || count.get().map(|count| view! { " "<span class="panel-count">{count}</span> })}
                </h2>
                {move || note.get().map(|note| view! { <span class="panel-note">{note}</span> })}
                <span class="panel-end">{end.run()}</span>
            </div>
            {children()}
        </section>
    }
    .into_any()
}
