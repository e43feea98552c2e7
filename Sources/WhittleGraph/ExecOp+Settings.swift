/// A line of `/etc/hosts` that a step sees.
public struct HostEntry: Hashable, Sendable {
    public var name: String
    /// IPv4 or IPv6, as text. No part of a cache key: the name says what the step may depend on.
    public var address: String

    public init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}

/// A limit of setrlimit(2) on the processes of a step.
public struct ResourceLimit: Hashable, Sendable {
    /// As docker names it: `nofile`.
    public var name: String
    public var soft: UInt64
    /// `UInt64.max` is no limit.
    public var hard: UInt64

    public init(name: String, soft: UInt64, hard: UInt64) {
        self.name = name
        self.soft = soft
        self.hard = hard
    }
}

/// A device of the Container Device Interface that a step asks for.
public struct DeviceRequest: Hashable, Sendable {
    /// `vendor.com/class=name`, `vendor.com/class=*`, `vendor.com/class` for the first one, or a class that an annotation
    /// of the device names.
    public var name: String
    /// Whether the step fails where there is no such device.
    public var isRequired: Bool

    public init(name: String, isRequired: Bool = true) {
        self.name = name
        self.isRequired = isRequired
    }
}
