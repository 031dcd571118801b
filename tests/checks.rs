//! Checks as an operator writes them: what is understood, what is refused, what is shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rota::cli::report::report;
use rota::config::{Loaded, Readings, load, reload, render};
use rota::health::{Ask, BodyTest, Check, HttpAsk, Method, Pattern, TcpAsk, TlsAsk, Trust};
use rota::snapshot::Authored;
use rota::zone::diagnostic::has_errors;

/// A folder with a configuration of one zone, which is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rota-checks-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("zones/tls")).unwrap();
        let folder = Self(path);
        folder.write("rota.toml", "");
        folder
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    /// Loads a zone whose one service has this check; the check stands in line 3.
    fn load(&self, check: &str) -> Loaded {
        let zone = "[zone]\nns = [\"ns1 192.0.2.53\"]";
        let service = "[service.app]\nnodes = [\"192.0.2.1\"]\ncheck = \"c\"\n";
        self.write("zones/app.test.toml", &format!("{zone}\n[check.c]\n{check}\n{service}"));
        load(Some(&self.0.join("rota.toml")))
    }

    /// Problems, each without the folder's own path.
    fn said(&self, loaded: &Loaded) -> Vec<String> {
        let prefix = format!("{}/zones/app.test.toml:", self.0.display());
        loaded.diagnostics.iter().map(|one| one.to_string().replace(&prefix, "")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn the_check(loaded: &Loaded) -> Check {
    assert!(!has_errors(&loaded.diagnostics), "{}", render(&loaded.diagnostics, false));
    let Authored::Good(zone) = &loaded.zones[0] else { panic!("it has no errors") };
    let service = Arc::clone(&zone.services[0]);
    let target = service.targets().next().unwrap();
    target.check.clone()
}

#[track_caller]
fn http(loaded: &Loaded) -> HttpAsk {
    let Ask::Http(ask) = the_check(loaded).ask else { panic!("it asks over HTTP") };
    ask
}

/// Every problem of a check begins with its line, or line and column, and holds the words.
#[track_caller]
fn check_refused(folder: &Folder, check: &str, expected: &[&str]) {
    let said = folder.said(&folder.load(check));
    assert_eq!(said.len(), expected.len(), "{check}: {said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        let (place, words) = expected.split_once(": ").unwrap();
        assert!(said.starts_with(&format!("{place}:")), "{check}: {said}, not at {place}");
        assert!(said.contains(words), "{check}: {said}, without {words}");
        // Bounds are their own remedy.
        assert!(said.ends_with(')') || said.contains("must be"), "{check}: {said}");
    }
}

#[test]
fn a_request_is_what_was_written() {
    let folder = Folder::new("request");
    let loaded = folder.load(
        "max_latency = \"800ms\"\n[check.c.http]\nport = 8080\nmethod = \"POST\"\npath = \"/rpc\"\n\
         send = '{\"id\":1}'\nheaders = { Content-Type = \"application/json\", X-Probe = \"1\" }\n\
         body = { json = \"/result/healthy\", is = true }",
    );
    let check = the_check(&loaded);
    assert_eq!(check.max_latency, Some(Duration::from_millis(800)));
    let ask = http(&loaded);
    assert_eq!((ask.port, ask.path.as_str(), ask.host.as_str()), (8080, "/rpc", "app.app.test"));
    assert_eq!(ask.method, Method::Post("{\"id\":1}".into()));
    let headers: Vec<_> = ask.headers.iter().map(|it| (&*it.name, &*it.value)).collect();
    assert_eq!(headers, [("Content-Type", "application/json"), ("X-Probe", "1")]);
    assert_eq!(
        ask.body,
        Some(BodyTest::Json { pointer: "/result/healthy".into(), is: true.into() })
    );
    for (body, expected) in [
        ("contains = \"up\"", BodyTest::Contains("up".into())),
        ("matches = '^up\\d$'", BodyTest::Matches(Pattern::new(r"^up\d$").unwrap())),
        ("json = \"/n\", is = 3", BodyTest::Json { pointer: "/n".into(), is: 3.into() }),
        ("json = \"\", is = \"ok\"", BodyTest::Json { pointer: String::new(), is: "ok".into() }),
    ] {
        let loaded = folder.load(&format!("http = {{ body = {{ {body} }} }}"));
        assert_eq!(http(&loaded).body, Some(expected));
    }
}

#[test]
fn a_malformed_request_is_refused_with_place_and_remedy() {
    let folder = Folder::new("malformed");
    for (check, expected) in [
        ("http = { method = \"PUT\" }", &["4:19: `method` knows no \"PUT\""][..]),
        ("http = { send = \"x\" }", &["4:10: `send` goes with method = \"POST\""]),
        ("http = { method = \"HEAD\", body = { contains = \"x\" } }", &["4:27: HEAD has no body"]),
        ("http = { path = \"ready\" }", &["4:18: a path begins with a slash"]),
        ("http = { path = \"/a b\" }", &["4:18: a path cannot hold ' '"]),
        ("http = { path = '/?q={x}' }", &["4:18: a path cannot hold '{'"]),
        ("http = { headers = { Host = \"x\" } }", &["4:22: (write `host = …`"]),
        ("http = { headers = { \"a b\" = \"x\" } }", &["4:22: is not a header's name"]),
        ("http = { headers = { a = \"x\\ny\" } }", &["4:26: holds what a header cannot"]),
        ("http = { headers = { a = \"x\", A = \"y\" } }", &["4:31: stands here twice"]),
        ("http = { body = {} }", &["4:10: the body may say anything"]),
        ("http = { body = { contains = \"\" } }", &["4:30: every body contains nothing"]),
        ("http = { body = { matches = \"(\" } }", &["4:30: unclosed group"]),
        ("http = { body = { matches = \"[ab]*a[ab]{24}\" } }", &["4:30: regular expression"]),
        ("http = { body = { json = \"a\", is = 1 } }", &["4:27: begins with a slash"]),
        ("http = { body = { json = \"/a\" } }", &["4:10: `json` needs `is`"]),
        ("http = { body = { is = 1 } }", &["4:19: `is` goes with `json`"]),
        ("http = { body = { contains = \"a\", matches = \"b\" } }", &["4:35: of one body"]),
        ("http = { body = { regex = \"b\" } }", &["4:19: `matches`"]),
        ("http = { ca = \"ca.pem\" }", &["4:10: `ca` belongs to an HTTPS check"]),
        ("http = \":80\"\nmax_latency = \"3s\"", &["5:15: `max_latency` can never be reached"]),
        ("http = \":80\"\nhttps = \":443\"", &["5:1: `http` and `https` in one check"]),
    ] {
        check_refused(&folder, check, expected);
    }
}

#[test]
fn a_tcp_check_is_a_port_or_a_table() {
    let folder = Folder::new("tcp");
    for (check, port, send, expect) in [
        ("tcp = \":6379\"", 6379, "", ""),
        (
            "tcp = { port = 25, expect = \"220 \", send = \"EHLO a\\r\\n\" }",
            25,
            "EHLO a\r\n",
            "220 ",
        ),
    ] {
        let ask = TcpAsk { port, send: send.into(), expect: expect.into() };
        let loaded = folder.load(check);
        assert_eq!(the_check(&loaded).ask, Ask::Tcp(ask));
        assert!(report(&loaded).contains(&format!("connect to tcp://<address>:{port}\n")));
        assert!(!report(&loaded).contains("EHLO") && !format!("{loaded:?}").contains("EHLO"));
    }
    for (check, expected) in [
        ("tcp = \"\"", "4:7: no usual port"),
        ("tcp = \"6379\"", "4:8: not a port"),
        ("tcp = \":0\"", "4:8: not a port"),
        ("tcp = {}", "4:7: needs `port`"),
        ("tcp = { port = 25, banner = \"220\" }", "4:20: `expect`"),
        ("tcp = { port = 25, path = \"/\" }", "4:20: `path` belongs to an HTTP check"),
        ("tcp = \":80\"\nhttp = \":80\"", "4:1: in one check"),
    ] {
        check_refused(&folder, check, &[expected]);
    }
    let long = format!("tcp = {{ port = 25, expect = \"{}\" }}", "x".repeat(4097));
    check_refused(&folder, &long, &["4:29: 4097 octets"]);
}

#[test]
fn many_mistakes_of_one_check_are_told_at_once() {
    let folder = Folder::new("many");
    check_refused(
        &folder,
        "https = { port = 0, path = \"x\", host = \"a b\", expect = [\"2xx\"], ca = \"tls/none.pem\",\n\
         key = \"tls/none.key\", body = { matches = \"(\" } }",
        &[
            "4:18: must be 1 to 65535",
            "4:29: slash",
            "4:41: not a host name",
            "4:57: no range",
            "4:71: cannot read \"tls/none.pem\"",
            "5:1: `key` without `certificate`",
            "5:43: unclosed group",
        ],
    );
}

/// A certificate and its key.
fn certificate() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["app.example.org".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn certificates_are_read_from_below_the_zones_folder() {
    let folder = Folder::new("certificates");
    let (ca, _) = certificate();
    let (mine, key) = certificate();
    folder.write("zones/tls/ca.pem", &ca);
    folder.write("zones/tls/rota.pem", &mine);
    folder.write("zones/tls/rota.key", &key);
    let ask = http(&folder.load(
        "https = { ca = \"tls/ca.pem\", certificate = \"tls/rota.pem\", key = \"tls/rota.key\", \
         warn_before = \"30d\" }",
    ));
    let tls = Arc::unwrap_or_clone(ask.tls.unwrap());
    let Trust::Only(pem) = &tls.trust else { panic!("{:?}", tls.trust) };
    assert_eq!(pem.text(), ca);
    assert_eq!(tls.identity.unwrap().key.text(), key);
    assert_eq!(tls.warn_before, Duration::from_secs(30 * 86_400));

    let tls = http(&folder.load("https = \":8443/ready\"")).tls.unwrap();
    assert_eq!((&tls.trust, &tls.identity), (&Trust::System, &None));
    assert_eq!(tls.warn_before, Duration::from_secs(14 * 86_400));
    let tls = http(&folder.load("https = { verify = false }")).tls.unwrap();
    assert_eq!(tls.trust, Trust::Anyone);
}

#[test]
fn a_tls_check_is_a_port_or_a_table() {
    let folder = Folder::new("tls");
    folder.write("zones/tls/ca.pem", &certificate().0);
    for (check, expected_port, expected_host, own) in [
        ("tls = \":8443\"", 8443, "app.app.test", false),
        ("tls = \"\"", 443, "app.app.test", false),
        ("tls = { host = \"x.test\", ca = \"tls/ca.pem\" }", 443, "x.test", true),
    ] {
        let loaded = folder.load(check);
        let Ask::Tls(TlsAsk { port, host, secure }) = the_check(&loaded).ask else { panic!() };
        assert_eq!((port, host.as_str()), (expected_port, expected_host));
        assert_eq!(matches!(secure.trust, Trust::Only(_)), own);
        assert!(report(&loaded).contains(&format!("handshake with tls://<address>:{port}\n")));
    }
    for (check, expected) in [
        ("tls = \"443\"", "4:8: not a port"),
        ("tls = { path = \"/\" }", "4:9: `path` belongs to an HTTP check"),
        ("tls = { host = \"a b\" }", "4:17: not a host name"),
        ("tls = { ca = \"tls/none.pem\" }", "4:15: cannot read"),
        ("tls = \":443\"\ntcp = \":443\"", "4:1: in one check"),
    ] {
        check_refused(&folder, check, &[expected]);
    }
}

#[test]
fn missing_and_broken_certificates_are_mistakes_of_the_check() {
    let folder = Folder::new("broken");
    let (mine, key) = certificate();
    let (_, other_key) = certificate();
    let cut = mine.replacen("MII", "AII", 1);
    for (file, text) in [
        ("mine.pem", mine.as_str()),
        ("mine.key", &key),
        ("other.key", &other_key),
        ("cut.pem", &cut),
        ("empty.pem", ""),
        ("torn.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
    ] {
        folder.write(&format!("zones/tls/{file}"), text);
    }
    folder.write("outside.pem", &mine);
    for (keys, expected) in [
        ("ca = \"tls/none.pem\"", "4:17: cannot read \"tls/none.pem\": No such file"),
        ("ca = \"../outside.pem\"", "4:17: it is outside of the folder"),
        ("ca = \"tls\"", "4:17: it is not a file"),
        ("ca = \"tls/empty.pem\"", "4:17: holds no certificate in PEM"),
        ("ca = \"tls/torn.pem\"", "4:17: is not PEM"),
        ("ca = \"tls/cut.pem\"", "4:17: holds a certificate that is bad"),
        ("certificate = \"tls/mine.pem\"", "4:11: `certificate` without `key`"),
        ("key = \"tls/mine.key\"", "4:11: `key` without `certificate`"),
        ("certificate = \"tls/mine.pem\", key = \"tls/mine.pem\"", "4:48: holds no private key"),
        ("certificate = \"tls/mine.pem\", key = \"tls/other.key\"", "4:48: is not the key of"),
        ("certificate = \"tls/cut.pem\", key = \"tls/mine.key\"", "4:26: is bad"),
        ("verify = false, ca = \"tls/mine.pem\"", "4:27: certificates that are looked at"),
        ("verify = false, warn_before = \"1d\"", "4:27: certificates that are looked at"),
        ("warn_before = \"400d\"", "4:25: must be 0s to"),
    ] {
        check_refused(&folder, &format!("https = {{ {keys} }}"), &[expected]);
    }
}

#[test]
fn programs_are_run_where_rota_toml_says_so() {
    let folder = Folder::new("exec");
    let check = "exec = { argv = [\"sh\", \"-c\", \"true\"], env = { TOKEN = \"s3cr3t\" } }";
    check_refused(&folder, check, &["4:19: rota.toml lets checks run no programs"]);
    folder.write("rota.toml", "[checks]\nexec = \"/bin\"\nexec_as_root = true\n");
    let loaded = folder.load(check);
    let Ask::Exec(ask) = the_check(&loaded).ask else { panic!("it runs a program") };
    assert_eq!((ask.program, ask.node), ("/bin/sh".into(), "app.test/app/192-0-2-1".to_owned()));
    let shown = report(&loaded);
    assert!(shown.contains("check           run /bin/sh\n      arguments     \"-c\", \"true\"\n"));
    assert!(shown.contains("env           TOKEN\n") && !shown.contains("s3cr3t"), "{shown}");
    check_refused(&folder, "exec = [\"../bin/sh\"]", &["4:10: programs are taken from /bin alone"]);
    check_refused(&folder, "exec = [\"no-such\"]", &["4:10: No such file"]);
}

#[test]
fn a_reload_sees_programs_come_and_go_and_grants_go() {
    let folder = Folder::new("come");
    folder.load("exec = [\"look\"]");
    let allowed = "[checks]\nexec = \"zones/tls\"\nexec_as_root = true\n";
    folder.write("rota.toml", allowed);
    let (path, mut readings) = (folder.0.join("rota.toml"), Readings::default());
    let mut is_sound = || !has_errors(&reload(Some(&path), &mut readings).diagnostics);
    assert!(!is_sound());
    folder.write("zones/tls/look", "#!/bin/sh\n");
    assert!(!is_sound(), "it cannot be run yet");
    let program = folder.0.join("zones/tls/look");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(is_sound());
    fs::rename(&program, folder.0.join("gone")).unwrap();
    assert!(!is_sound());
    fs::rename(folder.0.join("gone"), &program).unwrap();
    assert!(is_sound());
    folder.write("rota.toml", "");
    assert!(!is_sound());
    folder.write("rota.toml", allowed);
    assert!(is_sound());
}

#[test]
fn files_of_states_are_those_of_one_folder() {
    let folder = Folder::new("states");
    let path = |loaded: &Loaded| {
        let Ask::File(ask) = the_check(loaded).ask else { panic!("it looks into a file") };
        ask.path
    };
    assert_eq!(path(&folder.load("file = \"a.states\"")), folder.0.join("zones/a.states"));
    folder.write("rota.toml", "[checks]\nstates = \"run\"\n");
    let loaded = folder.load("file = \"a.states\"");
    assert_eq!(path(&loaded), folder.0.join("run/a.states"));
    assert!(report(&loaded).contains("/run/a.states\n"), "{}", report(&loaded));
    check_refused(&folder, "file = \"../a\"", &["4:9: files of states are those of the folder"]);
}

#[test]
fn the_report_shows_how_checks_come_together_and_whose_are_others() {
    let folder = Folder::new("together");
    let text = "[zone]\nns = [\"ns1 192.0.2.53\"]\n[check.a]\ntcp = \":1\"\n[check.b]\ntcp = \":2\"\n\
                [check.or]\nany = [\"a\", \"b\"]\n[service.app]\ncheck = [{ tcp = \":3\" }, \"or\"]\n\
                nodes = [\"192.0.2.1\", \"192.0.2.2\",\n\
                { name = \"far\", address = \"192.0.2.3\", check_address = \"10.0.0.3\", check = \"a\" },\n\
                { name = \"idle\", address = \"192.0.2.4\", check = [] }]\n";
    folder.write("zones/app.test.toml", text);
    let shown = report(&load(Some(&folder.0.join("rota.toml"))));
    let of = |port: u16| format!("    check           connect to tcp://<address>:{port}\n");
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text} in {shown}"));
    let order = [
        at(&of(3)),
        at(&of(1)),
        at(&of(2)),
        at("    passes          1 and (2 or 3)\n"),
        at("    node far has others\n"),
        at("      address       10.0.0.3\n"),
        at("    node idle has others\n      none: it always counts as healthy\n"),
        at("    a dead node is in no cache after at most"),
    ];
    assert!(order.is_sorted(), "{shown}");
    assert_eq!(shown.matches(&of(1)).count(), 2);
}

#[test]
fn what_may_be_secret_is_never_shown() {
    let folder = Folder::new("secrets");
    let secret = "Bearer s3cr3t";
    let loaded = folder.load(&format!("http = {{ headers = {{ Authorization = \"{secret}\" }} }}"));
    assert!(report(&loaded).contains("headers       Authorization\n"), "{}", report(&loaded));
    assert!(!report(&loaded).contains(secret) && !format!("{loaded:?}").contains(secret));
    for check in [
        format!("http = {{ headers = {{ Authorization = \"{secret}\" }}, port = 0 }}"),
        format!("http = {{ headers = {{ \"a b\" = \"{secret}\" }} }}"),
        format!("tcp = {{ port = 0, send = \"{secret}\" }}"),
        format!("http = {{ headers = {{\nX-Good = \"1\",\n\"a b\" = \"{secret}\" }} }}"),
        format!("exec = {{ env = {{ ROTA_X = \"{secret}\" }}, argv = [] }}"),
        format!("[check.c.http.headers]\nX-Good = \"1\"\n\"a b\" = \"{secret}\""),
    ] {
        let loaded = folder.load(&check);
        assert!(has_errors(&loaded.diagnostics), "{check}");
        let shown = render(&loaded.diagnostics, false);
        assert!(!shown.contains(secret) && shown.contains("holds a secret"), "{shown}");
    }
}

#[test]
fn the_report_shows_what_is_asked_with_its_defaults() {
    let folder = Folder::new("report");
    let loaded = folder.load(
        "max_latency = \"1s\"\n[check.c.https]\nmethod = \"POST\"\nsend = \"abc\"\n\
         body = { matches = \"^up$\" }",
    );
    let shown = report(&loaded);
    let expected = "\
    check           POST https://<address>:443/
      host          app.app.test                       (default)
      send          3 octets
      expect        [\"200-299\"]                        (default)
      body          matches \"^up$\"
      ca            whom the system trusts             (default)
      warn_before   14days                             (default)
      every         5s                                 (default)
      timeout       2s                                 (default)
      max_latency   1s
";
    assert!(shown.contains(expected), "{shown}");
}
