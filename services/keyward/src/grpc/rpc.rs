//! The names of the RPCs, as metrics, spans, logs and request records spell them.

macro_rules! rpcs {
    (@path $service:literal, $name:literal) => { concat!("/keyward.v1.", $service, "/", $name) };
    (@path $service:literal, $name:literal, $package:literal) => {
        concat!("/", $package, ".", $service, "/", $name)
    };
    ($( $variant:ident = $service:literal / $name:literal, $span:literal $(, of $package:literal)?; )+) => {
        /// An RPC.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rpc {
            $( #[doc = $name] $variant, )+
        }

        impl Rpc {
            /// All of them, in order of declaration.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The bare name: `CreateApiKey`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name ),+ }
            }

            /// The HTTP/2 path: `/keyward.v1.ApiKeyService/CreateApiKey`.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $( Self::$variant => rpcs!(@path $service, $name $(, $package)?) ),+ }
            }

            /// The one at this HTTP/2 path.
            #[must_use]
            pub fn at(path: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|rpc| rpc.path() == path)
            }

            /// The name of its span: `grpc.create_api_key`.
            #[must_use]
            pub const fn span_name(self) -> &'static str {
                match self { $( Self::$variant => concat!("grpc.", $span) ),+ }
            }
        }
    };
}

rpcs! {
    CreateApiKey = "ApiKeyService" / "CreateApiKey", "create_api_key";
    GetApiKey = "ApiKeyService" / "GetApiKey", "get_api_key";
    ListApiKeys = "ApiKeyService" / "ListApiKeys", "list_api_keys";
    GetConfig = "ApiKeyService" / "GetConfig", "get_config";
    GetKeyUsage = "ApiKeyService" / "GetKeyUsage", "get_key_usage";
    DisableApiKey = "ApiKeyService" / "DisableApiKey", "disable_api_key";
    EnableApiKey = "ApiKeyService" / "EnableApiKey", "enable_api_key";
    RevokeApiKey = "ApiKeyService" / "RevokeApiKey", "revoke_api_key";
    UpdateApiKey = "ApiKeyService" / "UpdateApiKey", "update_api_key";
    RotateApiKey = "ApiKeyService" / "RotateApiKey", "rotate_api_key";
    EndRotationGrace = "ApiKeyService" / "EndRotationGrace", "end_rotation_grace";
    DeleteApiKey = "ApiKeyService" / "DeleteApiKey", "delete_api_key";
    UndeleteApiKey = "ApiKeyService" / "UndeleteApiKey", "undelete_api_key";
    RevokeApiKeys = "ApiKeyService" / "RevokeApiKeys", "revoke_api_keys";
    ImportApiKeys = "ApiKeyService" / "ImportApiKeys", "import_api_keys";
    IssueAuthToken = "ApiKeyService" / "IssueAuthToken", "issue_auth_token";
    ListAuthTokens = "ApiKeyService" / "ListAuthTokens", "list_auth_tokens";
    ResetAuthToken = "ApiKeyService" / "ResetAuthToken", "reset_auth_token";
    RevokeAuthToken = "ApiKeyService" / "RevokeAuthToken", "revoke_auth_token";
    VerifyKey = "ApiKeyService" / "VerifyKey", "verify_key";
    BatchVerifyKeys = "ApiKeyService" / "BatchVerifyKeys", "batch_verify_keys";
    CreateWorkspace = "WorkspaceService" / "CreateWorkspace", "create_workspace";
    GetWorkspace = "WorkspaceService" / "GetWorkspace", "get_workspace";
    SuspendWorkspace = "WorkspaceService" / "SuspendWorkspace", "suspend_workspace";
    ResumeWorkspace = "WorkspaceService" / "ResumeWorkspace", "resume_workspace";
    ResetWorkspaceToken = "WorkspaceService" / "ResetWorkspaceToken", "reset_workspace_token";
    EraseSubject = "WorkspaceService" / "EraseSubject", "erase_subject";
    CreateServiceCredential = "WorkspaceService" / "CreateServiceCredential", "create_service_credential";
    ListServiceCredentials = "WorkspaceService" / "ListServiceCredentials", "list_service_credentials";
    RevokeServiceCredential = "WorkspaceService" / "RevokeServiceCredential", "revoke_service_credential";
    ListEvents = "AuditService" / "ListEvents", "list_events";
    VerifyAt = "AuditService" / "VerifyAt", "verify_at";
    GetHead = "AuditService" / "GetHead", "get_head";
    VerifyLog = "AuditService" / "VerifyLog", "verify_log";
    WatchEvents = "AuditService" / "WatchEvents", "watch_events";
    UpdateConfig = "ApiKeyService" / "UpdateConfig", "update_config";
    PutConfigSecret = "ApiKeyService" / "PutConfigSecret", "put_config_secret";
    DeleteConfigSecret = "ApiKeyService" / "DeleteConfigSecret", "delete_config_secret";
    RevealConfigSecret = "ApiKeyService" / "RevealConfigSecret", "reveal_config_secret";
    Check = "Authorization" / "Check", "check", of "envoy.service.auth.v3";
}
