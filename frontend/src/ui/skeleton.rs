//! The shape of what is coming, shown only when it takes longer than 150 ms.

use std::time::Duration;

use leptos::prelude::*;

use crate::i18n::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Rows of a table.
    Rows(u32),
    /// Lines of text.
    Lines(u32),
    /// Title, tabs and rows of a page.
    Page,
    Nothing,
}

const PATIENCE: Duration = Duration::from_millis(150);

#[component]
pub fn Skeleton(shape: Shape) -> impl IntoView {
    let late = RwSignal::new(false);
    if let Ok(handle) = set_timeout_with_handle(
        move || {
            let _ = late.try_set(true);
        },
        PATIENCE,
    ) {
        on_cleanup(move || handle.clear());
    }
    view! {
        <div class="skeleton-shape" aria-busy="true">
            <span class="visually-hidden" role="status">{words::loading()}</span>
            {move || late.get().then(|| bars(shape))}
        </div>
    }
    .into_any()
}

fn bars(shape: Shape) -> AnyView {
    const WIDTHS: [u32; 5] = [72, 54, 63, 40, 58];
    let line = |index: u32, class: &'static str| {
        let width = WIDTHS.get((index % 5) as usize).copied().unwrap_or(50);
        view! { <span class=class><span class="skeleton" style=format!("inline-size:{width}%")></span></span> }
    };
    match shape {
        Shape::Rows(count) => (0..count).map(|index| line(index, "skeleton-row")).collect_view().into_any(),
        Shape::Lines(count) => (0..count).map(|index| line(index, "skeleton-line")).collect_view().into_any(),
        Shape::Page => view! {
            <span class="skeleton-title"><span class="skeleton" style="inline-size:220px"></span></span>
            {(0..8).map(|index| line(index, "skeleton-row")).collect_view()}
        }
        .into_any(),
        Shape::Nothing => ().into_any(),
    }
}
