//! Draws an attack path as boxes and arrows. `layout-rs` calculates the positions; the template draws them.

use layout::{
    core::{
        base::Orientation,
        format::{ClipHandle, RenderBackend},
        geometry::Point,
        style::StyleAttr,
    },
    std_shapes::shapes::{Arrow as Edge, Element, ShapeKind},
    topo::layout::VisualGraph,
};

use crate::report::page::PathRow;

/// The maximum number of nodes in a drawing. A larger path would be unreadable, and is listed instead.
const MOST_NODES: usize = 40;
const MOST_EDGES: usize = 80;
/// Longer texts are truncated. The whole text is next to the drawing and in its tooltip.
const LONGEST: usize = 26;
const MARGIN: f64 = 6.0;

/// A drawing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Drawing {
    /// Its left and top edges, width and height.
    pub view: (f64, f64, f64, f64),
    /// The boxes.
    pub boxes: Vec<NodeBox>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
    /// The texts on the arrows.
    pub labels: Vec<Label>,
}

/// A box.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NodeBox {
    /// Its left edge.
    pub x: f64,
    /// Its top edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The name, truncated if it is long.
    pub name: String,
    /// The type, truncated if it is long.
    pub kind: String,
    /// The whole text.
    pub title: String,
    /// `entry`, `target` or `between`.
    pub class: &'static str,
}

/// An arrow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrow {
    /// The curve, as an SVG path.
    pub path: String,
    /// Whether the arrow points against the direction of the curve.
    pub backwards: bool,
}

/// A text in the middle of an arrow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// Its horizontal center.
    pub x: f64,
    /// Its vertical center.
    pub y: f64,
    /// The text.
    pub text: String,
}

/// Draws an attack path. `None` if it has no nodes, or too many for a drawing.
pub(crate) fn draw(path: &PathRow) -> Option<Drawing> {
    if path.nodes.is_empty() || path.nodes.len() > MOST_NODES || path.edges.len() > MOST_EDGES {
        return None;
    }
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let handles: Vec<_> = path
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let longest = cut(&node.name).chars().count().max(cut(&node.kind).chars().count());
            let size = Point::new((longest as f64 * 7.6 + 28.0).max(120.0), 46.0);
            // The properties of the shape carry its index in the list.
            let (shape, look) = (ShapeKind::new_box(""), StyleAttr::simple());
            graph.add_node(Element::create_with_properties(
                shape,
                look,
                Orientation::TopToBottom,
                size,
                at.to_string(),
            ))
        })
        .collect();
    for (source, target, kind) in &path.edges {
        if let (Some(source), Some(target)) = (handles.get(*source), handles.get(*target)) {
            graph.add_edge(Edge::simple(&cut(kind)), *source, *target);
        }
    }
    let mut canvas = Canvas { path, drawing: Drawing::default(), seen: None };
    graph.do_it(false, false, false, &mut canvas);
    Some(canvas.done())
}

/// Truncates a text so that it fits.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Collects the positions.
struct Canvas<'a> {
    path: &'a PathRow,
    drawing: Drawing,
    seen: Option<(f64, f64, f64, f64)>,
}

impl Canvas<'_> {
    fn see(&mut self, x: f64, y: f64) {
        let (left, top, right, bottom) = self.seen.unwrap_or((x, y, x, y));
        self.seen = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
    }

    fn done(mut self) -> Drawing {
        let (left, top, right, bottom) = self.seen.unwrap_or_default();
        self.drawing.view =
            (left - MARGIN, top - MARGIN, right - left + 2.0 * MARGIN, bottom - top + 2.0 * MARGIN);
        self.drawing
    }
}

impl RenderBackend for Canvas<'_> {
    fn draw_rect(
        &mut self,
        xy: Point,
        size: Point,
        _: &StyleAttr,
        properties: Option<String>,
        _: Option<ClipHandle>,
    ) {
        let at = properties.and_then(|at| at.parse::<usize>().ok());
        let Some(node) = at.and_then(|at| self.path.nodes.get(at)) else { return };
        self.see(xy.x, xy.y);
        self.see(xy.x + size.x, xy.y + size.y);
        self.drawing.boxes.push(NodeBox {
            x: xy.x,
            y: xy.y,
            width: size.x,
            height: size.y,
            name: cut(&node.name),
            kind: cut(&node.kind),
            title: format!("{} ({})", node.name, node.kind),
            class: match (node.entry, node.target) {
                (true, _) => "entry",
                (_, true) => "target",
                _ => "between",
            },
        });
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, xy: Point, text: &str, _: &StyleAttr) {
        if text.is_empty() {
            return;
        }
        let half = text.chars().count() as f64 * 3.4;
        self.see(xy.x - half, xy.y - 8.0);
        self.see(xy.x + half, xy.y + 8.0);
        self.drawing.labels.push(Label { x: xy.x, y: xy.y, text: text.to_owned() });
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        (backwards, _): (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        let [first, second, rest @ ..] = path else { return };
        for (a, b) in path {
            self.see(a.x, a.y);
            self.see(b.x, b.y);
        }
        let point = |point: &Point| format!("{:.1} {:.1}", point.x, point.y);
        // One control point after the first point, then one before each of the others.
        let mut curve = format!(
            "M {} C {}, {}, {}",
            point(&first.0),
            point(&first.1),
            point(&second.0),
            point(&second.1)
        );
        for (control, end) in rest {
            curve.push_str(&format!(" S {}, {}", point(control), point(end)));
        }
        self.drawing.arrows.push(Arrow { path: curve, backwards });
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::PathNode;

    fn path(nodes: usize, edges: &[(usize, usize)]) -> PathRow {
        let node = |at: usize| PathNode { name: format!("node-{at}"), ..PathNode::default() };
        PathRow {
            nodes: (0..nodes).map(node).collect(),
            edges: edges.iter().map(|&(a, b)| (a, b, "can reach".to_owned())).collect(),
            ..PathRow::default()
        }
    }

    #[test]
    fn every_node_is_a_box_inside_the_drawing_and_none_covers_another() {
        let drawing = draw(&path(6, &[(0, 1), (1, 2), (2, 3), (1, 4), (4, 3), (0, 3), (3, 5)])).unwrap();
        assert_eq!((drawing.boxes.len(), drawing.arrows.len(), drawing.labels.len()), (6, 7, 7));
        let (left, top, width, height) = drawing.view;
        for (at, one) in drawing.boxes.iter().enumerate() {
            assert!(one.x >= left && one.y >= top, "{one:?}");
            assert!(one.x + one.width <= left + width && one.y + one.height <= top + height, "{one:?}");
            for other in &drawing.boxes[at + 1..] {
                let apart = one.x + one.width <= other.x
                    || other.x + other.width <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{one:?} covers {other:?}");
            }
        }
    }

    #[test]
    fn circles_loops_doubles_and_edges_to_nowhere_are_drawn_or_left_out() {
        let odd = draw(&path(3, &[(0, 1), (1, 0), (1, 1), (0, 1), (2, 0), (1, 2), (0, 9)])).unwrap();
        assert_eq!(odd.boxes.len(), 3);
        assert_eq!(draw(&path(1, &[])).unwrap().boxes.len(), 1);
        assert_eq!(draw(&path(0, &[])), None);
        assert_eq!(draw(&path(MOST_NODES + 1, &[])), None);
    }
}
