//! Directives: what stands between the records and says how to read them.
//!
//! `$ORIGIN` and `$INCLUDE` are of RFC 1035 §5.1, `$TTL` of RFC 2308 §4, `$GENERATE` of BIND.

use std::ops::{Range, RangeInclusive};

use super::entries::{Entries, Entry};
use super::generate::{self, GENERATED_MAX};
use super::{Context, Diagnostic, INCLUDE_DEPTH_MAX, INCLUDES_MAX, Owner, Reader, Reported};

impl Reader<'_, '_> {
    /// Obeys an entry that starts with a dollar sign.
    pub(super) fn directive(
        &mut self,
        context: &mut Context<'_>,
        entry: &Entry<'_>,
    ) -> Result<(), Reported> {
        let (name, arguments) = (&entry.tokens[0], &entry.tokens[1..]);
        match name.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                self.arguments(context, entry, 1..=1, "$ORIGIN example.org.")?;
                context.origin = self.name(context, &arguments[0])?;
                context.owner_text.clear();
                Ok(())
            }
            "$TTL" => {
                self.arguments(context, entry, 1..=1, "$TTL 3600")?;
                self.default_ttl = Some(self.ttl(context, &arguments[0])?);
                Ok(())
            }
            "$INCLUDE" => {
                self.arguments(context, entry, 1..=2, "$INCLUDE file [origin]")?;
                self.include(context, entry)
            }
            "$GENERATE" => {
                self.arguments(context, entry, 4..=usize::MAX, generate::FORM)?;
                self.generate(context, entry)
            }
            _ => {
                let place = context.place(name.span.clone());
                let message = format!("unknown directive `{}`", name.text);
                let help = "there are $ORIGIN, $TTL, $INCLUDE and $GENERATE";
                Err(self.report(Diagnostic::error(place, message).help(help)))
            }
        }
    }

    fn arguments(
        &mut self,
        context: &Context<'_>,
        entry: &Entry<'_>,
        expected: RangeInclusive<usize>,
        form: &str,
    ) -> Result<(), Reported> {
        if expected.contains(&(entry.tokens.len() - 1)) {
            return Ok(());
        }
        let message = format!("wrong number of values after {}", entry.tokens[0].text);
        let diagnostic = Diagnostic::error(context.place(entry.span()), message);
        Err(self.report(diagnostic.help(format!("write `{form}`"))))
    }

    /// RFC 1035 §5.1: as if the file stood here, except that its origin and owners end with it.
    fn include(&mut self, context: &Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let path = &entry.tokens[1];
        let origin = match entry.tokens.get(2) {
            Some(token) => self.name(context, token)?,
            None => context.origin.clone(),
        };
        self.included += 1;
        let refused = if context.depth + 1 > INCLUDE_DEPTH_MAX {
            Err(format!("files include one another more than {INCLUDE_DEPTH_MAX} deep"))
        } else if self.included > INCLUDES_MAX {
            Err(format!("more than {INCLUDES_MAX} files are included"))
        } else {
            (self.includes)(path.text)
        };
        match refused {
            Ok(source) => {
                self.read(&source, origin, context.owner.clone(), context.depth + 1);
                Ok(())
            }
            Err(why) => {
                let place = context.place(path.span.clone());
                let message = format!("`{}` is not included: {why}", path.text);
                Err(self.report(Diagnostic::error(place, message)))
            }
        }
    }

    /// Each number's line is read like one of the file, from the directive's place.
    fn generate(&mut self, context: &Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let span = entry.span();
        let range_place = context.place(entry.tokens[1].span.clone());
        let Some(range) = generate::Range::parse(entry.tokens[1].text) else {
            let message = format!("`{}` is no range", entry.tokens[1].text);
            let help = "write it as 1-254, or 0-100/10 to go in steps";
            return Err(self.report(Diagnostic::error(range_place, message).help(help)));
        };
        if range.len() > GENERATED_MAX - self.generated {
            let message = format!("$GENERATE would make more than {GENERATED_MAX} records");
            return Err(self.report(Diagnostic::error(range_place, message)));
        }
        let origin = context.origin.clone();
        let mut lines = Context::new(context.source, context.depth, origin, Owner::None);
        let template = generate::template(entry);
        let found = self.found;
        for number in range.numbers() {
            let read = generate::expand(&template, number)
                .map_err(|why| {
                    let place = context.place(span.clone());
                    let help = format!("it is written like `{}`", generate::FORM);
                    self.report(Diagnostic::error(place, why).help(help))
                })
                .and_then(|line| self.generated_line(&mut lines, &line, &span));
            self.muted = self.found > found;
            if read.is_err() {
                break;
            }
        }
        self.making = None;
        self.muted = false;
        Ok(())
    }

    fn generated_line(
        &mut self,
        context: &mut Context<'_>,
        line: &str,
        span: &Range<usize>,
    ) -> Result<(), Reported> {
        self.making = Some(line.to_owned());
        let mut entries = Entries::new(line);
        let Some(Ok(entry)) = entries.advance() else {
            let place = context.place(span.clone());
            return Err(self.report(Diagnostic::error(place, "this makes no record")));
        };
        for token in &mut entry.tokens {
            token.span = span.clone();
        }
        self.record(context, entry)
    }
}
