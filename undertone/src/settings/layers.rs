//! Which of the four places a setting is taken from.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::declared::{CONFIG_VARIABLE, SETTINGS, Setting};
use super::error::{SettingError, nearest};
use super::file;
use super::value::Value;

/// Variables that begin as ours do and are no settings.
const OTHER_VARIABLES: &[&str] = &[CONFIG_VARIABLE, "UNDERTONE_CAPTURE"];

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Variable,
    File { path: PathBuf, line: usize },
    Default,
}

/// Every setting that was made somewhere or has a default, each from the place that counts.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    values: Vec<(&'static Setting, Value, Origin)>,
    /// Variables that look like settings and are none.
    pub(crate) unknown_variables: Vec<String>,
}

impl Layers {
    /// Reads all places. `flag` answers what the command line says of a setting.
    pub(crate) fn read(
        flag: impl Fn(&Setting) -> Option<String>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        config: Option<&Path>,
    ) -> Result<Self, SettingError> {
        // An empty variable is one that is not set: many tools cannot leave one out.
        let variables: Vec<(String, OsString)> = environment
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with("UNDERTONE_"))
            .collect();
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        let config = config
            .map(Path::to_path_buf)
            .or_else(|| variable(CONFIG_VARIABLE).map(PathBuf::from));
        let entries = config.as_deref().map(file::read).transpose()?.unwrap_or_default();
        let mut layers = Self::default();
        for setting in SETTINGS {
            let value = if let Some(words) = flag(setting) {
                let value = read_words(setting, &words, || format!("--{}", setting.flag))?;
                Some((value, Origin::Flag))
            } else if let Some(words) = variable(setting.variable) {
                let value = read_words(setting, &words.to_string_lossy(), || setting.variable.to_owned())?;
                Some((value, Origin::Variable))
            } else if let Some(entry) = entries.iter().find(|entry| entry.setting == *setting) {
                let path = config.clone().unwrap_or_default();
                let line = entry.line;
                Some((entry.value.clone(), Origin::File { path, line }))
            } else if setting.default.is_empty() {
                None
            } else {
                let value = read_words(setting, setting.default, || setting.name.to_owned())?;
                Some((value, Origin::Default))
            };
            layers
                .values
                .extend(value.map(|(value, origin)| (*setting, value, origin)));
        }
        layers.unknown_variables = variables
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| !OTHER_VARIABLES.contains(&name.as_str()))
            .filter(|name| SETTINGS.iter().all(|setting| setting.variable != name))
            .collect();
        Ok(layers)
    }

    /// The value of a setting and where it was written; nothing where it was not made and has no default.
    pub(crate) fn value(&self, setting: &Setting) -> Option<(&Value, &Origin)> {
        let (_, value, origin) = self.values.iter().find(|(known, ..)| *known == setting)?;
        Some((value, origin))
    }

    /// Where the setting was written, as its operator wrote it.
    pub(crate) fn place(&self, setting: &Setting) -> String {
        match self.value(setting).map(|(_, origin)| origin) {
            Some(Origin::Flag) => format!("--{}", setting.flag),
            Some(Origin::Variable) => setting.variable.to_owned(),
            Some(Origin::File { path, line }) => format!("{}, line {line}: {}", path.display(), setting.name),
            Some(Origin::Default) | None => setting.name.to_owned(),
        }
    }

    /// A sentence about each variable that looks like a setting.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.unknown_variables.iter().map(|name| {
            let near = nearest(name, SETTINGS.iter().map(|setting| setting.variable));
            let guess = near
                .map(|near| format!(" Did you mean {near}?"))
                .unwrap_or_default();
            format!("The variable {name} is no setting and has no effect.{guess}")
        })
    }
}

fn read_words(setting: &Setting, words: &str, place: impl Fn() -> String) -> Result<Value, SettingError> {
    setting
        .shape
        .read(words)
        .map_err(|(problem, remedy)| SettingError::new(place(), problem, remedy))
}

/// For the comment behind a setting.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("flag"),
            Self::Variable => formatter.write_str("environment"),
            Self::File { line, .. } => write!(formatter, "file, line {line}"),
            Self::Default => formatter.write_str("default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::declared::{LOG, PORT};
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let owned: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        owned.into_iter()
    }

    #[test]
    fn a_flag_counts_before_a_variable_and_a_variable_before_the_default() {
        let flag = |setting: &Setting| (*setting == PORT).then(|| "1000".to_owned());
        let environment = [("UNDERTONE_PORT", "2000"), ("UNDERTONE_LOG", "warn")];
        let layers = Layers::read(flag, variables(&environment), None).expect("good settings");
        assert_eq!(layers.value(&PORT), Some((&Value::Port(1000), &Origin::Flag)));
        assert_eq!(
            layers.value(&LOG),
            Some((&Value::Filter("warn".to_owned()), &Origin::Variable))
        );
        let layers = Layers::read(|_| None, variables(&[]), None).expect("defaults");
        assert_eq!(layers.value(&PORT), Some((&Value::Port(8080), &Origin::Default)));
    }

    #[test]
    fn an_empty_variable_is_not_set_and_an_unknown_one_is_warned_of() {
        let environment = [("UNDERTONE_PORT", ""), ("UNDERTONE_PROT", "1"), ("OTHER", "2")];
        let layers = Layers::read(|_| None, variables(&environment), None).expect("defaults");
        assert_eq!(layers.value(&PORT), Some((&Value::Port(8080), &Origin::Default)));
        let warnings: Vec<String> = layers.warnings().collect();
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("UNDERTONE_PROT") && warnings[0].contains("Did you mean UNDERTONE_PORT?")
        );
    }

    #[test]
    fn a_bad_value_names_the_place_where_it_was_written() {
        let environment = [("UNDERTONE_PORT", "tcp://10.0.0.1:80")];
        let error = Layers::read(|_| None, variables(&environment), None).expect_err("no port");
        assert!(error.to_string().starts_with("UNDERTONE_PORT: "), "{error}");
        let error =
            Layers::read(|_| Some("x".to_owned()), variables(&environment), None).expect_err("no port");
        assert!(error.to_string().starts_with("--port: "), "{error}");
    }
}
