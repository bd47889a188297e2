// What a job asks of its nodes, to the wire and back.
public import ArgosyDomain

extension WireResourceOptions {
    public init(_ options: ResourceOptions) {
        self.init()
        constraint = options.constraint
        prefer = options.prefer
        tasksPerSocket = options.tasksPerSocket
        tasksPerCore = options.tasksPerCore
        tasksPerGpu = options.tasksPerGPU
        socketsPerNode = options.socketsPerNode
        coresPerSocket = options.coresPerSocket
        threadsPerCore = options.threadsPerCore
        minCpusPerNode = options.minCPUsPerNode
        minTmpDiskMib = options.minTmpDiskMiB
        memoryPerGpuMib = options.memoryPerGPUMiB
        gres = options.gres.map(WireGRESRequest.init)
        cpusPerGpu = options.cpusPerGPU
        licenses = options.licenses.map(WireLicenseRequest.init)
        anyLicense = options.anyLicense
        setUse(options)
    }

    private mutating func setUse(_ options: ResourceOptions) {
        sharing = options.sharing.rawValue
        overcommit = options.overcommit
        contiguous = options.contiguous
        spreadJob = options.spreadJob
        useMinNodes = options.useMinNodes
        switches = options.switches
        switchWaitS = options.switchWait
        reservation = options.reservation
        distribution = options.distribution
        coreSpec = options.coreSpec
    }

    /// A way of sharing that this release does not know reads as the safest one, whole nodes.
    public var domain: ResourceOptions {
        var options = ResourceOptions()
        options.constraint = constraint
        options.prefer = prefer
        options.tasksPerSocket = tasksPerSocket
        options.tasksPerCore = tasksPerCore
        options.tasksPerGPU = tasksPerGpu
        options.socketsPerNode = socketsPerNode
        options.coresPerSocket = coresPerSocket
        options.threadsPerCore = threadsPerCore
        options.minCPUsPerNode = minCpusPerNode
        options.minTmpDiskMiB = minTmpDiskMib
        options.memoryPerGPUMiB = memoryPerGpuMib
        options.gres = gres.map(\.domain)
        options.cpusPerGPU = cpusPerGpu
        options.licenses = licenses.map(\.domain)
        options.anyLicense = anyLicense
        readUse(into: &options)
        return options
    }

    private func readUse(into options: inout ResourceOptions) {
        options.sharing = Sharing(rawValue: sharing) ?? .exclusive
        options.overcommit = overcommit
        options.contiguous = contiguous
        options.spreadJob = spreadJob
        options.useMinNodes = useMinNodes
        options.switches = switches
        options.switchWait = switchWaitS
        options.reservation = reservation
        options.distribution = distribution
        options.coreSpec = coreSpec
    }
}

extension WireGRESRequest {
    public init(_ request: GRESRequest) {
        self.init()
        name = request.name
        type = request.type
        count = request.count
        per = request.per.rawValue
    }
    public var domain: GRESRequest {
        GRESRequest(name: name, type: type, count: count, per: GRESRequest.Per(rawValue: per) ?? .node)
    }
}

extension WireLicenseRequest {
    public init(_ request: LicenseRequest) {
        self.init()
        name = request.name
        count = request.count
    }
    public var domain: LicenseRequest { LicenseRequest(name: name, count: count) }
}
