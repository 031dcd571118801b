//! A checker of JSON against as much of JSON Schema as our schemas use.
//!
//! A word of a schema that is not known here is a panic, not a pass: nothing can be written into a
//! schema that no test looks at. A library for all of JSON Schema would cost more crates than Rota
//! itself has.

use regex_automata::dfa::regex::Regex;
use serde_json::{Map, Value};

/// Everything that does not fit, each as `/path/in/the/value: what`.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Checker { root: schema }.check(schema, value, "", &mut found);
    found
}

struct Checker<'s> {
    root: &'s Value,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
        let words = schema.as_object().expect("a schema is an object");
        if words.contains_key("$ref") {
            assert_eq!(words.len(), 1, "a $ref stands alone: older drafts ignore its neighbours");
        }
        for (word, said) in words {
            let wrong = match word.as_str() {
                // For people, and for those who point here.
                "$schema" | "$defs" | "title" | "description" | "default" => None,
                // Judged with `additionalProperties`, which goes with it.
                "properties" => None,
                "additionalProperties" => {
                    self.members(words, said, value, path, found);
                    None
                }
                "$ref" => {
                    let pointer = said.as_str().unwrap().strip_prefix('#').unwrap();
                    let target = self.root.pointer(pointer).expect("it is defined");
                    self.check(target, value, path, found);
                    None
                }
                "allOf" => {
                    for one in said.as_array().unwrap() {
                        self.check(one, value, path, found);
                    }
                    None
                }
                "anyOf" => {
                    let fits = |one: &Value| {
                        let mut found = Vec::new();
                        self.check(one, value, path, &mut found);
                        found.is_empty()
                    };
                    let none = !said.as_array().unwrap().iter().any(fits);
                    none.then(|| "fits none of what it may be".to_owned())
                }
                "items" => {
                    for (index, one) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(said, one, &format!("{path}/{index}"), found);
                    }
                    None
                }
                "type" => {
                    let wanted = said.as_str().unwrap();
                    let fits = match wanted {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "boolean" => value.is_boolean(),
                        other => panic!("{other} is no type of ours"),
                    };
                    (!fits).then(|| format!("is no {wanted}"))
                }
                "enum" => {
                    let known = said.as_array().unwrap().contains(value);
                    (!known).then(|| format!("is none of {said}"))
                }
                "minimum" => (value.as_i64() < said.as_i64() && value.is_i64())
                    .then(|| format!("{value} is below {said}")),
                "maximum" => {
                    (value.as_i64() > said.as_i64()).then(|| format!("{value} is above {said}"))
                }
                "pattern" => {
                    let pattern = Regex::new(said.as_str().unwrap()).unwrap();
                    let fits = value.as_str().is_none_or(|text| pattern.is_match(text));
                    (!fits).then(|| format!("{value} is not like {said}"))
                }
                "required" => {
                    let missing = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                    let missing = said.as_array().unwrap().iter().find(missing);
                    missing.map(|name| format!("needs `{}`", name.as_str().unwrap()))
                }
                "not" => {
                    let mut inside = Vec::new();
                    self.check(said, value, path, &mut inside);
                    inside.is_empty().then(|| "may not stand here".to_owned())
                }
                other => panic!("nobody checks `{other}`"),
            };
            let path = if path.is_empty() { "/" } else { path };
            found.extend(wrong.map(|wrong| format!("{path}: {wrong}")));
        }
    }

    /// Members of an object: each by its own schema, else by the one for all others.
    fn members(
        &self,
        words: &Map<String, Value>,
        others: &Value,
        value: &Value,
        path: &str,
        found: &mut Vec<String>,
    ) {
        let own = words.get("properties").and_then(Value::as_object);
        for (name, one) in value.as_object().into_iter().flatten() {
            let below = format!("{path}/{name}");
            match own.and_then(|own| own.get(name)) {
                Some(schema) => self.check(schema, one, &below, found),
                None if *others == Value::Bool(false) => {
                    let path = if path.is_empty() { "/" } else { path };
                    found.push(format!("{path}: has no `{name}`"));
                }
                None => self.check(others, one, &below, found),
            }
        }
    }
}
