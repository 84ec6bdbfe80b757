//! The configuration file: TOML in which every key has to be known.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::declared::{SETTINGS, Setting};
use super::error::{SettingError, nearest};
use super::value::{Shape, Value};
use crate::limits::CONFIG_BYTES_MAX;

/// One setting that the file makes.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) setting: &'static Setting,
    pub(crate) value: Value,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Reads a file. Paths in it are relative to the folder of the file.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, SettingError> {
    let name = path.display().to_string();
    let remedy = "Give the path of a readable text file of at most 64 KiB to --config or UNDERTONE_CONFIG.";
    let unreadable = |problem: String| SettingError::new(&name, problem, remedy);
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(format!("the configuration file cannot be read: {error}")))?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(unreadable("the configuration file is too large".to_owned()));
    }
    let mut entries = parse(&name, &text)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for entry in &mut entries {
        if let Value::File(file) | Value::Folder(file) = &mut entry.value {
            *file = folder.join(&*file);
        }
    }
    Ok(entries)
}

/// Reads the text of the file `name`; answers its settings in the order of their declaration.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Entry>, SettingError> {
    let reader = Reader { name, text };
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        reader.error(
            start,
            error.message(),
            "The file is TOML: `key = value`, under [section] lines.",
        )
    })?;
    let mut entries = Vec::new();
    reader.section("", table.get_ref(), &mut entries)?;
    entries.sort_by_key(|entry| SETTINGS.iter().position(|setting| *setting == entry.setting));
    Ok(entries)
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn section(
        &self,
        section: &str,
        table: &DeTable<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), SettingError> {
        for (key, value) in table {
            let name = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            let is_section = SETTINGS.iter().any(|setting| setting.section() == name);
            match (
                value.get_ref(),
                SETTINGS.iter().find(|setting| setting.name == name),
            ) {
                (DeValue::Table(table), None) if is_section => self.section(&name, table, entries)?,
                (_, Some(setting)) => entries.push(self.entry(setting, value)?),
                (_, None) if is_section => {
                    let remedy = format!("Write [{name}] on a line of its own, and its settings below.");
                    return Err(self.error(key.span().start, &format!("{name} is a section"), &remedy));
                }
                (_, None) => return Err(self.unknown(&name, key.span().start)),
            }
        }
        Ok(())
    }

    fn entry(&self, setting: &'static Setting, value: &Spanned<DeValue<'_>>) -> Result<Entry, SettingError> {
        let start = value.span().start;
        let words = words(setting.shape, value.get_ref()).ok_or_else(|| {
            let problem = format!("{} is {}", setting.name, value.get_ref().type_str());
            let remedy = format!(
                "Give {}: {} = {}",
                setting.shape.in_words(),
                setting.key(),
                sample(setting.shape)
            );
            self.error(start, &problem, &remedy)
        })?;
        let value = setting.shape.read(&words).map_err(|(problem, remedy)| {
            self.error(start, &format!("{}: {problem}", setting.name), remedy)
        })?;
        Ok(Entry {
            setting,
            value,
            line: self.line(start),
        })
    }

    fn unknown(&self, name: &str, start: usize) -> SettingError {
        let sections = SETTINGS.iter().map(|setting| setting.section());
        let known = SETTINGS.iter().map(|setting| setting.name).chain(sections);
        let by_key = || {
            let key = name.rsplit('.').next().unwrap_or(name);
            SETTINGS
                .iter()
                .find(|setting| setting.key() == key)
                .map(|setting| setting.name)
        };
        let remedy = match by_key().or_else(|| nearest(name, known)) {
            Some(near) => format!("Did you mean {near}?"),
            None => "deploy/undertone.example.toml shows every setting.".to_owned(),
        };
        self.error(start, &format!("there is no setting {name}"), &remedy)
    }

    fn error(&self, start: usize, problem: &str, remedy: &str) -> SettingError {
        let problem = problem.trim_end_matches('.').replace('\n', ", ");
        SettingError::new(
            format!("{}, line {}", self.name, self.line(start)),
            problem,
            remedy,
        )
    }

    fn line(&self, start: usize) -> usize {
        let before = self.text.as_bytes().iter().take(start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

/// The words of a value of the right type: a number, a text, or a list of texts.
fn words(shape: Shape, value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) if shape.is_number() && number.radix() == 10 => {
            Some(number.as_str().to_owned())
        }
        DeValue::String(text) if !shape.is_number() => Some(text.to_string()),
        DeValue::Array(array) if shape == Shape::Addresses => {
            let texts: Option<Vec<&str>> = array.iter().map(|item| item.get_ref().as_str()).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

/// A value as it may stand in the file.
fn sample(shape: Shape) -> &'static str {
    match shape {
        Shape::Port => "8080",
        Shape::Addresses => "[\"192.0.2.7\", \"2001:db8::7\"]",
        Shape::Socket => "\"127.0.0.1:8081\"",
        Shape::File => "\"/etc/undertone/tls/key.pem\"",
        Shape::Folder => "\"/var/lib/undertone\"",
        Shape::Seconds => "30",
        Shape::Filter => "\"info\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        parse("undertone.toml", text).expect_err(text).to_string()
    }

    #[test]
    fn settings_are_read_with_their_lines() {
        let entries =
            parse("a.toml", "log = \"warn\"\n\n[tls]\nkey = \"k.pem\"\n").expect("it is well-formed");
        let seen: Vec<(&str, usize)> = entries
            .iter()
            .map(|entry| (entry.setting.name, entry.line))
            .collect();
        assert_eq!(seen, [("log", 1), ("tls.key", 4)]);
    }

    #[test]
    fn an_unknown_key_names_file_line_and_the_nearest_known_key() {
        for (text, line, near) in [
            ("prot = 8080", 1, "port"),
            ("\n\nmedia_addres = []", 3, "media_address"),
            ("[tls]\ncertifcate = \"a\"", 2, "tls.certificate"),
            ("[tsl]\nkey = \"a\"", 1, "tls"),
            ("certificate = \"a\"", 1, "tls.certificate"),
        ] {
            let words = refused(text);
            assert!(
                words.contains(&format!("undertone.toml, line {line}: there is no setting")),
                "{words}"
            );
            assert!(words.contains(&format!("Did you mean {near}?")), "{words}");
        }
        assert!(refused("zzz = 1").contains("example"), "nothing is near");
    }

    #[test]
    fn a_value_of_another_type_is_answered_with_a_sample() {
        for (text, sample) in [
            ("port = \"8080\"", "port = 8080"),
            ("port = 80.5", "port = 8080"),
            ("http_address = [1]", "http_address = [\""),
            ("log = true", "log = \"info\""),
            ("[drain]\ndeadline_seconds = \"30s\"", "deadline_seconds = 30"),
        ] {
            let words = refused(text);
            assert!(
                words.contains(sample) && words.contains("undertone.toml, line"),
                "{words}"
            );
        }
    }

    #[test]
    fn what_is_no_toml_or_no_section_names_its_line() {
        assert!(refused("port = 1\nport = 2").contains("line 2"), "twice");
        assert!(refused("port = 1\nlog = \"").contains("line 2"), "an open string");
        assert!(refused("tls = 3").contains("[tls]"), "a section that is a number");
        assert!(refused("port = 99999").contains("0 to 65535"), "too large a port");
    }
}
