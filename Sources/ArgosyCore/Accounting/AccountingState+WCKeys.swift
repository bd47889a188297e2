// Keys that users' jobs can be counted under beside their account.
import ArgosyDomain

extension AccountingState {
    func wckey(_ name: String, of user: String) -> WCKey? {
        wckeys.first { $0.name == name && $0.user == user }
    }

    mutating func addWCKey(_ name: String, _ owner: String) throws(Refusal) {
        try Self.checkName(name, "wckey")
        guard var user = user(named: owner) else {
            throw Refusal(.invalidUser, "Invalid user: \(owner)", detail: "add the user first")
        }
        guard wckey(name, of: owner) == nil else { return }
        guard wckeys.count < Self.recordLimit else { throw Self.full("wckeys") }
        marks.wckey += 1
        let key = WCKey(id: marks.wckey, name: name, user: owner)
        wckeys.append(key)
        changed(.wckey(key))
        guard user.defaultWCKey.isEmpty else { return }
        user.defaultWCKey = name
        put(user)
    }

    mutating func removeWCKeys(_ ids: [UInt32]) {
        for key in wckeys where ids.contains(key.id) {
            wckeys.removeAll { $0.id == key.id }
            changed(.wckeyRemoved(key.id))
            if var user = user(named: key.user), user.defaultWCKey == key.name {
                user.defaultWCKey = wckeys.first { $0.user == key.user }?.name ?? ""
                put(user)
            }
        }
    }

    /// With the user who goes.
    mutating func removeWCKeys(of user: String) {
        for key in wckeys where key.user == user {
            wckeys.removeAll { $0.id == key.id }
            changed(.wckeyRemoved(key.id))
        }
    }

    mutating func takeTriggerID() -> UInt32 {
        marks.trigger += 1
        rows.append(.marks(marks))
        return marks.trigger
    }
}
