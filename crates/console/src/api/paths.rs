//! The addresses of the API, by which requests are told apart where they are traced.

/// All of them, as the routes beside this file write them, with `/api` before.
const PATHS: [&str; 16] = [
    "/api/session",
    "/api/login",
    "/api/logout",
    "/api/do/{operation}",
    "/api/overview",
    "/api/events",
    "/api/rows",
    "/api/results/{run}",
    "/api/results/{run}/file",
    "/api/buckets",
    "/api/buckets/{name}",
    "/api/objects",
    "/api/object",
    "/api/preview",
    "/api/dashboards",
    "/api/dashboards/{name}",
];

/// The address that a path is one of.
pub(crate) fn route_of(path: &str) -> Option<&'static str> {
    PATHS.into_iter().find(|route| {
        let (mut parts, mut given) = (route.split('/'), path.split('/'));
        loop {
            match (parts.next(), given.next()) {
                (None, None) => return true,
                (Some(part), Some(given))
                    if part == given || (part.starts_with('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        for (path, route) in [
            ("/api/do/start-query", Some("/api/do/{operation}")),
            ("/api/results/x/file", Some("/api/results/{run}/file")),
            ("/api/results/", None),
            ("/api/rows/x", None),
            ("/api", None),
            ("/", None),
        ] {
            assert_eq!(route_of(path), route, "{path}");
        }
    }

    #[test]
    fn every_route_is_known() {
        let written = include_str!("mod.rs").lines().filter_map(|line| line.trim().strip_prefix(".route(\""));
        let routes: Vec<&str> = written.filter_map(|rest| rest.split('"').next()).collect();
        assert!(routes.len() >= PATHS.len(), "{routes:?}");
        for route in routes {
            assert!(PATHS.contains(&format!("/api{route}").as_str()), "{route}");
        }
    }
}
