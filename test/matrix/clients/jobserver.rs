//! Runs a command many times, each with a token that the `jobserver` crate gets in one of its ways.
//!
//! usage: jobserver (acquire|try_acquire|release_raw|helper|configure) N COMMAND [ARGUMENT...]

#![allow(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io::{Error, Result};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jobserver::{Acquired, Client};

/// What one job is.
#[derive(Clone)]
struct Job(Vec<OsString>);

impl Job {
    /// Runs it in a thread, which has a token and drops it: one thread reads, another writes.
    fn with(&self, token: Acquired) -> JoinHandle<Result<()>> {
        let job = self.clone();
        thread::spawn(move || {
            let result = job.run();
            drop(token);
            result
        })
    }

    fn run(&self) -> Result<()> {
        let status = Command::new(&self.0[0]).args(&self.0[1..]).status()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::other(format!("the job ended with {status}")))
    }
}

fn main() -> Result<()> {
    // SAFETY: nothing else in this program opens or closes descriptors before this.
    let found = unsafe { Client::from_env_ext(true) };
    let client = found.client.map_err(Error::other)?;
    let mut words = env::args_os().skip(1);
    let way = words.next().unwrap_or_default().into_string();
    let times = words.next().and_then(|word| word.to_str()?.parse().ok());
    let job = Job(words.collect());
    match (way.as_deref(), times) {
        (Ok("acquire"), Some(times)) => acquire(&client, times, &job),
        (Ok("try_acquire"), Some(times)) => try_acquire(&client, times, &job),
        (Ok("release_raw"), Some(times)) => release_raw(&client, times, &job),
        (Ok("helper"), Some(times)) => helper(client, times, &job),
        (Ok("configure"), Some(times)) => configure(&client, times, &job),
        _ => Err(Error::other("a way, a number and a command are wanted")),
    }
}

/// Every token is waited for.
fn acquire(client: &Client, times: usize, job: &Job) -> Result<()> {
    let started: Result<Vec<_>> = (0..times)
        .map(|_| client.acquire().map(|token| job.with(token)))
        .collect();
    join(started?)
}

/// No token is waited for.
fn try_acquire(client: &Client, times: usize, job: &Job) -> Result<()> {
    let mut started = Vec::new();
    while started.len() < times {
        match client.try_acquire()? {
            Some(token) => started.push(job.with(token)),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
    join(started)
}

/// Tokens without an owner; first and last the one that this process was started with, which it
/// gives back though it never read it.
fn release_raw(client: &Client, times: usize, job: &Job) -> Result<()> {
    client.release_raw()?;
    let mut started = Vec::new();
    for _ in 0..times {
        client.acquire_raw()?;
        let (client, job) = (client.clone(), job.clone());
        started.push(thread::spawn(move || {
            let result = job.run();
            client.release_raw().and(result)
        }));
    }
    join(started)?;
    client.acquire_raw()
}

/// A thread of the crate waits, and is ended while it does.
fn helper(client: Client, times: usize, job: &Job) -> Result<()> {
    let (sender, tokens) = channel();
    let helper = client.into_helper_thread(move |token| {
        // Nobody takes the token that was asked for too much.
        let _ = sender.send(token);
    })?;
    (0..times * 2).for_each(|_| helper.request_token());
    let mut started = Vec::new();
    for token in tokens.iter().take(times) {
        started.push(job.with(token?));
    }
    drop(helper);
    join(started)
}

/// A child finds the pool by what the crate tells it.
fn configure(client: &Client, times: usize, job: &Job) -> Result<()> {
    let mut child = Command::new(env::current_exe()?);
    child.env_remove("MAKEFLAGS");
    client.configure(&mut child);
    child.arg("acquire").arg(times.to_string()).args(&job.0);
    let status = child.status()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| Error::other("the child failed"))
}

fn join(started: Vec<JoinHandle<Result<()>>>) -> Result<()> {
    started
        .into_iter()
        .try_for_each(|each| each.join().map_err(|_| Error::other("a job panicked"))?)
}
