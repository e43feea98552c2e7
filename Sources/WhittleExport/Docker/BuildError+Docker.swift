public import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// There is no Docker daemon to load an image into.
    public static let dockerUnreachable = BuildError.Code(rawValue: "docker-unreachable")
    /// The Docker daemon did not take an image.
    public static let dockerRefused = BuildError.Code(rawValue: "docker-refused")
}

extension BuildError {
    private static let dockerHint =
        "start docker, set $DOCKER_HOST to 'unix://PATH', or write an archive with '-o type=docker,dest=FILE'"

    static func dockerHost(_ host: String) -> BuildError {
        BuildError(
            .dockerUnreachable,
            "cannot load the image into docker: $DOCKER_HOST '\(printable(host))' is no unix socket",
            hint: dockerHint)
    }

    static func dockerUnreachable(_ socket: DockerSocket, _ problem: String) -> BuildError {
        BuildError(
            .dockerUnreachable, "cannot load the image into docker at '\(printable(socket.path))': \(problem)",
            hint: dockerHint)
    }

    static func dockerRefused(_ socket: DockerSocket, _ message: String) -> BuildError {
        BuildError(
            .dockerRefused, "docker at '\(printable(socket.path))' did not take the image: \(printable(message))",
            hint: "see the log of the docker daemon; its disk may be full")
    }
}
