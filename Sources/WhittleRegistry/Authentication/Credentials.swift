public import WhittleCore

/// What a user identifies with at a registry.
public enum Credentials: Sendable {
    case password(user: String, Redacted<String>)
    /// Given to the token server in exchange for tokens (OAuth 2 refresh token).
    case identityToken(Redacted<String>)
    /// Sent to the registry as it is.
    case registryToken(Redacted<String>)

    /// The name of the user, where there is one.
    public var user: String? {
        guard case .password(let user, _) = self else { return nil }
        return user
    }

    /// The value of the header `Authorization` for `password`; `nil` for the others.
    var basic: Redacted<String>? {
        guard case .password(let user, let password) = self else { return nil }
        return Redacted("Basic " + Base64.encode(Array("\(user):\(password.revealed)".utf8)))
    }
}
