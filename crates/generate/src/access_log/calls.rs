//! Every load item unfolded into the flat list of calls it causes, in the order a caller comes before its callees. Done
//! once per task, so that an iteration only has to draw times.

use crate::access_log::definition::Definition;
use crate::access_log::lines::{LineShape, LineWriter};
use crate::access_log::schedule::Call;
use crate::fields::Field;
use model::Result;
use std::collections::HashMap;

/// All load items together may cause this many calls per iteration.
const MAX_CALLS: usize = 1_000_000;

/// The calls of one iteration.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Per load item.
    pub(crate) items: Vec<Vec<Link>>,
    shapes: Vec<LineShape>,
    /// The longest chain of calls below a user's.
    pub(crate) depth: i64,
}

/// One call of a load item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// The call that caused it, as an index into the item's list; the first is the user's own.
    pub(crate) caller: usize,
    /// Index of the line's shape.
    pub(crate) shape: u32,
    /// Whether the line holds anything random.
    pub(crate) salted: bool,
}

impl Calls {
    pub(crate) fn unfold(definition: &Definition, root: &Field<'_>) -> Result<Self> {
        let mut unfolding = Unfolding {
            definition,
            writer: LineWriter::new(definition),
            calls: Self { items: Vec::new(), shapes: Vec::new(), depth: 0 },
            between_services: HashMap::new(),
            total: 0,
        };
        for index in 0..definition.load.len() {
            if !unfolding.item(index) {
                return Err(root
                    .error(format!("the load items cause more than {MAX_CALLS} calls per iteration"))
                    .why("each dependency is called anew by everyone who needs it, which multiplies")
                    .hint("remove dependencies or load items"));
            }
        }
        Ok(unfolding.calls)
    }

    /// Lines per iteration.
    pub(crate) fn per_iteration(&self) -> usize {
        self.items.iter().map(Vec::len).sum()
    }

    #[inline]
    pub(crate) fn shape(&self, call: Call) -> &LineShape {
        &self.shapes[call.shape()]
    }
}

struct Unfolding<'a> {
    definition: &'a Definition,
    writer: LineWriter<'a>,
    calls: Calls,
    /// Calling service and endpoint to shape: such lines look the same whatever the user.
    between_services: HashMap<(usize, usize), u32>,
    total: usize,
}

impl Unfolding<'_> {
    /// Unfolds a load item; false when it is too much.
    fn item(&mut self, index: usize) -> bool {
        let item = &self.definition.load[index];
        let shape = self.add(self.writer.user(item));
        let mut links = vec![self.link(0, shape)];
        // What is still to be called: the endpoint whose dependencies they are, its place in the list, its depth.
        let mut open = vec![(item.endpoint, 0, 0)];
        while let Some((endpoint, caller, depth)) = open.pop() {
            self.calls.depth = self.calls.depth.max(depth);
            let service = self.definition.endpoints[endpoint].service;
            for target in &self.definition.endpoints[endpoint].dependencies {
                if self.total + links.len() >= MAX_CALLS {
                    return false;
                }
                let shape = self.between(service, *target);
                open.push((*target, links.len(), depth + 1));
                links.push(self.link(caller, shape));
            }
        }
        self.total += links.len();
        self.calls.items.push(links);
        true
    }

    fn between(&mut self, caller: usize, endpoint: usize) -> u32 {
        if let Some(shape) = self.between_services.get(&(caller, endpoint)) {
            return *shape;
        }
        let shape = self.add(self.writer.service(caller, endpoint));
        self.between_services.insert((caller, endpoint), shape);
        shape
    }

    fn add(&mut self, shape: LineShape) -> u32 {
        self.calls.shapes.push(shape);
        // At most one shape per call, and those are limited.
        (self.calls.shapes.len() - 1) as u32
    }

    fn link(&self, caller: usize, shape: u32) -> Link {
        let salted = self.calls.shapes[shape as usize].is_random();
        Link { caller, shape, salted }
    }
}
