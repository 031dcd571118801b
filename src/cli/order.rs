//! `rota drain | undrain | up | down | auto | weight | shift`: what an operator says of nodes.
//!
//! All of them are one form to a running server with another wish in it, and all answer alike: what
//! holds now, what holds no more, and where something narrower holds still.

use std::path::Path;

use anyhow::bail;
use humantime::Duration;

use crate::admin::docs::{ChangeForm, ChangedDoc, OverrideDoc, Wish};

use super::Exit;
use super::client::{Client, ServerArgs};
use super::page::age;
use super::wait::{WaitArgs, wait};

/// Whom an order is about, and how.
#[derive(clap::Args, Debug)]
pub struct OrderArgs {
    /// Nodes, pools or services by name, address or id, or a pattern with *
    #[arg(value_name = "NODE", required = true)]
    pub scopes: Vec<String>,

    /// How it is given.
    #[command(flatten)]
    pub how: HowArgs,
}

/// Whom an order takes out of the answers, and how.
#[derive(clap::Args, Debug)]
pub struct OutArgs {
    /// Whom it is about, and how.
    #[command(flatten)]
    pub order: OrderArgs,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// Whom an order is about that lifts others.
#[derive(clap::Args, Debug)]
pub struct LiftArgs {
    /// Nodes, pools or services by name, address or id, or a pattern with *
    #[arg(value_name = "NODE", required = true)]
    pub scopes: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Arguments of `rota weight`.
#[derive(clap::Args, Debug)]
pub struct WeightArgs {
    /// Nodes, pools or services by name, address or id, or a pattern with *
    #[arg(value_name = "NODE", required = true)]
    pub scopes: Vec<String>,

    /// What each of the nodes weighs from now on; 0 is answered only where there are no others
    #[arg(value_name = "WEIGHT")]
    pub weight: u16,

    /// How it is given.
    #[command(flatten)]
    pub how: HowArgs,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// Arguments of `rota shift`.
#[derive(clap::Args, Debug)]
pub struct ShiftArgs {
    /// The service, by name or id
    pub service: String,

    /// What part of all clients each pool gets in percent; 100 together, and none for the others
    #[arg(value_name = "POOL=SHARE", required = true, value_parser = share)]
    pub shares: Vec<(String, u8)>,

    /// How it is given.
    #[command(flatten)]
    pub how: HowArgs,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// How an order is given.
#[derive(clap::Args, Debug)]
pub struct HowArgs {
    /// Why, for whoever looks at the board
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// For how long, such as 30m or 2h; else until it is lifted
    #[arg(long = "for", value_name = "TIME")]
    pub duration: Option<Duration>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Says something of nodes.
pub async fn order(args: &OrderArgs, set: Wish, config: Option<&Path>) -> anyhow::Result<Exit> {
    let form = form(&args.scopes, set, &args.how);
    send(form, &args.how.server, args.how.json, None, config).await
}

/// Takes nodes out of the answers.
pub async fn take_out(args: &OutArgs, set: Wish, config: Option<&Path>) -> anyhow::Result<Exit> {
    let OutArgs { order, wait } = args;
    let form = form(&order.scopes, set, &order.how);
    send(form, &order.how.server, order.how.json, Some(wait), config).await
}

/// Lifts what was said of nodes.
pub async fn lift(args: &LiftArgs, set: Wish, config: Option<&Path>) -> anyhow::Result<Exit> {
    let form = ChangeForm {
        scopes: args.scopes.clone(),
        set,
        reason: None,
        author: author(),
        for_seconds: None,
    };
    send(form, &args.server, args.json, None, config).await
}

/// Gives nodes another weight.
pub async fn weight(args: &WeightArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    if args.wait.wait.is_some() && args.weight > 0 {
        bail!("only weight 0 takes nodes out of the answers: there is nothing to wait for");
    }
    let form = form(&args.scopes, Wish::Weight(args.weight), &args.how);
    send(form, &args.how.server, args.how.json, Some(&args.wait), config).await
}

/// Gives the pools of a split service other shares.
pub async fn shift(args: &ShiftArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let shares = args.shares.iter().cloned().collect();
    let form = form(std::slice::from_ref(&args.service), Wish::Shares(shares), &args.how);
    send(form, &args.how.server, args.how.json, Some(&args.wait), config).await
}

fn form(scopes: &[String], set: Wish, how: &HowArgs) -> ChangeForm {
    ChangeForm {
        scopes: scopes.to_vec(),
        set,
        reason: how.reason.clone(),
        author: author(),
        for_seconds: how.duration.map(|time| time.as_secs().max(1)),
    }
}

/// Who types this.
fn author() -> Option<String> {
    ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()))
}

async fn send(
    form: ChangeForm,
    server: &ServerArgs,
    json: bool,
    args: Option<&WaitArgs>,
    config: Option<&Path>,
) -> anyhow::Result<Exit> {
    let client = Client::new(server, config)?;
    let changed: ChangedDoc = client.post("/api/v1/overrides", &form).await?;
    if !json {
        super::print(layout(&changed, &form.set).trim_end());
    }
    if let Some((args, share)) = args.and_then(|args| Some((args, args.wait?))) {
        return wait(changed, share, args, &client, json).await;
    }
    if json {
        super::print(&serde_json::to_string_pretty(&changed)?);
    }
    let nothing = changed.given.is_empty() && changed.lifted.is_empty();
    Ok(if nothing { Exit::Found } else { Exit::Good })
}

fn layout(changed: &ChangedDoc, wish: &Wish) -> String {
    let mut lines = Vec::new();
    for one in &changed.given {
        let left = one.until.map(|until| until.saturating_sub(one.since));
        let time = match left {
            Some(seconds) => format!("for {}", age(std::time::Duration::from_secs(seconds))),
            None => "until it is lifted".to_owned(),
        };
        lines.push(format!("{}: {} ({}), {time}", one.scope, one.says, nodes(one)));
    }
    for one in &changed.lifted {
        let reason = one.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        lines.push(format!("{}: {} of {}{reason} is lifted", one.scope, one.says, one.author));
    }
    if lines.is_empty() {
        let what = if *wish == Wish::Undrain { "drained" } else { "overridden" };
        lines.push(format!("nothing there is {what}; rota status lists what is"));
    }
    for one in &changed.outranked {
        let by = &one.by;
        let text = format!("{}: {} of {} holds still ({})", one.node, by.says, by.author, by.scope);
        lines.push(format!("  but {text}"));
    }
    lines.join("\n")
}

fn nodes(one: &OverrideDoc) -> String {
    match one.nodes {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    }
}

/// `eu=90`.
fn share(text: &str) -> Result<(String, u8), String> {
    let wrong = || "write a pool and its share in percent, such as eu=90".to_owned();
    let (pool, share) = text.split_once('=').ok_or_else(wrong)?;
    let share = share.trim_end_matches('%').parse().ok().filter(|share| *share <= 100);
    Ok((pool.to_owned(), share.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::docs::{OutrankedDoc, Says};

    fn doc(scope: &str, says: Says, until: Option<u64>) -> OverrideDoc {
        let reason = until.is_none().then(|| "kernel update".to_owned());
        let (scope, author) = (scope.to_owned(), "ada".to_owned());
        OverrideDoc { id: 1, scope, says, reason, author, since: 100, until, nodes: 2 }
    }

    #[test]
    fn a_change_is_told_in_a_line_each() {
        let narrow = doc("lb.test/app/eu/eu1", Says::Up, None);
        let changed = ChangedDoc {
            given: vec![doc("lb.test/app/eu", Says::Drain, Some(7300))],
            lifted: vec![doc("eu*", Says::Weight(3), None)],
            outranked: vec![OutrankedDoc { node: "lb.test/app/eu/eu1".to_owned(), by: narrow }],
        };
        assert_eq!(
            layout(&changed, &Wish::Drain),
            "lb.test/app/eu: drain (2 nodes), for 2h00\n\
             eu*: weight 3 of ada (kernel update) is lifted\n  \
             but lb.test/app/eu/eu1: up of ada holds still (lb.test/app/eu/eu1)"
        );
        assert_eq!(
            layout(&ChangedDoc::default(), &Wish::Undrain),
            "nothing there is drained; rota status lists what is"
        );
    }

    #[test]
    fn shares_are_read() {
        assert_eq!(share("eu=90"), Ok(("eu".to_owned(), 90)));
        assert_eq!(share("eu=90%"), Ok(("eu".to_owned(), 90)));
        for wrong in ["eu", "eu=", "eu=101", "eu=-1"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
