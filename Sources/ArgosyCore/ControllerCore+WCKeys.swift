// Keys that jobs are counted under: whose they are, and what a job gets that names none.
import ArgosyConfig
import ArgosyDomain

extension ControllerCore {
    private var tracksWCKeys: Bool {
        let value = configuration.entries.last { $0.key.lowercased() == "trackwckey" }?.value.lowercased() ?? ""
        return ["yes", "true", "1", "up"].contains(value) || configuration.accounting.enforce.contains(.wckeys)
    }

    /// With TrackWCKey: the user's default, marked with a star as what was not asked for. With
    /// AccountingStorageEnforce=wckeys: only the user's own.
    func settleWCKey(_ fields: inout JobSpec.Fields) throws(Refusal) {
        guard tracksWCKeys else { return }
        let user = tables.accounting.user(named: fields.identity.user.lowercased())
        if fields.wckey.isEmpty { fields.wckey = "*" + (user?.defaultWCKey ?? "") }
        guard configuration.accounting.enforce.contains(.wckeys) else { return }
        let name = fields.wckey.hasPrefix("*") ? String(fields.wckey.dropFirst()) : fields.wckey
        guard tables.accounting.wckey(name.lowercased(), of: fields.identity.user.lowercased()) == nil else { return }
        throw Refusal(
            .malformed, "Invalid wckey specification",
            detail: name.isEmpty
                ? "user \(fields.identity.user) has no default wckey; name one with --wckey"
                : "user \(fields.identity.user) has no wckey \(name); see sacctmgr show wckey")
    }
}
