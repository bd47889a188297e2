// Every key that slurm.conf(5), cgroup.conf(5), gres.conf(5) and topology.conf(5) document, once: parsing checks values
// by it, `scontrol show config` and the tables of argosy.conf(5) are made from it, and a test holds it against the list
// of documented names. What a key means where it has a typed place in ClusterConfiguration is one reader in
// ConfigurationParser; everything else asks `ClusterConfiguration.text(_:)` and its kin.

public enum ConfigurationTable {
    /// Which line, or which file, a key belongs to.
    public enum Place: String, CaseIterable, Hashable, Sendable {
        case general, node, downNodes, frontEnd, nodeSet, partition, cgroup, gres, topology
        /// Keys of ours, in the main file.
        case argosy
    }

    /// The keys of a place, those of the main file in the order in which they are shown.
    public static func keys(_ place: Place) -> [ConfigurationKey] {
        switch place {
        case .general: general
        case .node: nodeKeys
        case .downNodes: downNodesKeys
        case .frontEnd: frontEndKeys
        case .nodeSet: nodeSetKeys
        case .partition: partitionKeys
        case .cgroup: cgroupKeys
        case .gres: gresKeys
        case .topology: topologyKeys
        case .argosy: argosyKeys
        }
    }

    /// A key of a place, in any case; nil: none is documented under this name.
    public static func key(_ name: String, _ place: Place = .general) -> ConfigurationKey? {
        index[place]?[name.lowercased()]
    }

    private static let general = keysAtoM + keysMtoZ + hiddenKeys

    private static let index: [Place: [String: ConfigurationKey]] = Dictionary(
        uniqueKeysWithValues: Place.allCases.map { place in
            let pairs = keys(place).filter { $0.state != .fact }.map { ($0.name.lowercased(), $0) }
            return (place, Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
        })

    static let limitNames = [
        "ALL", "NONE", "AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK",
    ]
}

// Why keys have no effect, where several share the reason.
extension ConfigurationTable {
    static let noDatabase = "records are in the controller's own store, not in a database daemon's"
    static let noSensors = "energy and file system counters are not gathered"
    static let noPlugins = "there are no plugins to load"
    static let noFrequency = "clock frequencies are left as they are"
    static let logs = "argosyctld(8) and argosyd(8) log as their own options say"
    static let noCompletionLog = "ended jobs are in the controller's own store; ask sacct(1)"
    static let noPower = "nodes are not switched off and on"
    static let noTree = "the controller keeps a link to each node"
    static let noSwitch = "switches need no set-up"
    static let noPIDFile = "daemons write no such file; systemd knows them"
    static let oneController = "there is one controller at a time"
    static let noLabels = "jobs carry no labels of this kind"
}

extension ConfigurationKey.State {
    static let notYet = Self.noEffect("not built yet")
}
