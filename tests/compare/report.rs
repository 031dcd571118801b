//! What a run says: each difference with all that is needed to see it again, and the counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use domain::base::Rtype;

use super::annotations::ANNOTATIONS;
use super::answer::Reply;
use super::generate::World;
use super::name::Name;
use super::question::Question;
use super::verdict::Replies;

/// Differences that are told in full; of the rest only what they are.
const TOLD_MAX: usize = 12;
/// Lines of zones that are shown beside one.
const LINES_MAX: usize = 40;
/// Records of one RRset among them.
const RRSET_MAX: usize = 3;

/// Everything that was counted.
#[derive(Default)]
pub struct Report {
    /// Starts of the four servers.
    pub worlds: usize,
    /// Those of them that not all servers took.
    pub worlds_unserved: usize,
    /// Zones in all worlds.
    pub zones: usize,
    /// Questions asked of all four.
    pub questions: usize,
    /// Answers that were compared over TCP because a datagram did not hold all of one.
    pub over_tcp: usize,
    /// How often each annotation explained a difference.
    pub annotated: [usize; ANNOTATIONS.len()],
    /// Differences in full, and how many there are of each kind.
    told: Vec<String>,
    kinds: BTreeMap<String, usize>,
    outcomes: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Notes a difference that nothing explains.
    pub fn difference(
        &mut self,
        world: &World,
        question: &Question,
        replies: &Replies,
        what: &str,
    ) {
        let shapes: Vec<String> = replies
            .0
            .iter()
            .map(|(voice, heard)| format!("{voice:?} {}", heard.reply.shape()))
            .collect();
        let odd = if question.is_decent() { String::new() } else { question.oddness() };
        let kind = format!("{what}{odd}: {}", shapes.join(" | "));
        let count = self.kinds.entry(kind).or_default();
        *count += 1;
        // Many of one kind would hide the others.
        if *count == 1 {
            self.told.push(tell(world, question, replies, what).expect("a string takes all"));
        }
    }

    /// Notes a world that not all servers took.
    pub fn unserved(&mut self, why: String) {
        self.worlds_unserved += 1;
        *self.kinds.entry(String::from("a world is not served")).or_default() += 1;
        self.told.insert(0, why);
    }

    /// Notes what Rota answered, whether right or wrong.
    pub fn answered(&mut self, rota: &Reply) {
        *self.outcomes.entry(rota.outcome()).or_default() += 1;
    }

    /// One difference of each kind in full.
    pub fn every_kind(&self) -> String {
        self.told.join("\n")
    }

    /// How many differences nothing explains.
    pub fn differences(&self) -> usize {
        self.kinds.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for told in self.told.iter().take(TOLD_MAX) {
            writeln!(f, "{told}")?;
        }
        for (kind, count) in &self.kinds {
            writeln!(f, "{count:7} × {kind}")?;
        }
        writeln!(f, "answered:")?;
        for (outcome, count) in &self.outcomes {
            writeln!(f, "{count:7} × {outcome}")?;
        }
        writeln!(f, "annotated:")?;
        for (annotation, used) in ANNOTATIONS.iter().zip(self.annotated) {
            writeln!(f, "{used:7} × {}\n          {}", annotation.what, annotation.why)?;
        }
        write!(
            f,
            "{} worlds, {} zones, {} questions ({} compared over TCP), {} annotated, {} differences",
            self.worlds,
            self.zones,
            self.questions,
            self.over_tcp,
            self.annotated.iter().sum::<usize>(),
            self.differences()
        )
    }
}

fn tell(
    world: &World,
    question: &Question,
    replies: &Replies,
    what: &str,
) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "--- {what}: {question}")?;
    writeln!(text, "    again: ROTA_COMPARE_SEED={} ROTA_COMPARE_ZONES=1", world.seed)?;
    let apexes: Vec<String> = world.zones.iter().map(|zone| zone.apex.to_string()).collect();
    writeln!(text, "    zones: {}", apexes.join(" "))?;
    for line in concerned(world, &question.name).iter().take(LINES_MAX) {
        writeln!(text, "    | {}", &line[..line.len().min(200)])?;
    }
    for (voice, heard) in &replies.0 {
        write!(text, "    {voice:?}: {}", heard.reply)?;
    }
    Ok(text)
}

/// The records that the answer to a name may depend on: those at names above it and at their
/// wildcards, at whatever these point at, and one below, which would make it exist.
fn concerned(world: &World, name: &Name) -> Vec<String> {
    let mut wanted: Vec<Name> = vec![name.folded()];
    let mut seen = BTreeSet::new();
    let mut rrsets: BTreeMap<(usize, Name, Rtype), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for (zone_at, zone) in world.zones.iter().enumerate() {
            let mut below = zone.records.iter().filter(|record| record.owner.is_at_or_under(&name));
            lines.extend(below.next().map(|record| format!("[{}] {record}", zone.apex)));
            for record in &zone.records {
                let owner = record.owner.folded();
                let stands_in = owner.is_wildcard()
                    && owner.parent().is_some_and(|above| name.is_at_or_under(&above));
                if !name.is_at_or_under(&owner) && !stands_in {
                    continue;
                }
                let count = rrsets.entry((zone_at, owner, record.rtype)).or_default();
                *count += 1;
                if *count <= RRSET_MAX {
                    lines.push(format!("[{}] {record}", zone.apex));
                }
                wanted.extend(record.target.as_ref().map(Name::folded));
            }
        }
    }
    let mut told = BTreeSet::new();
    lines.retain(|line| told.insert(line.clone()));
    lines
}
