//! Where the nodes and edges of a job's graph are drawn: a pure function of its shape.
//!
//! Promises: the same nodes and edges give the same places, whatever the figures say; nothing panics on cycles,
//! self-loops or edges to nodes that are not there (the last are left out).

use dagre::graph::{Graph as Dagre, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};
use millrace_wire::graph::Graph;

/// Size of every node, in pixels.
pub(crate) const NODE_WIDTH: f64 = 150.0;
pub(crate) const NODE_HEIGHT: f64 = 66.0;
const MARGIN: f64 = 12.0;
const BETWEEN_RANKS: f64 = 40.0;
const BETWEEN_NODES: f64 = 28.0;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// In the order of the graph's nodes.
    pub(crate) nodes: Vec<Place>,
    pub(crate) edges: Vec<Route>,
}

/// The upper left corner of a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An edge as an SVG path, and where its label stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) path: String,
    pub(crate) label_x: f64,
    pub(crate) label_y: f64,
}

pub(crate) fn layout(graph: &Graph) -> Layout {
    if graph.nodes.is_empty() {
        return Layout::default();
    }
    let mut dagre: Dagre<NodeLabel, EdgeLabel> =
        Dagre::with_options(GraphOptions { directed: true, multigraph: false, compound: false });
    for node in &graph.nodes {
        let label = NodeLabel { width: NODE_WIDTH, height: NODE_HEIGHT, ..NodeLabel::default() };
        dagre.set_node(node.id.clone(), Some(label));
    }
    let known = |id: &str| graph.nodes.iter().any(|node| node.id == id);
    let mut edges: Vec<(&str, &str)> = Vec::new();
    for edge in &graph.edges {
        let pair = (edge.from.as_str(), edge.to.as_str());
        if pair.0 != pair.1 && known(pair.0) && known(pair.1) && !edges.contains(&pair) {
            dagre.set_edge(pair.0, pair.1, Some(EdgeLabel::default()), None);
            edges.push(pair);
        }
    }
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: BETWEEN_NODES,
        ranksep: BETWEEN_RANKS,
        marginx: MARGIN,
        marginy: MARGIN,
        // What is written first in the SQL stands above.
        tie_keep_first: true,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut dagre, Some(options));

    let nodes: Vec<Place> = graph
        .nodes
        .iter()
        .map(|node| {
            let (x, y) = dagre
                .node(&node.id)
                .map_or((0.0, 0.0), |label| (label.x.unwrap_or_default(), label.y.unwrap_or_default()));
            Place { id: node.id.clone(), x: (x - NODE_WIDTH / 2.0).round(), y: (y - NODE_HEIGHT / 2.0).round() }
        })
        .collect();
    let routes = edges.iter().filter_map(|(from, to)| route(&nodes, &dagre, from, to)).collect();
    Layout {
        width: nodes.iter().map(|place| place.x).fold(0.0, f64::max) + NODE_WIDTH + MARGIN,
        height: nodes.iter().map(|place| place.y).fold(0.0, f64::max) + NODE_HEIGHT + MARGIN,
        nodes,
        edges: routes,
    }
}

/// Leaves the right edge of one node and meets the left edge of the other, through the bends in between.
fn route(nodes: &[Place], dagre: &Dagre<NodeLabel, EdgeLabel>, from: &str, to: &str) -> Option<Route> {
    let place = |id: &str| nodes.iter().find(|place| place.id == id);
    let (source, target) = (place(from)?, place(to)?);
    let start = (source.x + NODE_WIDTH, source.y + NODE_HEIGHT / 2.0);
    let end = (target.x, target.y + NODE_HEIGHT / 2.0);
    let bends = dagre.edge(from, to, None).map(|label| label.points.as_slice()).unwrap_or_default();
    // The first and last point lie on the borders of the nodes; ours are the middles of the sides. Bends that lie
    // beside a node or outside the gap would turn the line back, so only those strictly between are kept.
    let mut points = vec![start];
    for bend in bends.iter().skip(1).take(bends.len().saturating_sub(2)) {
        let last = points.last().copied().unwrap_or(start);
        let beyond_first = bend.x > last.0 + BETWEEN_RANKS;
        if beyond_first && bend.x < end.0 - BETWEEN_RANKS {
            points.push((bend.x.round(), bend.y.round()));
        }
    }
    points.push(end);

    let mut path = format!("M{} {}", start.0, start.1);
    for pair in points.windows(2) {
        let [a, b] = pair else { continue };
        if (a.1 - b.1).abs() < 0.5 {
            path.push_str(&format!("H{}", b.0));
        } else {
            let half = ((a.0 + b.0) / 2.0).round();
            path.push_str(&format!("C{half} {} {half} {} {} {}", a.1, b.1, b.0, b.1));
        }
    }
    // The label stands just before the target, where lines from one node have parted.
    let last = points.len().checked_sub(2).and_then(|index| points.get(index)).copied().unwrap_or(start);
    let straight = (last.1 - end.1).abs() < 0.5;
    let label_x = if straight { (end.0 - BETWEEN_RANKS / 2.0).round() } else { (end.0 - 18.0).round() };
    // Beside the line, not on it: a line that comes from above leaves room below.
    let label_y = if !straight && last.1 < end.1 { end.1 + 18.0 } else { end.1 - 8.0 };
    Some(Route { from: from.to_owned(), to: to.to_owned(), path, label_x, label_y })
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
