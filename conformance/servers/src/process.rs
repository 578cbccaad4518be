//! Starting and ending processes.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, geteuid, kill_process};

/// What a process is sent.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Ends it at once.
    Kill,
    /// Makes it stand still.
    Stop,
    /// Lets it go on.
    Continue,
}

/// Sends a signal to a child that was not waited for yet.
pub fn signal(child: &Child, signal: Signal) {
    let signal = match signal {
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Stop => rustix::process::Signal::STOP,
        Signal::Continue => rustix::process::Signal::CONT,
    };
    send(child, signal);
}

fn send(child: &Child, signal: rustix::process::Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// No start takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Below the ports that the kernel gives to those who connect: while a server is down,
/// one of its clients could be given the server's own port, and keep it.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// A port of loopback that nobody listens on now, and that the kernel gives to nobody who
/// connects.
pub fn free_port() -> u16 {
    loop {
        let number = RandomState::new().hash_one(());
        let port = PORTS.start + (number % PORTS.len() as u64) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Runs `program` in `folder`, as `user` where we are root.
pub(crate) fn command(program: &Path, user: &str, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if geteuid().is_root() {
        command.args([
            format!("--reuid={user}"),
            format!("--regid={user}"),
            "--clear-groups".to_owned(),
        ]);
    }
    command.args(["--pdeathsig", "INT", "--"]);
    command.arg(program).current_dir(folder);
    command.stdin(Stdio::null());
    command
}

/// Starts a server. It ends with this process: the kernel sends it the signal when the
/// thread that started it ends, so that thread stays.
pub(crate) fn spawn(mut command: Command, log: &Path) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    let (started, start) = mpsc::channel();
    thread::spawn(move || {
        started.send(command.spawn()).unwrap();
        loop {
            thread::park();
        }
    });
    start
        .recv()
        .unwrap()
        .expect("`setpriv` of util-linux runs the servers")
}

/// The processes that a process has started, as the kernel shows them in `/proc`.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse().ok());
    pids.filter(|pid| state_and_parent(*pid).is_some_and(|(_, of)| of == parent))
        .collect()
}

/// Whether there is such a process, and it has not ended.
pub(crate) fn runs(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// Ends a process at once, unless it has ended.
pub(crate) fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(pid, rustix::process::Signal::KILL);
}

fn state_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in brackets, and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.to_owned();
    Some((state, fields.next()?.parse().ok()?))
}

/// Ends a server as its operator would, so that it leaves nothing behind. Redis forgets what
/// it is told while it writes its first file as a replica: it is told again.
pub(crate) fn end(child: &mut Option<Child>) {
    let told_at_most = 100;
    for time in 1..=told_at_most {
        if has_ended(child) {
            *child = None;
        }
        let Some(running) = child else { return };
        send(
            running,
            match time < told_at_most {
                true => rustix::process::Signal::INT,
                false => rustix::process::Signal::KILL,
            },
        );
        let give_up_at = Instant::now() + Duration::from_millis(200);
        while !has_ended(child) && Instant::now() < give_up_at {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether there is no process, or none any more.
pub(crate) fn has_ended(child: &mut Option<Child>) -> bool {
    let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
    child.as_mut().is_none_or(ended)
}

/// Runs a tool to its end.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Asks until the answer is yes.
pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// The program, from the search path or one of these folders.
pub(crate) fn find(program: &str, folders: &[PathBuf]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed: `make servers` installs it"))
}
