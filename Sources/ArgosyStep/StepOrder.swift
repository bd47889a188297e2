internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire

/// What a step directory says about its step.
struct StepOrder {
    struct Unreadable: Error, CustomStringConvertible { var description: String }

    let paths: StepPaths
    let launch: WireLaunchStep
    let context: WireStepContext
    /// Ascending; a task's place here is its local id.
    let ranks: [UInt32]
    var isBatch: Bool { launch.step == StepID.batch.rawValue }
    var identity: Identity { launch.job.spec.identity.domain }
    var isContainerized: Bool { context.hasContainer && !launch.noContainer }
    var here: WireAllocatedNode {
        let nodes = launch.layout.nodes
        return Int(launch.nodeIndex) < nodes.count ? nodes[Int(launch.nodeIndex)] : WireAllocatedNode()
    }
    /// "5.batch", as Slurm names steps in messages.
    var name: String { "\(context.job).\(StepID(launch.step))" }

    /// Throws when the directory was not written by argosyd of this release.
    init(directory: String) throws {
        paths = StepPaths(directory: directory)
        guard let order = SpoolFile.read(paths.order), let launch = try? WireLaunchStep(serializedBytes: order) else {
            throw Unreadable(description: "\(paths.order) is missing or cannot be read")
        }
        guard let bytes = SpoolFile.read(paths.context), let context = try? WireStepContext(serializedBytes: bytes)
        else { throw Unreadable(description: "\(paths.context) is missing or cannot be read") }
        self.launch = launch
        self.context = context
        if launch.step == StepID.batch.rawValue {
            ranks = [0]
        } else {
            let layout = RankLayout(tasksPerNode: launch.layout.nodes.map(\.tasks))
            ranks = layout.ranks(on: Int(launch.nodeIndex), Self.rankOrder(launch))
        }
    }

    private static func rankOrder(_ launch: WireLaunchStep) -> RankLayout.Order {
        let word = launch.options.distribution.lowercased().prefix { $0 != ":" && $0 != "," }
        if word == "cyclic" { return .turns(1) }
        if word.hasPrefix("plane"), let size = UInt32(word.drop { $0 != "=" }.dropFirst()) { return .turns(size) }
        let nodes = launch.layout.nodes
        if word == "arbitrary", !launch.options.hostList.isEmpty, Int(launch.nodeIndex) < nodes.count {
            return .named(launch.options.hostList.map { $0 == nodes[Int(launch.nodeIndex)].name })
        }
        return .block
    }

    /// `argosy/<cluster>/<node>/job_<id>.<attempt>/step_<name>`
    var cgroupPath: String {
        "argosy/\(context.cluster)/\(context.node)/job_\(context.job).\(context.attempt)/step_\(StepID(launch.step))"
    }
}
