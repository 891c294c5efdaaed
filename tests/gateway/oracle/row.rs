//! One request of the table.

/// How much of a body is in the name of a row.
const LONGEST: usize = 70;

/// Whose credential goes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Tenant,
    Operator,
    Nobody,
}

/// A request.
///
/// `W` and `K` at the beginning of a path are `/v1/workspaces/...` and the key in it. `$ws`, `$key`,
/// `$secret` and `$last` (the id or token that the row before last kept) stand for what a side has.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) caller: Caller,
    /// Only the first line of the answer is read.
    pub(super) streams: bool,
    /// The member of the answer that `$last` is afterwards, as a JSON pointer.
    pub(super) kept: Option<&'static str>,
}

/// A request such as `GET W/keys`.
pub(super) fn ask(line: impl AsRef<str>) -> Row {
    let (method, path) = line.as_ref().split_once(' ').unwrap();
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    Row {
        method: methods.into_iter().find(|known| *known == method).unwrap(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        caller: Caller::Tenant,
        streams: false,
        kept: None,
    }
}

/// A new key, of this body.
pub(super) fn create(body: impl AsRef<[u8]>) -> Row {
    ask("POST W/keys").body(body)
}

/// A verdict, of this body.
pub(super) fn verify(body: impl AsRef<[u8]>) -> Row {
    ask("POST /v1/keys:verify").body(body)
}

impl Row {
    pub(super) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) const fn by(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    pub(super) const fn streams(mut self) -> Self {
        self.streams = true;
        self
    }

    pub(super) const fn keep(mut self, pointer: &'static str) -> Self {
        self.kept = Some(pointer);
        self
    }

    /// How it is named in a report.
    pub(super) fn name(&self) -> String {
        let mut name = format!("{} {}", self.method, self.path);
        for (header, value) in &self.headers {
            name.push_str(&format!(" [{header}: {value}]"));
        }
        let text = String::from_utf8_lossy(&self.body).escape_default().to_string();
        match text.char_indices().nth(LONGEST) {
            None => format!("{name} {text}").trim_end().to_owned(),
            Some((end, _)) => format!("{name} {}... ({} bytes)", &text[..end], self.body.len()),
        }
    }
}
