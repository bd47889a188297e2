internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire

/// The node's devices, and which of them a grant means.
struct NodeDevices: Sendable {
    var gres: [NodeHardware.GRES] = []

    /// What the grants of an allocated node come to: numbers and files.
    func list(_ grants: [WireGRESGrant]) -> [WireStepGRES] {
        grants.map { grant in
            var found = WireStepGRES()
            found.name = grant.name
            found.type = grant.type
            found.count = grant.count
            for place in grant.devices {
                guard let device = device(grant, Int(place)) else { continue }
                found.indices.append(UInt32(device.number))
                if !device.file.isEmpty { found.files.append(device.file) }
            }
            return found
        }
    }

    /// Its number among all of the name, as Slurm counts: the one its file ends in, where all files end in one.
    private func device(_ grant: WireGRESGrant, _ place: Int) -> (number: Int, file: String)? {
        let named = gres.filter { $0.name == grant.name }
        let files = named.flatMap { $0.devices.map(\.file) }
        var start = 0
        for kind in named {
            guard kind.type == grant.type else {
                start += kind.devices.count
                continue
            }
            guard place < kind.devices.count else { return nil }
            let file = kind.devices[place].file
            let numbers = files.compactMap(Self.number)
            let isNumbered = numbers.count == files.count && Set(numbers).count == files.count
            return (isNumbered ? Self.number(file) ?? start + place : start + place, file)
        }
        return nil
    }

    private static func number(_ file: String) -> Int? {
        let digits = file.reversed().prefix { $0.isNumber }
        return Int(String(digits.reversed()))
    }

    /// All files of devices of the node.
    var files: [String] { gres.flatMap { $0.devices.map(\.file) }.filter { !$0.isEmpty } }

    /// What comes with any device of a maker: control files that all share.
    static func companions(of files: [String]) -> [String] {
        var all: [String] = []
        if files.contains(where: { $0.hasPrefix("/dev/nvidia") }) {
            all += ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"]
        }
        if files.contains(where: { $0.hasPrefix("/dev/dri") }) { all.append("/dev/kfd") }
        return all
    }
}
