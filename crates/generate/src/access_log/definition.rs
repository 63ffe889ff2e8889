//! The task as its author wrote it, read and checked: services, their endpoints and who calls whom. Refuses calls to
//! what does not exist and circles of calls, and text that would break the columns of a log line.

use crate::access_log::lines::Format;
use crate::fields::{Field, Fields, file_name};
use crate::timer::Timer;
use model::{Result, nearest_hint};
use std::collections::HashMap;

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];

/// Longer chains of calls are refused; real ones have a handful of links.
const MAX_DEPTH: usize = 256;

/// What to simulate.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) services: Vec<String>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) load: Vec<LoadItem>,
    pub(crate) iterations: i64,
    /// Milliseconds.
    pub(crate) lag: (i64, i64),
    pub(crate) timer: Timer,
    /// Milliseconds.
    pub(crate) jitter: i64,
    pub(crate) format: Format,
    pub(crate) gzip: bool,
    pub(crate) fill_paths: bool,
    pub(crate) output: String,
}

/// An endpoint of a service.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Index into the services.
    pub(crate) service: usize,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// 0 to 1.
    pub(crate) error_rate: f64,
    /// Endpoints it calls, by index.
    pub(crate) dependencies: Vec<usize>,
}

/// A simulated user who makes one call per iteration.
#[derive(Debug)]
pub(crate) struct LoadItem {
    pub(crate) agent: String,
    pub(crate) address: String,
    pub(crate) user: String,
    /// Index into the endpoints.
    pub(crate) endpoint: usize,
}

pub(crate) fn parse(root: &Field<'_>) -> Result<Definition> {
    let fields = root.fields(&[
        "@type",
        "randomSeed",
        "services",
        "loadItems",
        "numberOfIterations",
        "networkLagMinMillis",
        "networkLagMaxMillis",
        "timer",
        "outputDirectoryPath",
        "format",
        "gzip",
        "fillPathTemplates",
    ])?;
    let (services, endpoints) = services(&fields)?;
    let load = load_items(&fields, &services, &endpoints)?;
    let iterations = fields.required("numberOfIterations")?.integer(1, i64::MAX)?;
    let lag = network_lag(&fields)?;
    let (timer, timer_fields) = Timer::synthetic(&fields.required("timer")?, &["jitterMillis"])?;
    let jitter =
        timer_fields.optional("jitterMillis").map_or(Ok(0), |field| field.integer(0, i64::MAX / 4))?;
    let format = fields.optional("format").map_or(Ok(Format::Service), |field| Format::parse(&field))?;
    let flag = |name: &str, default: bool| fields.optional(name).map_or(Ok(default), |field| field.boolean());
    Ok(Definition {
        services,
        endpoints,
        load,
        iterations,
        lag,
        timer,
        jitter,
        format,
        gzip: flag("gzip", false)?,
        fill_paths: flag("fillPathTemplates", format == Format::Nginx)?,
        output: fields.required("outputDirectoryPath")?.file_path()?.to_owned(),
    })
}

fn network_lag(fields: &Fields<'_>) -> Result<(i64, i64)> {
    let least = fields.required("networkLagMinMillis")?.integer(0, i64::MAX / 4)?;
    let most_field = fields.required("networkLagMaxMillis")?;
    let most = most_field.integer(0, i64::MAX / 4)?;
    if most >= least {
        return Ok((least, most));
    }
    Err(most_field
        .error(format!("`networkLagMaxMillis` is {most}, less than `networkLagMinMillis`, which is {least}")))
}

/// Endpoints found by service, method and URL, with the fields of the calls they make.
#[derive(Default)]
struct Directory<'a> {
    endpoints: Vec<Endpoint>,
    by_name: HashMap<(usize, &'static str, String), usize>,
    calls: Vec<Vec<Field<'a>>>,
}

fn services(fields: &Fields<'_>) -> Result<(Vec<String>, Vec<Endpoint>)> {
    let mut names: Vec<String> = Vec::new();
    let mut directory = Directory::default();
    for field in fields.required("services")?.filled_list()? {
        let service = field.fields(&["name", "endpoints"])?;
        names.push(service_name(&service.required("name")?, &names)?);
        for endpoint in service.required("endpoints")?.list()? {
            directory.add(names.len() - 1, &names, &endpoint)?;
        }
    }
    let targets: Vec<Vec<usize>> = directory
        .calls
        .iter()
        .map(|calls| calls.iter().map(|call| resolve(call, &names, &directory.endpoints)).collect())
        .collect::<Result<_>>()?;
    for (endpoint, targets) in directory.endpoints.iter_mut().zip(targets) {
        endpoint.dependencies = targets;
    }
    refuse_circles(&names, &directory)?;
    Ok((names, directory.endpoints))
}

fn service_name(field: &Field<'_>, others: &[String]) -> Result<String> {
    let name = field.token()?;
    file_name(name)
        .map_err(|why| field.error(format!("the service `{name}` cannot name a file")).why(why))?;
    match others.iter().find(|other| other.to_lowercase() == name.to_lowercase()) {
        None => Ok(name.to_owned()),
        Some(other) if other == name => Err(field.error(format!("the service `{name}` is defined twice"))),
        Some(other) => Err(field
            .error(format!("the services `{other}` and `{name}` differ in case only"))
            .why("their files would be one where file names have no case")),
    }
}

impl<'a> Directory<'a> {
    fn add(&mut self, service: usize, names: &[String], field: &Field<'a>) -> Result<()> {
        let fields = field.fields(&["relativeUrl", "httpMethod", "dependencies", "errorRate"])?;
        let url_field = fields.required("relativeUrl")?;
        let url = url_field.token()?.to_owned();
        if !url.starts_with('/') {
            return Err(url_field.error(format!("`{}` must begin with `/`", url_field.path())));
        }
        let method = fields.required("httpMethod")?.one_of(METHODS)?;
        let error_rate = fields.optional("errorRate").map_or(Ok(0.0), |field| field.share())?;
        let calls = fields.optional("dependencies").map_or(Ok(Vec::new()), |field| field.list())?;
        if self.by_name.insert((service, method, url.clone()), self.endpoints.len()).is_some() {
            let name = names.get(service).map_or("", String::as_str);
            return Err(
                url_field.error(format!("the endpoint `{method} {url}` of `{name}` is defined twice"))
            );
        }
        self.endpoints.push(Endpoint { service, method, url, error_rate, dependencies: Vec::new() });
        self.calls.push(calls);
        Ok(())
    }
}

/// The endpoint that a call names.
fn resolve(call: &Field<'_>, services: &[String], endpoints: &[Endpoint]) -> Result<usize> {
    let fields = call.fields(&["serviceName", "relativeUrl", "httpMethod"])?;
    let service_field = fields.required("serviceName")?;
    let service_name = service_field.text()?;
    let Some(service) = services.iter().position(|name| name == service_name) else {
        return Err(service_field
            .error(format!(
                "`{}` names the service `{service_name}`, which is not defined",
                service_field.path()
            ))
            .hint(nearest_hint(service_name, services.iter().map(String::as_str))));
    };
    let url_field = fields.required("relativeUrl")?;
    let url = url_field.text()?;
    let method = fields.required("httpMethod")?.one_of(METHODS)?;
    let is_meant =
        |endpoint: &Endpoint| endpoint.service == service && endpoint.method == method && endpoint.url == url;
    endpoints.iter().position(is_meant).ok_or_else(|| {
        let wanted = format!("{method} {url}");
        let own = endpoints.iter().filter(|endpoint| endpoint.service == service);
        let known: Vec<String> =
            own.map(|endpoint| format!("{} {}", endpoint.method, endpoint.url)).collect();
        url_field
            .error(format!("the service `{service_name}` has no endpoint `{wanted}`"))
            .hint(nearest_hint(&wanted, known.iter().map(String::as_str)))
    })
}

fn load_items(fields: &Fields<'_>, services: &[String], endpoints: &[Endpoint]) -> Result<Vec<LoadItem>> {
    let item = |field: &Field<'_>| -> Result<LoadItem> {
        let item = field.fields(&["userAgent", "userAddress", "remoteUser", "call"])?;
        let agent = item.required("userAgent")?;
        let agent_text = agent.words()?;
        if agent_text.contains('"') {
            return Err(agent
                .error(format!("`{}` must not hold quotes", agent.path()))
                .why("it would break the columns of the log line"));
        }
        Ok(LoadItem {
            agent: agent_text.to_owned(),
            address: item.required("userAddress")?.token()?.to_owned(),
            user: item.required("remoteUser")?.token()?.to_owned(),
            endpoint: resolve(&item.required("call")?, services, endpoints)?,
        })
    };
    fields.required("loadItems")?.filled_list()?.iter().map(item).collect()
}

/// Follows every chain of calls to its end.
fn refuse_circles(services: &[String], directory: &Directory<'_>) -> Result<()> {
    let mut search =
        Search { services, directory, done: vec![false; directory.endpoints.len()], chain: Vec::new() };
    (0..directory.endpoints.len()).try_for_each(|endpoint| search.visit(endpoint))
}

struct Search<'a> {
    services: &'a [String],
    directory: &'a Directory<'a>,
    done: Vec<bool>,
    chain: Vec<usize>,
}

impl Search<'_> {
    fn visit(&mut self, endpoint: usize) -> Result<()> {
        if self.done[endpoint] {
            return Ok(());
        }
        self.chain.push(endpoint);
        for (target, field) in
            self.directory.endpoints[endpoint].dependencies.iter().zip(&self.directory.calls[endpoint])
        {
            if let Some(from) = self.chain.iter().position(|link| link == target) {
                let circle = self.chain[from..].iter().chain([target]);
                let circle: Vec<String> = circle.map(|link| self.name(*link)).collect();
                return Err(field
                    .error(format!("the endpoint `{}` calls itself", self.name(*target)))
                    .why(shortened(&circle))
                    .hint("remove one of these dependencies"));
            }
            if self.chain.len() >= MAX_DEPTH {
                return Err(field.error(format!("calls are nested more than {MAX_DEPTH} deep")));
            }
            self.visit(*target)?;
        }
        self.chain.pop();
        self.done[endpoint] = true;
        Ok(())
    }

    fn name(&self, endpoint: usize) -> String {
        let Endpoint { service, method, url, .. } = &self.directory.endpoints[endpoint];
        format!("{} {method} {url}", self.services[*service])
    }
}

/// A circle of calls, cut to what a reader takes in.
fn shortened(circle: &[String]) -> String {
    match circle {
        [first, second, .., last] if circle.len() > 6 => {
            format!("{first} -> {second} -> … ({} more) -> {last}", circle.len() - 3)
        }
        _ => circle.join(" -> "),
    }
}
