//! The page of all commands is what their help says.

use std::fmt::Write;

use clap::CommandFactory;
use rota::cli::Cli;

/// As wide as a page shows without scrolling, in columns.
const WIDTH: usize = 88;

#[test]
fn the_page_of_all_commands_is_their_help() {
    let mut rota = Cli::command().term_width(WIDTH);
    rota.build();
    let mut page =
        "# Every command\n\nWhat `rota help` says of each; `rota man` writes the same as \
                    pages for `man`.\n\n## rota\n\n"
            .to_owned();
    writeln!(page, "```text\n{}\n```", rota.render_long_help().to_string().trim_end()).unwrap();
    for verb in rota.get_subcommands_mut().filter(|verb| !verb.is_hide_set()) {
        let help = verb.render_long_help().to_string();
        let name = verb.get_name();
        if name != "help" {
            writeln!(page, "\n## rota {name}\n\n```text\n{}\n```", help.trim_end()).unwrap();
        }
    }
    super::compare("docs/commands.md", &page);
}
