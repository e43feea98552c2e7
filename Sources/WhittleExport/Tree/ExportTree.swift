package import WhittleCore

/// The root file system of an image for one platform, ready to be copied.
package struct ExportTree: Sendable {
    package let platform: Platform
    /// Shows the file system, complete and unchanging.
    package let directory: String
    /// What becomes of the times of its files; `nil` keeps them.
    package let times: TimeRule?

    package init(platform: Platform, directory: String, times: TimeRule? = nil) {
        self.platform = platform
        self.directory = directory
        self.times = times
    }

    /// What its directory is called in an output that has one for each platform: `linux_arm_v7`.
    var directoryName: String { platform.description.replacing("/", with: "_") }
}
