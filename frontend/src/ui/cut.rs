//! A name that may be longer than its place: it loses its middle, since names that begin alike differ at their ends.

use leptos::prelude::*;

/// The end that is always seen; shorter names are not worth cutting in two.
const END: usize = 9;
const SHORT: usize = 2 * END;

#[component]
pub fn Cut(#[prop(into)] text: String) -> impl IntoView {
    let Some((start, end)) = parts(&text) else {
        return view! { <span class="truncate" title=text.clone()>{text.clone()}</span> }.into_any();
    };
    // Read as one word, whatever is seen of it.
    view! {
        <span class="cut" title=text.clone()>
            <span class="visually-hidden">{text.clone()}</span>
            <span class="cut-start" aria-hidden="true">{start}</span>
            <span class="cut-end" aria-hidden="true">{end}</span>
        </span>
    }
    .into_any()
}

fn parts(text: &str) -> Option<(String, String)> {
    let count = text.chars().count();
    (count > SHORT).then(|| {
        (text.chars().take(count - END).collect::<String>(), text.chars().skip(count - END).collect::<String>())
    })
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn long_names_are_cut_before_their_end() {
        assert_eq!(parts("orders"), None);
        assert_eq!(
            parts("clicks_per_minute_and_campaign_v2"),
            Some(("clicks_per_minute_and_ca".into(), "mpaign_v2".into()))
        );
        assert_eq!(
            parts("größe_je_straße_und_käufer").map(|(start, end)| start + &end),
            Some("größe_je_straße_und_käufer".into())
        );
    }
}
