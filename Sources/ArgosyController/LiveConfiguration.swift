// The configuration the controller goes by now: what was read at the start, until it is told to read it again.
internal import ArgosyConfig
internal import ArgosyDomain
internal import Synchronization

/// Shared by everybody who answers questions. Nodes keep their numbers, so that a number is good for any later one.
@dynamicMemberLookup
final class LiveConfiguration: Sendable {
    private final class Held: Sendable {
        let configuration: ClusterConfiguration
        init(_ configuration: ClusterConfiguration) { self.configuration = configuration }
    }
    private let held: Mutex<Held>

    init(_ configuration: ClusterConfiguration) { held = Mutex(Held(configuration)) }

    var now: ClusterConfiguration { held.withLock { $0 }.configuration }

    func set(_ configuration: ClusterConfiguration) {
        let new = Held(configuration)
        held.withLock { $0 = new }
    }

    subscript<Value>(dynamicMember path: KeyPath<ClusterConfiguration, Value>) -> Value {
        held.withLock { $0 }.configuration[keyPath: path]
    }

    func node(named name: String) -> NodeIndex? { held.withLock { $0 }.configuration.node(named: name) }
}
