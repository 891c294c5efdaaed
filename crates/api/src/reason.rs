//! The text form of an error reason. Not here: which failure has which reason; the service decides.

use crate::v1::ErrorReason;

impl ErrorReason {
    /// The reason as `google.rpc.ErrorInfo.reason` carries it: the name without its enum's prefix, for
    /// example `API_KEY_NOT_FOUND`.
    pub fn as_reason(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix("ERROR_REASON_").unwrap_or(name)
    }

    /// The reason that `ErrorInfo.reason` names; `None` if this version does not know it.
    pub fn from_reason(reason: &str) -> Option<Self> {
        Self::from_str_name(&format!("ERROR_REASON_{reason}"))
    }
}
