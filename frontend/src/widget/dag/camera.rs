//! Which part of a graph is seen: pan and zoom as one transform.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Camera {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) zoom: f64,
}

const CLOSEST: f64 = 2.0;
const FARTHEST: f64 = 0.2;

impl Camera {
    /// Shows a graph of this size in a view of that size, never enlarged, in the middle across.
    pub(super) fn fit(graph: (f64, f64), view: (f64, f64)) -> Camera {
        if graph.0 <= 0.0 || graph.1 <= 0.0 || view.0 <= 0.0 || view.1 <= 0.0 {
            return Camera { x: 0.0, y: 0.0, zoom: 1.0 };
        }
        let zoom = (view.0 / graph.0).min(view.1 / graph.1).clamp(FARTHEST, 1.0);
        Camera { x: ((view.0 - graph.0 * zoom) / 2.0).max(0.0), y: ((view.1 - graph.1 * zoom) / 2.0).max(0.0), zoom }
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

    pub(super) fn transform(self) -> String {
        format!("translate({:.1} {:.1}) scale({:.3})", self.x, self.y, self.zoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_graph_is_centred_and_not_enlarged() {
        assert_eq!(Camera::fit((200.0, 100.0), (400.0, 200.0)), Camera { x: 100.0, y: 50.0, zoom: 1.0 });
    }

    #[test]
    fn a_wide_graph_is_made_to_fit() {
        let camera = Camera::fit((800.0, 100.0), (400.0, 200.0));
        assert_eq!(camera.zoom, 0.5);
        assert_eq!(camera.x, 0.0);
        assert_eq!(Camera::fit((0.0, 0.0), (400.0, 200.0)).zoom, 1.0);
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
