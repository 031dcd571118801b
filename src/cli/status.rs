//! `rota status`: how everything stands, once or again and again.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use crate::admin::docs::{ServiceDoc, StatusDoc};
use crate::admin::shares::{Shares, Window};

use super::Exit;
use super::client::{Client, ServerArgs};
use super::screen::{self, Screen};
use super::status_board::render;

/// Between two looks.
const REDRAW: Duration = Duration::from_secs(1);
/// Columns where nobody looks through a window: in a pipe or a file.
const WIDTH_UNBOUNDED: usize = 1000;

/// Arguments of `rota status`.
#[derive(clap::Args, Debug)]
pub struct StatusArgs {
    /// Only services with one of these in their id or name
    #[arg(value_name = "SERVICE")]
    pub only: Vec<String>,

    /// Look again and again, until stopped
    #[arg(short, long, conflicts_with = "json")]
    pub watch: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Shows the board; finds something where a service is not answered as it should.
pub async fn run(args: &StatusArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let client = Client::new(&args.server, config)?;
    let terminal = std::io::stdout().is_terminal();
    if args.watch && terminal {
        let stop = super::stop_signal()?;
        tokio::select! {
            () = watch(args, &client) => {}
            () = stop => {}
        }
        return Ok(Exit::Good);
    }
    let mut looks = tokio::time::interval(REDRAW);
    loop {
        looks.tick().await;
        let status = look(args, &client).await?;
        let text = if args.json {
            serde_json::to_string_pretty(&status)?
        } else {
            let (width, colour) = match terminal {
                true => (screen::size().0, screen::colours()),
                false => (WIDTH_UNBOUNDED, false),
            };
            render(&status, &since_start(&status), width, colour)
        };
        super::print(text.trim_end());
        if !args.watch {
            return Ok(verdict(&status));
        }
    }
}

/// Draws until dropped; a server that restarts is waited for.
async fn watch(args: &StatusArgs, client: &Client) {
    let mut screen = Screen::default();
    let mut windows: HashMap<String, Window> = HashMap::new();
    let mut looks = tokio::time::interval(REDRAW);
    loop {
        looks.tick().await;
        let status = match look(args, client).await {
            Ok(status) => status,
            Err(error) => {
                screen.draw(&format!("  {error:#}\n"));
                continue;
            }
        };
        let now = super::show::now();
        let mut share = |service: &ServiceDoc| {
            windows.entry(service.id.clone()).or_default().note(now, service.firsts())
        };
        let shares: Vec<Shares> = status.services.iter().map(&mut share).collect();
        screen.draw(&render(&status, &shares, screen::size().0, screen::colours()));
    }
}

async fn look(args: &StatusArgs, client: &Client) -> anyhow::Result<StatusDoc> {
    let mut status: StatusDoc = client.get("/api/v1/status").await?;
    let meant = |service: &ServiceDoc| {
        args.only.iter().any(|only| service.id.contains(only) || service.owner.contains(only))
    };
    if !args.only.is_empty() {
        status.services.retain(meant);
        if status.services.is_empty() {
            let only = args.only.join(" or ");
            bail!("no service has {only} in its id or name\n      rota status lists all there is");
        }
    }
    Ok(status)
}

/// Shares of all answers since the process started.
fn since_start(status: &StatusDoc) -> Vec<Shares> {
    let seconds = status.now.saturating_sub(status.started).max(1);
    let shares = |service: &ServiceDoc| {
        let firsts = service.firsts();
        let sum: u64 = firsts.iter().sum();
        let of = firsts.iter().map(|&first| (sum > 0).then(|| first as f64 / sum as f64));
        Shares { per_second: sum as f64 / seconds as f64, of: of.collect() }
    };
    status.services.iter().map(shares).collect()
}

fn verdict(status: &StatusDoc) -> Exit {
    let families = status.services.iter().flat_map(|service| &service.families);
    let served = families.into_iter().all(|it| it.row == "serving" && it.panicking.is_empty());
    let zones = status.zones.iter().all(|zone| zone.served);
    let silent = status.notices.is_empty() && status.suspect.is_none();
    let proven = !status.certificates.iter().any(|certificate| certificate.near);
    if served && zones && silent && proven { Exit::Good } else { Exit::Found }
}
