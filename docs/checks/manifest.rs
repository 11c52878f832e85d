//! What a crate's `Cargo.toml` says.

use toml::{Table, Value};

use crate::workspace;

/// The keys a dependency may have in a crate's manifest: the version stands in the root.
const DEPENDENCY_KEYS: [&str; 3] = ["features", "optional", "workspace"];

/// A crate's manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The crate's folder, from the root.
    pub folder: String,
    /// The package's name.
    pub name: String,
    table: Table,
}

impl Manifest {
    /// Reads the manifest of the crate in `folder`.
    ///
    /// # Panics
    /// When it is missing or is not a package's manifest.
    pub fn of(folder: &str) -> Manifest {
        let path = format!("{folder}/Cargo.toml");
        let table: Table = workspace::read(&path).parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let name = table["package"]["name"].as_str().expect("a package has a name").to_owned();
        Manifest { folder: folder.to_owned(), name, table }
    }

    /// The manifests of all members.
    pub fn all() -> Vec<Manifest> {
        workspace::members().iter().map(|folder| Manifest::of(folder)).collect()
    }

    /// Names of the workspace's other crates that this one depends on, in the table `kind` (`dependencies`, `dev-dependencies`).
    pub fn edges(&self, kind: &str) -> Vec<String> {
        self.dependencies(kind)
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("tally-") && *name != self.name)
            .collect()
    }

    /// The dependencies whose version or path is not the workspace's, each as `kind.name`.
    pub fn own_versions(&self) -> Vec<String> {
        let mut found = Vec::new();
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in self.dependencies(kind) {
                // A crate's tests may switch on a feature of the crate itself.
                if name != self.name && !comes_from_workspace(&value) {
                    found.push(format!("{kind}.{name}"));
                }
            }
        }
        found
    }

    /// Whether the lints are the workspace's.
    pub fn has_workspace_lints(&self) -> bool {
        self.table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true)
    }

    /// The dependencies of one kind, those for particular targets included.
    fn dependencies(&self, kind: &str) -> Vec<(String, Value)> {
        let mut tables: Vec<&Table> = self.table.get(kind).and_then(Value::as_table).into_iter().collect();
        if let Some(targets) = self.table.get("target").and_then(Value::as_table) {
            let of_targets = targets.values().filter_map(|target| target.get(kind)?.as_table());
            tables.extend(of_targets);
        }
        tables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn comes_from_workspace(dependency: &Value) -> bool {
    let Some(table) = dependency.as_table() else {
        return false;
    };
    table.get("workspace").and_then(Value::as_bool) == Some(true)
        && table.keys().all(|key| DEPENDENCY_KEYS.contains(&key.as_str()))
}
