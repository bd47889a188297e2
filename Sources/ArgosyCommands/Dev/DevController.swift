import ArgosyClient
import ArgosyConfig
import ArgosySystem
import ArgosyWire

/// Asks the cluster's controller, whatever the environment says of other clusters and jobs.
struct DevController {
    let configuration: ClusterConfiguration

    init(_ cluster: DevCluster) throws(DevError) {
        do { configuration = try ConfigurationFile.load(cluster.configuration).configuration } catch {
            throw DevError("cannot use \(cluster.configuration)", "\(error)")
        }
    }

    /// Its nodes. Throws what kept it from answering.
    func nodes() throws -> [WireNodeInfo] {
        let connection = try ControllerConnection.open(configuration, relay: nil)
        var request = WireRequest()
        request.body = .listNodes(WireListNodes())
        guard case .nodes(let list)? = try connection.call(request, timeout: .seconds(10)).body else {
            throw DevError("the controller answered something else")
        }
        return list.nodes
    }

    /// It has registered and answers.
    static func isRegistered(_ node: WireNodeInfo) -> Bool {
        !["UNKNOWN", "DOWN"].contains(node.state) && !node.flags.contains("NOT_RESPONDING")
    }

    /// As sinfo would: "IDLE+DRAIN".
    static func stateText(_ node: WireNodeInfo) -> String { ([node.state] + node.flags).joined(separator: "+") }
}
