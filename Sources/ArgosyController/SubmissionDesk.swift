// Makes a submission ready for the core, on threads that may wait: who submits, what the script is, which image a tag
// means now. The client's word about identity and digests counts for nothing.
internal import ArgosyConfig
internal import ArgosyContainer
internal import ArgosyCore
public import ArgosyDomain
internal import ArgosyLink
internal import ArgosyStore
internal import ArgosySystem
internal import ArgosyWire
internal import NIOPosix
internal import Synchronization

/// Finds out an image's digest; `ImageResolver` in life.
public protocol ImageLookup: Sendable {
    /// Throws an error whose description is for the user.
    func digest(of image: String, as identity: Identity) throws -> String
}

struct RegistryLookup: ImageLookup {
    private var settings = ImageSettings()

    init(_ configuration: ClusterConfiguration) {
        for entry in configuration.entries { settings.apply(key: entry.key, value: entry.value) }
        settings.timeout = .seconds(60)
    }

    func digest(of image: String, as identity: Identity) throws -> String {
        return try ImageResolver(settings: settings).resolve(try ImageReference(image), as: identity)
    }
}

struct PreparedSubmission: Sendable {
    var fields: JobSpec.Fields
    var blobs: [Blob]
    var token: String
    var waits: Bool
    var caller: Caller
}

struct SubmissionDesk: Sendable {
    static let maxScriptBytes = 4 << 20
    static let maxEnvironmentBytes = 8 << 20

    let users: Users
    let store: any Store
    let images: any ImageLookup
    let isOperator: @Sendable (UInt32) -> Bool

    /// Blocks for name services and, with an image, for its registry. Throws `Refusal`.
    func prepare(_ request: WireSubmitJob, from peer: CommandPeer, relayedFor: AttemptKey?) throws(Refusal)
        -> PreparedSubmission
    {
        guard store.hasRoom else {
            throw Refusal(
                .storeFull, "No space left on device",
                detail:
                    "the controller's StateSaveLocation is nearly full and takes no new jobs; tell the administrator")
        }
        let identity = try identity(request.job, peer)
        var fields = request.job.domain
        fields.identity = identity
        fields.killOnClientLoss = request.waitForAllocation && !request.keepOnClientLoss
        var blobs: [Blob] = []
        try addScript(of: request, to: &fields, &blobs)
        try resolveImage(&fields)
        return PreparedSubmission(
            fields: fields, blobs: blobs, token: request.token, waits: request.waitForAllocation && !request.onlyID,
            caller: Caller(
                uid: identity.uid, gid: identity.gid, isOperator: relayedFor == nil && isOperator(peer.uid),
                relayedFor: relayedFor))
    }

    /// The peer, or for root whom root names.
    private func identity(_ job: WireJobSpec, _ peer: CommandPeer) throws(Refusal) -> Identity {
        let named = peer.uid == 0 && job.hasIdentity && job.identity.uid != 0
        let uid = named ? job.identity.uid : peer.uid
        let group = peer.uid == 0 && job.hasRunGid ? job.runGid : named ? nil : peer.gid
        guard let identity = users.identity(uid: uid, gid: group, isChosen: job.hasRunGid && peer.uid == 0) else {
            throw Refusal(
                .invalidUser, "Invalid user id",
                detail: "uid \(uid) is not known on the controller's machine; its name service must know all users")
        }
        return identity
    }

    private func addScript(of request: WireSubmitJob, to fields: inout JobSpec.Fields, _ blobs: inout [Blob])
        throws(Refusal)
    {
        let script = [UInt8](request.job.script)
        fields.scriptDigest = ""
        fields.environmentDigest = ""
        if script.isEmpty {
            if request.waitForAllocation { return }
            throw Refusal(.invalidScript, "Batch script is empty!")
        }
        try Self.check(script)
        let environment = Environment.join(request.job.environment)
        guard environment.count <= Self.maxEnvironmentBytes else {
            throw Refusal(
                .tooLarge, "Environment is too large",
                detail:
                    "\(environment.count) bytes, the limit is \(Self.maxEnvironmentBytes); use --export to send less")
        }
        fields.scriptDigest = add(script, &blobs)
        if !environment.isEmpty { fields.environmentDigest = add(environment, &blobs) }
    }

    private func add(_ bytes: [UInt8], _ blobs: inout [Blob]) -> String {
        let digest = SHA256.hex(SHA256.hash(bytes))
        blobs.append(Blob(digest: digest, bytes: bytes))
        return digest
    }

    /// Slurm's checks and texts.
    static func check(_ script: [UInt8]) throws(Refusal) {
        guard script.count <= maxScriptBytes else {
            throw Refusal(
                .tooLarge, "Job script exceeds size limit",
                detail: "\(script.count) bytes, the limit is \(maxScriptBytes); put data into files")
        }
        guard script.starts(with: [0x23, 0x21]) else {
            throw Refusal(
                .invalidScript,
                "This does not look like a batch script.  The first\nline must start with #! followed by the path to"
                    + " an interpreter.\nFor instance: #!/bin/sh")
        }
        if script.contains(0) {
            throw Refusal(
                .invalidScript,
                "The Slurm controller does not allow scripts that contain a NULL character '\\0'.")
        }
        if let end = script.firstIndex(of: 0x0a), end > 0, script[end - 1] == 0x0d {
            throw Refusal(
                .invalidScript,
                "Batch script contains DOS line breaks (\\r\\n)\ninstead of expected UNIX line breaks (\\n).")
        }
    }

    private func resolveImage(_ fields: inout JobSpec.Fields) throws(Refusal) {
        guard var container = fields.container else { return }
        if fields.identity.uid == 0 {
            throw Refusal(
                .accessDenied, "Containers never run as root",
                detail: "submit the job as the user it is for (sbatch --uid, or sudo -u)")
        }
        do { container.digest = try images.digest(of: container.image, as: fields.identity) } catch {
            throw Refusal(.badImage, "Invalid container image", detail: "\(error)")
        }
        fields.container = container
    }
}
