#![allow(clippy::unwrap_used, clippy::expect_used)]

use millrace_wire::graph::{ChangelogMode, Graph, GraphEdge, GraphNode};

use super::*;

fn graph(nodes: &[&str], edges: &[(&str, &str)]) -> Graph {
    Graph {
        nodes: nodes
            .iter()
            .map(|id| GraphNode {
                id: (*id).into(),
                kind: "Filter".into(),
                name: (*id).into(),
                detail: String::new(),
                parallelism: 1,
                stateful: false,
                table: None,
            })
            .collect(),
        edges: edges
            .iter()
            .map(|(from, to)| GraphEdge {
                from: (*from).into(),
                to: (*to).into(),
                partitioning: "forward".into(),
                changelog: ChangelogMode::Append,
            })
            .collect(),
    }
}

fn drawn(layout: &Layout) -> String {
    let mut text = format!("{} x {}\n", layout.width, layout.height);
    for place in &layout.nodes {
        text.push_str(&format!("{} {} {}\n", place.id, place.x, place.y));
    }
    for route in &layout.edges {
        text.push_str(&format!("{}>{} {}\n", route.from, route.to, route.path));
    }
    text
}

/// One source read once, split into two ways: the picture of the job page.
#[test]
fn a_fork_is_drawn_left_to_right() {
    let graph = graph(
        &["source", "filter", "join", "sink_a", "window", "sink_b"],
        &[("source", "filter"), ("filter", "join"), ("join", "sink_a"), ("filter", "window"), ("window", "sink_b")],
    );
    let golden = include_str!("layout_fork.txt");
    assert_eq!(drawn(&layout(&graph)), golden);
}

#[test]
fn the_same_shape_gives_the_same_places() {
    let shape = graph(&["a", "b", "c", "d"], &[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d")]);
    let first = layout(&shape);
    for _ in 0..20 {
        assert_eq!(layout(&shape), first);
    }
}

#[test]
fn nodes_do_not_overlap() {
    let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
    let nodes: Vec<&str> = names.iter().map(String::as_str).collect();
    let edges: Vec<(&str, &str)> = (1..40).map(|number| (nodes[(number - 1) / 3], nodes[number])).collect();
    let layout = layout(&graph(&nodes, &edges));
    for (index, a) in layout.nodes.iter().enumerate() {
        for b in &layout.nodes[index + 1..] {
            let apart = (a.x - b.x).abs() >= NODE_WIDTH || (a.y - b.y).abs() >= NODE_HEIGHT;
            assert!(apart, "{} lies over {}", a.id, b.id);
        }
        assert!(a.x + NODE_WIDTH <= layout.width && a.y + NODE_HEIGHT <= layout.height);
    }
}

#[test]
fn odd_graphs_do_not_panic() {
    let cycle = graph(&["a", "b"], &[("a", "b"), ("b", "a"), ("a", "a"), ("a", "missing"), ("a", "b")]);
    let drawn = layout(&cycle);
    assert_eq!(drawn.nodes.len(), 2);
    assert_eq!(drawn.edges.len(), 2);
    assert_eq!(layout(&graph(&[], &[])), Layout::default());
    assert_eq!(layout(&graph(&["alone"], &[])).nodes.len(), 1);
}
