// swift-tools-version: 6.2
import PackageDescription

// Leaf first: a target imports only what stands above it. Tests/HouseTests reads the imports and holds them to this.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// Our own libraries: strict settings for all.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A foreign library: a module map and a shim.h, imported by exactly one target.
func foreign(_ name: String, debian: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", providers: [.apt([debian])])
}

func daemon(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/Daemons/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]
let tls: [Target.Dependency] = [
    .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
]
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "argosy",
    products: [
        .executable(name: "argosy", targets: ["argosy"]),
        .executable(name: "argosyctld", targets: ["argosyctld"]),
        .executable(name: "argosyd", targets: ["argosyd"]),
        .executable(name: "argosystepd", targets: ["argosystepd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // C: ours, then one module map per foreign library.
        .target(
            name: "CArgosyShim", path: "Sources/C/CArgosyShim",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]),
        foreign("CCrypto", debian: "libssl-dev"),
        foreign("CHwloc", debian: "libhwloc-dev"),
        foreign("CMunge", debian: "libmunge-dev"),
        foreign("CSeccomp", debian: "libseccomp-dev"),
        foreign("CSQLite", debian: "libsqlite3-dev"),
        foreign("CZlib", debian: "zlib1g-dev"),

        // Pure: no I/O, no clock, no randomness.
        library("ArgosyDomain"),
        library("ArgosyConfig", ["ArgosyDomain"]),
        library("ArgosyScheduler", ["ArgosyDomain", "ArgosyConfig"]),
        library("ArgosyCore", ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler"]),
        library("ArgosyWire", ["ArgosyDomain", protobuf], exclude: ["Proto"]),

        // Linux.
        library("ArgosySystem", ["ArgosyDomain", "ArgosyConfig", "CArgosyShim", "CCrypto"]),
        library("ArgosyHardware", ["ArgosyDomain", "CHwloc"]),
        library("ArgosyContainer", ["ArgosyDomain", "ArgosySystem", "CArgosyShim", "CSeccomp"]),

        // Services.
        library("ArgosyStore", ["ArgosyDomain", "ArgosyWire", "ArgosyCore", "CSQLite", protobuf]),
        library("ArgosyTransport", ["ArgosyDomain", "ArgosyWire", "ArgosySystem", "CMunge", "CArgosyShim"]),
        library(
            "ArgosyLink",
            ["ArgosyDomain", "ArgosyWire", "ArgosySystem", "ArgosyTransport", logging, protobuf] + nio + tls),
        library(
            "ArgosyClient",
            ["ArgosyDomain", "ArgosyConfig", "ArgosyWire", "ArgosyTransport", "ArgosySystem", protobuf]),

        library(
            "ArgosyTrace",
            ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore", "ArgosySystem", "CZlib"]),

        // Shells.
        library(
            "ArgosyController",
            [
                "ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore", "ArgosyWire", "ArgosyStore",
                "ArgosyTransport", "ArgosyLink", "ArgosySystem", "ArgosyContainer", logging, protobuf,
            ] + nio),
        library(
            "ArgosyNode",
            [
                "ArgosyDomain", "ArgosyConfig", "ArgosyWire", "ArgosyTransport", "ArgosyLink", "ArgosySystem",
                "ArgosyHardware", "ArgosyContainer", "ArgosyStep", logging,
            ] + nio),
        library(
            "ArgosyStep",
            ["ArgosyDomain", "ArgosyWire", "ArgosyTransport", "ArgosyClient", "ArgosySystem", "ArgosyContainer"]),
        library(
            "ArgosyCommands",
            [
                "ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyWire", "ArgosyTransport", "ArgosyClient",
                "ArgosySystem", "ArgosyTrace", protobuf,
            ]),
        library("ArgosySimulator", ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore"]),

        // Executables. The one for users is fully static, so that containers with any libc can run it; lld keeps
        // quiet about glibc's name services, which no command uses (the controller resolves names).
        .executableTarget(
            name: "argosy", dependencies: ["ArgosyCommands"], path: "Sources/Tools/argosy", swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags([
                    "-static-executable", "-use-ld=lld", "-lswiftSynchronization", "-l_FoundationCShims",
                    "-l_FoundationCollections",
                ])
            ]),
        daemon("argosyctld", ["ArgosyController", "ArgosyConfig", "ArgosyStore", "ArgosySystem", logging, arguments]),
        daemon("argosyd", ["ArgosyNode", "ArgosyConfig", "ArgosyDomain", "ArgosySystem", logging, arguments]),
        daemon("argosystepd", ["ArgosyStep"]),

        tests("HouseTests"),
        tests("EndToEndTests"),
        tests("ArgosyStepTests", ["ArgosyStep", "ArgosyWire", "ArgosyDomain", "ArgosySystem", "ArgosyTransport"]),
        tests(
            "ArgosyNodeTests",
            [
                "ArgosyNode", "ArgosyStep", "ArgosyWire", "ArgosyDomain", "ArgosyConfig", "ArgosySystem",
                "ArgosyTransport", "ArgosyLink", "argosystepd", logging,
            ]),
        tests("ArgosyTransportTests", ["ArgosyTransport", "ArgosySystem"]),
        tests("ArgosyConfigTests", ["ArgosyConfig", "ArgosyDomain", "ArgosySystem"]),
        tests(
            "ArgosyClientTests",
            ["ArgosyClient", "ArgosyConfig", "ArgosyDomain", "ArgosyTransport", "ArgosyWire", protobuf]),
        tests("ArgosyCommandsTests", ["ArgosyCommands", "ArgosyWire", "ArgosyDomain"]),
        tests("ArgosyTraceTests", ["ArgosyTrace", "ArgosyScheduler"], resources: [.copy("Traces")]),
        tests("ToolTests", ["ArgosyCommands"]),
        // Processes, cgroups and containers of the real kernel. The probe stands in for argosystepd.
        tests("ArgosySystemTests", ["ArgosySystem", "ArgosyDomain"]),
        tests("ArgosyHardwareTests", ["ArgosyHardware", "ArgosyDomain"]),
        tests("ArgosyContainerTests", ["ArgosyContainer", "ArgosySystem", "ArgosyDomain", "argosy-container-probe"]),
        .executableTarget(
            name: "argosy-container-probe", dependencies: ["ArgosyContainer", "ArgosySystem", "ArgosyDomain"],
            path: "Tests/ContainerProbe", swiftSettings: strict),
        tests("ArgosyWireTests", ["ArgosyWire", "ArgosyDomain"]),
        tests("ArgosyStoreTests", ["ArgosyStore", "ArgosyCore", "ArgosyDomain"]),
        tests(
            "ArgosyLinkTests",
            ["ArgosyLink", "ArgosyWire", "ArgosyTransport", "ArgosyDomain", "ArgosySystem", logging] + nio),
        tests(
            "ArgosyControllerTests",
            [
                "ArgosyController", "ArgosyStore", "ArgosyLink", "ArgosyCore", "ArgosyConfig", "ArgosyWire",
                "ArgosyTransport", "ArgosyDomain", "ArgosySystem", "argosyctld", logging, protobuf,
            ]),
        .executableTarget(
            name: "argosy-bench",
            dependencies: ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore"],
            path: "Sources/Tools/argosy-bench", swiftSettings: strict),

        // Tests.
        tests("ArgosyDomainTests", ["ArgosyDomain"]),
        tests(
            "ArgosySchedulerTests", ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler"],
            resources: [.copy("Topologies"), .copy("Golden")]),
        tests("ArgosyCoreTests", ["ArgosyDomain", "ArgosyConfig", "ArgosyScheduler", "ArgosyCore"]),
        tests("SimulationTests", ["ArgosyDomain", "ArgosyCore", "ArgosySimulator"]),
    ]
)
