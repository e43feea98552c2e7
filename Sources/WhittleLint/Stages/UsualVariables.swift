/// Variables that the usual base images set, for checks that do not know the image itself.
enum UsualVariables {
    /// By the last part of the image's name.
    private static let byImage: [String: Set<String>] = {
        let java: Set<String> = ["JAVA_HOME", "JAVA_VERSION", "LANG", "LANGUAGE", "LC_ALL"]
        return [
            "golang": ["GOLANG_VERSION", "GOPATH", "GOTOOLCHAIN"],
            "node": ["NODE_VERSION", "YARN_VERSION"],
            "python": [
                "GPG_KEY", "LANG", "PYTHON_GET_PIP_SHA256", "PYTHON_GET_PIP_URL", "PYTHON_PIP_VERSION",
                "PYTHON_SETUPTOOLS_VERSION", "PYTHON_SHA256", "PYTHON_VERSION",
            ],
            "pypy": ["LANG", "PYPY_VERSION"],
            "openjdk": java, "eclipse-temurin": java, "amazoncorretto": java, "ibmjava": java, "sapmachine": java,
            "maven": java.union(["MAVEN_CONFIG", "MAVEN_HOME"]),
            "gradle": java.union(["GRADLE_HOME", "GRADLE_VERSION"]),
            "tomcat": java.union(["CATALINA_HOME", "LD_LIBRARY_PATH", "TOMCAT_NATIVE_LIBDIR", "TOMCAT_VERSION"]),
            "jetty": java.union(["JETTY_BASE", "JETTY_HOME", "JETTY_VERSION"]),
            "ruby": ["BUNDLE_APP_CONFIG", "BUNDLE_SILENCE_ROOT_WARNING", "GEM_HOME", "LANG", "RUBY_VERSION"],
            "rust": ["CARGO_HOME", "RUSTUP_HOME", "RUST_VERSION"],
            "php": ["PHPIZE_DEPS", "PHP_CFLAGS", "PHP_INI_DIR", "PHP_LDFLAGS", "PHP_VERSION"],
            "nginx": ["NGINX_VERSION", "NJS_VERSION", "PKG_RELEASE"],
            "httpd": ["HTTPD_PREFIX", "HTTPD_VERSION"],
            "postgres": ["GOSU_VERSION", "LANG", "PGDATA", "PG_MAJOR", "PG_VERSION"],
            "sdk": ["DOTNET_VERSION", "DOTNET_SDK_VERSION", "ASPNET_VERSION"],
            "aspnet": ["DOTNET_VERSION", "ASPNET_VERSION"], "runtime": ["DOTNET_VERSION"],
            "cuda": ["CUDA_VERSION", "LD_LIBRARY_PATH", "LIBRARY_PATH", "NV_CUDNN_VERSION"],
            "erlang": ["OTP_VERSION", "REBAR3_VERSION"], "elixir": ["ELIXIR_VERSION", "LANG", "OTP_VERSION"],
            "julia": ["JULIA_PATH", "JULIA_VERSION"], "swift": ["SWIFT_VERSION"], "haskell": ["LANG"],
        ]
    }()

    /// Whether an image of this name is known to set the variable.
    static func isSet(_ variable: String, by image: String) -> Bool {
        let path = image.split(separator: "@").first ?? ""
        let last = path.split(separator: "/").last ?? ""
        guard let name = last.split(separator: ":").first else { return false }
        return byImage[String(name)]?.contains(variable) ?? false
    }
}
