//! Where a stack keeps its files: one place for `up`, another for the end-to-end tests, side by side in one checkout.

use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of one stack.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    root: PathBuf,
    state: PathBuf,
    run: PathBuf,
}

impl Place {
    /// That of `./dev up` in this checkout.
    pub(crate) fn of_checkout() -> Result<Self> {
        let root = checkout()?;
        let local = root.join(".local");
        Ok(Self { root, state: local.join("state"), run: local.join("run") })
    }

    /// That of the end-to-end tests in this checkout.
    pub(crate) fn of_tests() -> Result<Self> {
        let root = checkout()?;
        let local = root.join(".local/test-e2e");
        Ok(Self { root, state: local.join("state"), run: local.join("run") })
    }

    /// One below a folder of its own.
    #[cfg(test)]
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), state: root.join("state"), run: root.join("run") }
    }

    /// The checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Tools, shared by every place of the checkout.
    pub(crate) fn local(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// What outlives a stop: the emulator's state.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// What belongs to one run: process ids, logs, the environment.
    pub(crate) fn run(&self) -> &Path {
        &self.run
    }

    /// What the emulator and the functions write.
    pub(crate) fn logs(&self) -> PathBuf {
        self.run.join("logs")
    }

    /// What the steps of starting wrote: the package installers, the deployment.
    pub(crate) fn step_log(&self, step: &str) -> PathBuf {
        self.run.join("steps").join(format!("{step}.log"))
    }

    /// A program of the Python environment.
    pub(crate) fn venv_program(&self, name: &str) -> PathBuf {
        self.local().join("venv/bin").join(name)
    }

    /// Where the functions are put together as they are uploaded; the template names it, whatever cargo's target folder is.
    pub(crate) fn staged(&self, function: &str) -> PathBuf {
        self.root.join("target/lambda").join(function)
    }

    /// The file that hands functions over to `./dev watch`.
    pub(crate) fn proxies(&self) -> PathBuf {
        self.run.join("proxies.json")
    }
}

/// Cargo says where the crate is, which is right even when one target folder serves several checkouts.
fn checkout() -> Result<PathBuf> {
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = crate_folder.parent().context("the xtask crate has no folder above it")?;
    fs::canonicalize(root).with_context(|| format!("the checkout {} is gone", root.display()))
}
