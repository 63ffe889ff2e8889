//! The Glue PySpark script that does what a graph does, node by node, so that a job can be taken elsewhere.

use super::Helper;
use super::py;
use crate::graph::{Graph, Node};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Lines wider than this are broken at their arguments.
const WIDTH: usize = 110;

/// The script. It is written for a graph without mistakes; nodes that cannot run here say so in a comment.
pub fn pyspark(graph: &Graph) -> String {
    let variables = variables(graph);
    let mut body = String::new();
    let mut imports: BTreeSet<String> = BTreeSet::new();
    let mut helpers: BTreeSet<Helper> = BTreeSet::new();
    for node in graph.order.iter().filter_map(|at| graph.nodes.get(*at)) {
        let mut script = Script {
            node,
            variables: &variables,
            lines: String::new(),
            imports: BTreeSet::new(),
            helpers: BTreeSet::new(),
        };
        script.comment(&format!("{}: {}", node.kind.name, node.name));
        node.operation.script(&mut script);
        body.push('\n');
        body.push_str(&script.lines);
        imports.append(&mut script.imports);
        helpers.append(&mut script.helpers);
    }
    let mut text = head(graph, &imports);
    for helper in helpers {
        text.push('\n');
        text.push_str(helper.text());
    }
    text.push_str(BEGIN);
    text.push_str(&body);
    text.push_str("\njob.commit()\n");
    text
}

const BEGIN: &str = r#"
args = getResolvedOptions(sys.argv, ["JOB_NAME"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)
"#;

fn head(graph: &Graph, imports: &BTreeSet<String>) -> String {
    let mut text = String::new();
    text.push_str(&format!("# {}\n", one_line(&graph.name)));
    text.push_str("# Written by Glulam from the job's graph; each block is one node.\n");
    let given: Vec<String> = graph
        .arguments
        .iter()
        .filter(|(name, _)| *name != "JOB_NAME")
        .map(|(name, value)| format!("--{name} {value}"))
        .collect();
    if !given.is_empty() {
        text.push_str(&format!("# Arguments that were put in: {}\n", one_line(&given.join(", "))));
    }
    let (from, plain): (Vec<&String>, Vec<&String>) =
        imports.iter().partition(|line| line.starts_with("from "));
    for line in plain {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(
        "import sys\n\nfrom awsglue.context import GlueContext\nfrom awsglue.dynamicframe import DynamicFrame, \
         DynamicFrameCollection\nfrom awsglue.job import Job\nfrom awsglue.transforms import *\n\
         from awsglue.utils import getResolvedOptions\n",
    );
    for line in from {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(
        "from pyspark.context import SparkContext\nfrom pyspark.sql import functions as SqlFuncs\n",
    );
    text
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A variable for each node: its name and id, and a number where that is not enough.
fn variables(graph: &Graph) -> HashMap<String, String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut all = HashMap::new();
    for node in &graph.nodes {
        let base = py::variable(&format!("{}_{}", node.name, node.id.value));
        let mut name = base.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        all.insert(node.id.value.clone(), name);
    }
    all
}

/// Where a node writes its lines.
pub(crate) struct Script<'g> {
    node: &'g Node,
    variables: &'g HashMap<String, String>,
    lines: String,
    imports: BTreeSet<String>,
    helpers: BTreeSet<Helper>,
}

impl<'g> Script<'g> {
    /// The node's variable.
    pub(crate) fn var(&self) -> &'g str {
        self.variables.get(&self.node.id.value).map_or("node", String::as_str)
    }

    /// The id of an input.
    pub(crate) fn input_id(&self, at: usize) -> &'g str {
        self.node.inputs.get(at).map_or("", |input| input.value.as_str())
    }

    /// The variable of an input.
    pub(crate) fn input(&self, at: usize) -> &'g str {
        self.variables.get(self.input_id(at)).map_or("None", String::as_str)
    }

    pub(crate) fn input_count(&self) -> usize {
        self.node.inputs.len()
    }

    pub(crate) fn import(&mut self, line: &str) {
        self.imports.insert(line.to_owned());
    }

    pub(crate) fn helper(&mut self, helper: Helper) {
        self.helpers.insert(helper);
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.lines.push_str(text);
        self.lines.push('\n');
    }

    pub(crate) fn comment(&mut self, text: &str) {
        self.line(&format!("# {}", one_line(text)));
    }

    /// `var = expression`
    pub(crate) fn assign(&mut self, expression: &str) {
        let var = self.var();
        self.line(&format!("{var} = {expression}"));
    }

    /// `var = function(arguments, transformation_ctx="var")`, over several lines where it is long.
    pub(crate) fn assign_call(&mut self, function: &str, arguments: &[String]) {
        let mut all = arguments.to_vec();
        all.push(format!("transformation_ctx={}", py::text(self.var())));
        self.call(function, &all);
    }

    /// The same for one of Glue Studio's transforms, which are methods of the input.
    pub(crate) fn assign_method(&mut self, method: &str, arguments: &[String]) {
        self.import(&format!("import {method}"));
        let function = format!("{}.{method}", self.input(0));
        self.call(&function, arguments);
    }

    fn call(&mut self, function: &str, arguments: &[String]) {
        let one = format!("{function}({})", arguments.join(", "));
        let fits = self.var().len() + one.len() < WIDTH && !one.contains('\n');
        let written = if fits { one } else { format!("{function}(\n    {},\n)", arguments.join(",\n    ")) };
        self.assign(&written);
    }

    /// A Spark frame as the node's DynamicFrame.
    pub(crate) fn assign_frame(&mut self, frame: &str) {
        let name = py::text(self.var());
        self.call("DynamicFrame.fromDF", &[frame.to_owned(), "glueContext".to_owned(), name]);
    }

    /// A collection of frames: `"name": frame`.
    pub(crate) fn assign_collection(&mut self, members: &[String]) {
        self.assign(&format!(
            "DynamicFrameCollection(\n    {{\n        {},\n    }},\n    glueContext,\n)",
            members.join(",\n        ")
        ));
    }
}
