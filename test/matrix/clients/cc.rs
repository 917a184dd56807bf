//! Compiles a directory of C files in parallel by the `cc` crate, as a build script would.
//!
//! usage: cc COMPILER DIRECTORY

use std::io::{Error, Result};
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<()> {
    let mut words = env::args_os().skip(1).map(PathBuf::from);
    let (Some(compiler), Some(directory)) = (words.next(), words.next()) else {
        return Err(Error::other("a compiler and a directory are wanted"));
    };
    let mut sources = fs::read_dir(&directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    sources.retain(|path| path.extension().is_some_and(|kind| kind == "c"));
    let host = "x86_64-unknown-linux-gnu";
    cc::Build::new()
        .compiler(compiler)
        .cargo_metadata(false)
        .host(host)
        .target(host)
        .opt_level(0)
        .out_dir(directory)
        .files(sources)
        .try_compile("tree")
        .map_err(Error::other)
}
