extension ClusterConfiguration {
    /// The cluster that needs no file: this machine is controller and only node, in partition `main`.
    ///
    /// - Parameters:
    ///   - memoryMiB: the machine's; one sixteenth of it stays with the system.
    public static func oneMachine(hostname: String, cpus: Int, memoryMiB: UInt64) -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.controllers = [.init(name: hostname, address: "127.0.0.1")]
        configuration.nodes = [
            .init(
                name: hostname, address: "127.0.0.1", cpus: max(1, cpus), sockets: 1,
                memoryMiB: max(1, memoryMiB - memoryMiB / 16))
        ]
        var partition = Partition(name: "main")
        partition.isDefault = true
        partition.nodes = [.init(0)]
        configuration.partitions = [partition]
        return configuration
    }
}
