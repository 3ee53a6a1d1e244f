//! Walking a graph by the arrow keys.

use millrace_wire::graph::Graph;

use super::layout::Layout;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Left,
    Right,
    Up,
    Down,
    First,
    Last,
}

impl Step {
    pub(super) fn of_key(key: &str) -> Option<Step> {
        Some(match key {
            "ArrowLeft" => Step::Left,
            "ArrowRight" => Step::Right,
            "ArrowUp" => Step::Up,
            "ArrowDown" => Step::Down,
            "Home" => Step::First,
            "End" => Step::Last,
            _ => return None,
        })
    }
}

/// The node to go to: left and right follow edges, up and down go to the nearest node of the same column.
pub(super) fn next<'a>(graph: &'a Graph, layout: &Layout, from: &str, step: Step) -> Option<&'a str> {
    let known = |id: &str| graph.nodes.iter().find(|node| node.id == id).map(|node| node.id.as_str());
    let place = |id: &str| layout.nodes.iter().find(|place| place.id == id);
    let here = place(from)?;
    let nearest = |ids: Vec<&str>| {
        let mut places: Vec<_> = ids.into_iter().filter_map(place).collect();
        places.sort_by(|a, b| (a.y - here.y).abs().total_cmp(&(b.y - here.y).abs()));
        places.first().and_then(|place| known(&place.id))
    };
    match step {
        Step::Right => {
            nearest(graph.edges.iter().filter(|edge| edge.from == from).map(|edge| edge.to.as_str()).collect())
        }
        Step::Left => {
            nearest(graph.edges.iter().filter(|edge| edge.to == from).map(|edge| edge.from.as_str()).collect())
        }
        Step::Up | Step::Down => nearest(
            layout
                .nodes
                .iter()
                .filter(|other| (other.x - here.x).abs() < 1.0)
                .filter(|other| if step == Step::Up { other.y < here.y } else { other.y > here.y })
                .map(|other| other.id.as_str())
                .collect(),
        ),
        Step::First => graph.nodes.first().map(|node| node.id.as_str()),
        Step::Last => graph.nodes.last().map(|node| node.id.as_str()),
    }
}
