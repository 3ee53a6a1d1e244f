//! Which part of a graph is seen: pan and zoom as one transform.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Camera {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) zoom: f64,
}

const CLOSEST: f64 = 2.0;
/// Around a node that is brought into view, in pixels of the view.
const ROOM: f64 = 8.0;
const FARTHEST: f64 = 0.2;
/// A graph is not shown smaller unless somebody asks for it; down to here its text keeps its size.
const READABLE: f64 = 0.8;

impl Camera {
    /// Shows a graph of this size in a view of that size, never enlarged, in the middle. What does not fit at a size
    /// that can be read is cut at the far end, so that the sources are seen first.
    pub(super) fn readable(graph: (f64, f64), view: (f64, f64)) -> Camera {
        Camera::at_least(READABLE, graph, view)
    }

    /// Shows all of it, however small.
    pub(super) fn whole(graph: (f64, f64), view: (f64, f64)) -> Camera {
        Camera::at_least(FARTHEST, graph, view)
    }

    fn at_least(least: f64, graph: (f64, f64), view: (f64, f64)) -> Camera {
        if graph.0 <= 0.0 || graph.1 <= 0.0 || view.0 <= 0.0 || view.1 <= 0.0 {
            return Camera { x: 0.0, y: 0.0, zoom: 1.0 };
        }
        let zoom = (view.0 / graph.0).min(view.1 / graph.1).clamp(least, 1.0);
        Camera { x: ((view.0 - graph.0 * zoom) / 2.0).max(0.0), y: ((view.1 - graph.1 * zoom) / 2.0).max(0.0), zoom }
    }

    /// Moved as little as needed for a box of the graph to be seen whole, with some room around it.
    pub(super) fn showing(self, (x, y): (f64, f64), (width, height): (f64, f64), view: (f64, f64)) -> Camera {
        let by = |start: f64, size: f64, moved: f64, view: f64| {
            let (from, to) = (start * self.zoom + moved - ROOM, (start + size) * self.zoom + moved + ROOM);
            if from < 0.0 || to - from > view {
                -from
            } else if to > view {
                view - to
            } else {
                0.0
            }
        };
        self.moved(by(x, width, self.x, view.0), by(y, height, self.y, view.1))
    }

    /// Zooms by a factor; the point of the view given stays where it is.
    pub(super) fn zoomed(self, factor: f64, (at_x, at_y): (f64, f64)) -> Camera {
        let zoom = (self.zoom * factor).clamp(FARTHEST, CLOSEST);
        let change = zoom / self.zoom;
        Camera { x: at_x - (at_x - self.x) * change, y: at_y - (at_y - self.y) * change, zoom }
    }

    pub(super) fn moved(self, by_x: f64, by_y: f64) -> Camera {
        Camera { x: self.x + by_x, y: self.y + by_y, ..self }
    }

    /// By how much text is larger than drawn at full size, so that it can be read where the graph is smaller.
    pub(super) fn text_scale(self) -> f64 {
        1.0 / self.zoom.clamp(READABLE, 1.0)
    }

    pub(super) fn transform(self) -> String {
        format!("translate({:.1} {:.1}) scale({:.3})", self.x, self.y, self.zoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_graph_is_centred_and_not_enlarged() {
        assert_eq!(Camera::readable((200.0, 100.0), (400.0, 200.0)), Camera { x: 100.0, y: 50.0, zoom: 1.0 });
    }

    #[test]
    fn a_wide_graph_stays_readable_and_starts_at_its_sources() {
        let camera = Camera::readable((800.0, 100.0), (400.0, 200.0));
        assert_eq!((camera.x, camera.zoom), (0.0, READABLE));
        assert_eq!(Camera::readable((440.0, 100.0), (400.0, 200.0)).zoom, 400.0 / 440.0);
        assert_eq!(Camera::whole((800.0, 100.0), (400.0, 200.0)).zoom, 0.5);
        assert_eq!(Camera::readable((0.0, 0.0), (400.0, 200.0)).zoom, 1.0);
    }

    #[test]
    fn text_keeps_its_size_in_a_graph_that_is_shown_smaller() {
        let camera = |zoom| Camera { x: 0.0, y: 0.0, zoom };
        assert_eq!([1.0, 2.0, 0.8].map(|zoom| camera(zoom).text_scale()), [1.0, 1.0, 1.25]);
        assert_eq!(camera(FARTHEST).text_scale(), 1.25, "whoever wants to see all of it sees shapes, not words");
    }

    #[test]
    fn a_node_in_focus_comes_into_view() {
        let camera = Camera { x: 0.0, y: 0.0, zoom: 1.0 };
        let (size, view) = ((150.0, 66.0), (400.0, 200.0));
        assert_eq!(camera.showing((100.0, 50.0), size, view), camera);
        assert_eq!(camera.showing((600.0, 50.0), size, view).x, 400.0 - 750.0 - ROOM);
        assert_eq!(camera.moved(-300.0, 0.0).showing((100.0, 50.0), size, view).x, ROOM - 100.0);
        assert_eq!(camera.showing((0.0, 0.0), (900.0, 66.0), view).x, ROOM);
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let camera = Camera { x: 10.0, y: 20.0, zoom: 1.0 }.zoomed(1.5, (110.0, 70.0));
        // The point that was at (110, 70): (100, 50) of the graph.
        assert_eq!((camera.x + 100.0 * camera.zoom, camera.y + 50.0 * camera.zoom), (110.0, 70.0));
        assert_eq!(camera.zoomed(1000.0, (0.0, 0.0)).zoom, CLOSEST);
        assert_eq!(camera.zoomed(0.0001, (0.0, 0.0)).zoom, FARTHEST);
    }
}
