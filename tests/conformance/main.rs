//! What the RFCs say an answer is, as scenario files: zones in master-file form, then questions with
//! the answers they must get.
//!
//! ```text
//! zone example.                     a zone; its master file follows, indented
//!   @ 3600 SOA …
//! trust 192.0.2.0/24                whose client subnets count, from here on: `nobody`, `everyone`
//! ask host3.example. MX             a question over UDP; words may follow
//!   NOERROR aa                      response code and flags
//!   answer host3.example. 3600 MX 10 host1.example.
//! ```
//!
//! The words: `tcp`, `edns=1232` for an OPT record, and in the record `option=3:6e73` for an option
//! by its number and data, of which more may stand. `option` lines say which ones must come back.
//!
//! Sections are compared as sets, since order is free; every record must be there and no other.
//! Each file names the section of the RFC that it holds Rota to. What goes in is our own master
//! file reader and answer path; what comes out is read by the `domain` library.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "any time will do")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use domain::base::iana::{Class, OptionCode, Rcode};
use domain::base::opt::UnknownOptData;
use domain::base::{Message, MessageBuilder, Name as DomainName, ParsedName, Rtype};
use domain::dep::octseq::OctetsBuilder;
use domain::rdata::AllRecordData;
use rota::geo::Network;
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::settings::EcsFrom;
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::Unchecked;
use rota::wire::Name;
use rota::zone::{Source, diagnostic, masterfile};

/// One question of a scenario.
struct Question {
    line: usize,
    name: String,
    rtype: String,
    options: Vec<String>,
    /// Whose client subnets count.
    ecs: EcsFrom,
    expected: BTreeSet<String>,
    /// Response code and flags.
    head: String,
}

struct Scenario {
    zones: Vec<(String, String)>,
    questions: Vec<Question>,
}

#[test]
fn answers_are_what_the_rfcs_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "scenario"));
    files.sort();
    let (mut asked, mut wrong) = (0, String::new());
    for file in &files {
        let scenario = parse(&std::fs::read_to_string(file).unwrap());
        let authored = read(&scenario.zones, file);
        let mut publisher = Publisher::new();
        let mut worker = Worker::new(1);
        for question in &scenario.questions {
            asked += 1;
            let settings = Settings { ecs: question.ecs.clone(), ..Settings::default() };
            publisher.publish(&authored, settings, &Unchecked);
            let found = ask(question, &publisher, &mut worker);
            let mut expected = question.expected.clone();
            expected.insert(question.head.clone());
            if found != expected {
                let name = file.file_name().unwrap().to_string_lossy();
                writeln!(
                    wrong,
                    "{name}:{}: {} {}\n  expected {expected:#?}\n  found {found:#?}",
                    question.line, question.name, question.rtype
                )
                .unwrap();
            }
        }
    }
    assert!(asked > 50, "only {asked} questions in {} files", files.len());
    assert!(wrong.is_empty(), "{wrong}");
}

fn parse(text: &str) -> Scenario {
    let mut scenario = Scenario { zones: Vec::new(), questions: Vec::new() };
    let mut in_zone = false;
    let mut ecs = EcsFrom::Everyone;
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["zone", apex] => {
                scenario.zones.push(((*apex).to_owned(), String::new()));
                in_zone = true;
            }
            ["trust", whom] => {
                in_zone = false;
                ecs = match *whom {
                    "everyone" => EcsFrom::Everyone,
                    "nobody" => EcsFrom::Nobody,
                    network => EcsFrom::Networks([Network::parse(network).unwrap()].into()),
                };
            }
            ["ask", name, rtype, options @ ..] => {
                in_zone = false;
                scenario.questions.push(Question {
                    line: at + 1,
                    name: (*name).to_owned(),
                    rtype: (*rtype).to_owned(),
                    options: options.iter().map(|option| (*option).to_owned()).collect(),
                    ecs: ecs.clone(),
                    expected: BTreeSet::new(),
                    head: String::new(),
                });
            }
            _ if in_zone => {
                let zone = scenario.zones.last_mut().expect("a zone was begun");
                // Two columns of indentation belong to the scenario; a further one is an owner
                // left out.
                zone.1 += line.strip_prefix("  ").unwrap_or(line);
                zone.1.push('\n');
            }
            words => {
                let question = scenario.questions.last_mut().expect("a question was asked");
                let text = words.join(" ");
                if question.head.is_empty() {
                    question.head = text;
                } else {
                    question.expected.insert(text);
                }
            }
        }
    }
    scenario
}

fn read(zones: &[(String, String)], file: &Path) -> Vec<Authored> {
    let mut authored = Vec::new();
    for (apex, text) in zones {
        let source = Arc::new(Source { path: file.display().to_string(), text: text.clone() });
        let mut diagnostics = Vec::new();
        let mut none = |_: &str| Err(String::from("scenarios include nothing"));
        let apex = Name::from_text(apex).unwrap();
        let read = masterfile::parse(&source, &apex, &mut none, &mut diagnostics);
        assert!(!diagnostic::has_errors(&diagnostics), "{}: {diagnostics:#?}", file.display());
        let model = ZoneModel { records: read.records.finish(), services: Vec::new() };
        authored.push(Authored::Good(Arc::new(model)));
    }
    authored
}

/// Response code and flags, and each record with the section it stands in.
fn ask(question: &Question, publisher: &Publisher, worker: &mut Worker) -> BTreeSet<String> {
    let name: DomainName<Vec<u8>> = question.name.parse().unwrap();
    let rtype: Rtype = question.rtype.parse().unwrap();
    let mut builder = MessageBuilder::new_vec().question();
    builder.push((&name, rtype, Class::IN)).unwrap();
    let mut builder = builder.additional();
    let mut transport = Transport::Udp;
    let (mut size, mut options) = (None, Vec::new());
    for option in &question.options {
        match option.split_once('=') {
            Some(("edns", text)) => size = Some(text.parse().unwrap()),
            Some(("option", text)) => {
                let (code, data) = text.split_once(':').expect("a number and hexadecimal data");
                options.push((OptionCode::from_int(code.parse().unwrap()), octets(data)));
            }
            _ if option == "tcp" => transport = Transport::Tcp,
            _ => panic!("line {}: no option {option}", question.line),
        }
    }
    if let Some(size) = size {
        builder
            .opt(|opt| {
                opt.set_udp_payload_size(size);
                options.iter().try_for_each(|(code, data)| {
                    opt.push_raw_option(*code, data.len() as u16, |to| to.append_slice(data))
                })
            })
            .unwrap();
    }
    let query = builder.finish();
    let snapshot = publisher.current().load();
    worker.begin_batch(&snapshot, Instant::now());
    let client = Client { addr: ([192, 0, 2, 99], 4000).into(), transport };
    let mut out = vec![0; 65_535];
    let action = respond(&query, &client, &snapshot, worker, &mut (), &mut out);
    let Action::Send(len) = action else { return BTreeSet::from([String::from("silence")]) };
    let message = Message::from_octets(&out[..len]).unwrap();
    assert_eq!(message.opt().is_some(), size.is_some(), "line {}", question.line);
    assert!(message.header().rcode() != Rcode::FORMERR || !options.is_empty(), "our question");
    show(&message)
}

/// Octets from hexadecimal digits.
fn octets(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

fn show(message: &Message<&[u8]>) -> BTreeSet<String> {
    let header = message.header();
    let mut head = header.rcode().to_string();
    for (set, flag) in [(header.aa(), " aa"), (header.tc(), " tc"), (header.ad(), " ad")] {
        if set {
            head += flag;
        }
    }
    assert!(header.qr() && !header.ra(), "a response that offers no recursion");
    let mut found = BTreeSet::from([head]);
    let sections = [
        ("answer", message.answer().unwrap()),
        ("authority", message.authority().unwrap()),
        ("additional", message.additional().unwrap()),
    ];
    for (section, records) in sections {
        for record in records {
            let record = record.unwrap();
            if record.rtype() == Rtype::OPT {
                continue;
            }
            let record = record
                .to_any_record::<AllRecordData<&[u8], ParsedName<&[u8]>>>()
                .expect("domain reads the RDATA");
            let line = format!(
                "{section} {}. {} {} {}",
                record.owner(),
                record.ttl().as_secs(),
                record.rtype(),
                record.data()
            );
            assert!(found.insert(line.clone()), "twice in one section: {line}");
        }
    }
    let opt = message.opt();
    for option in opt.iter().flat_map(|opt| opt.opt().iter::<UnknownOptData<_>>()) {
        let option = option.expect("whole options");
        let data: String = option.as_slice().iter().map(|octet| format!("{octet:02x}")).collect();
        found.insert(format!("option {}:{data}", option.code().to_int()));
    }
    found
}
