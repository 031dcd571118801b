//! `rota reload`: a running server reads its configuration anew, and says what came of it.

use std::path::Path;

use crate::admin::docs::ReloadedDoc;

use super::Exit;
use super::client::{Client, ServerArgs};

/// Arguments of `rota reload`.
#[derive(clap::Args, Debug)]
pub struct ReloadArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Reloads, and finds something where not all of the new configuration is in force.
pub async fn run(args: &ReloadArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let client = Client::new(&args.server, config)?;
    let told: ReloadedDoc = client.post("/api/v1/reload", &()).await?;
    if args.json {
        super::print(&serde_json::to_string_pretty(&told)?);
    } else {
        for diagnostic in &told.diagnostics {
            super::print(&diagnostic.text);
        }
        for zone in &told.kept {
            super::print(&format!("{zone} has errors: its old version stays in force"));
        }
        super::print(match told.applied {
            true => "reloaded",
            false => "refused: the old configuration stays in force",
        });
    }
    let sound = told.applied && !told.diagnostics.iter().any(|diagnostic| diagnostic.error);
    Ok(if sound { Exit::Good } else { Exit::Found })
}
