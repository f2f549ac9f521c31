// swift-tools-version: 6.2
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

// Each connector's folder has a README beside its sources.
let connectors = Context.packageDirectory + "/Sources/Connectors"
let readmes = try FileManager.default.contentsOfDirectory(atPath: connectors).map { "\($0)/README.md" }
    .filter { FileManager.default.fileExists(atPath: "\(connectors)/\($0)") }.sorted()

let package = Package(
    name: "kontor",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "kontor", targets: ["Kontor"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZxcvbn", providers: [.apt(["libzxcvbn-dev"])]),
        .target(name: "CCurl", dependencies: ["CLibcurl"]),
        .target(name: "CPhone", linkerSettings: [.linkedLibrary("phonenumber")]),
        .target(name: "CHost"),
        .target(name: "Cryptography", dependencies: ["CLibcrypto", "CZxcvbn"], swiftSettings: strict),
        .target(name: "Postgres", dependencies: ["CLibpq", "CHost", logging], swiftSettings: strict),
        .target(name: "Hub", dependencies: ["CPhone"], swiftSettings: strict),
        .target(name: "Store", dependencies: ["Postgres", "Hub", "Cryptography", logging], swiftSettings: strict),
        .target(
            name: "ConnectorKit", dependencies: ["Hub", "Cryptography", "CCurl", "CLibcurl", logging],
            swiftSettings: strict),
        .target(
            name: "Connectors", dependencies: ["ConnectorKit", "Hub", "Cryptography"],
            exclude: readmes,
            swiftSettings: strict),
        .target(
            name: "Relay", dependencies: ["Store", "ConnectorKit", "Hub", logging], swiftSettings: strict),
        .target(
            name: "Web",
            dependencies: [
                "Store", "Hub", "Cryptography", "CZlib", logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Kontor",
            dependencies: [
                "Web", "Relay", "Store", "Postgres", "Connectors", "ConnectorKit", "Hub", "Cryptography", logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "kontor-bench",
            dependencies: ["Relay", "Store", "Postgres", "ConnectorKit", "Hub", "CHost", logging],
            path: "Sources/Bench", swiftSettings: strict),
        .target(
            name: "TestKit", dependencies: ["Postgres", "Store", "ConnectorKit", "Hub", logging],
            path: "Tests/TestKit", swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", logging], swiftSettings: strict),
        .testTarget(name: "HubTests", dependencies: ["Hub", "Cryptography"], swiftSettings: strict),
        .testTarget(
            name: "ConnectorTests", dependencies: ["Connectors", "ConnectorKit", "Hub", "Cryptography", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "WebTests", dependencies: ["Web", "Store", "Postgres", "Hub", "Cryptography", "TestKit", logging],
            swiftSettings: strict),
        .testTarget(
            name: "StoreTests",
            dependencies: ["Store", "Postgres", "Relay", "ConnectorKit", "Hub", "Cryptography", "TestKit", logging],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
