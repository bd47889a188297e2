// GPUs and accelerators: PCI devices of a display or accelerator class that compute.
//
// A device of class 0302, 0380 or 1200 of NVIDIA or AMD is one; a VGA controller (0300) only when a compute library knows
// it (hwloc lists an OS device of CUDA, NVML, RSMI, OpenCL or Level Zero below it), as an onboard display is none; devices
// of Intel likewise. Their order is the library's own, so that positions mean what CUDA_VISIBLE_DEVICES and
// ROCR_VISIBLE_DEVICES count; without a library it is that of the PCI bus.

import CHwloc

extension Topology {
    public struct GPU: Hashable, Sendable {
        /// "0000:04:00.0"
        public var busID: String
        /// "nvidia", "amd", "intel"
        public var vendor: String
        /// The model in lower case without blanks, as Slurm's AutoDetect writes it; the vendor where it is not known.
        public var type: String
        /// Kernel numbers of the processing units near to it.
        public var pus: [Int]
        /// Kernel number of the NUMA node near to it; nil: several are.
        public var numaNode: Int?
        /// "/dev/nvidia0"; empty: not known.
        public var file: String
        /// The library's number.
        var number: Int?
    }
}

extension Handle {
    /// In the order of the vendors' libraries.
    func gpus() -> [Topology.GPU] {
        var found: [Topology.GPU] = []
        var next: hwloc_obj_t?
        while let device = hwloc_get_next_pcidev(topology, next) {
            next = device
            if let gpu = gpu(device) { found.append(gpu) }
        }
        found.sort { ($0.vendor, $0.number ?? .max, $0.busID) < ($1.vendor, $1.number ?? .max, $1.busID) }
        let nvidia = found.indices.filter { found[$0].vendor == "nvidia" }
        for (position, index) in nvidia.enumerated() {
            found[index].file = "/dev/nvidia\(found[index].number ?? position)"
        }
        return found.sorted { a, b in
            a.vendor == "nvidia" && b.vendor != "nvidia"
        }
    }

    private func gpu(_ device: hwloc_obj_t) -> Topology.GPU? {
        guard let attributes = device.pointee.attr?.pointee.pcidev else { return nil }
        let names = osDevices(below: device)
        let computes = names.contains { name in Self.libraries.contains { name.hasPrefix($0) } }
        let vendor: String
        switch (attributes.vendor_id, attributes.class_id) {
        case (0x10de, 0x0302), (0x10de, 0x0380), (0x10de, 0x1200): vendor = "nvidia"
        case (0x1002, 0x0302), (0x1002, 0x0380), (0x1002, 0x1200): vendor = "amd"
        case (0x10de, 0x0300) where computes: vendor = "nvidia"
        case (0x1002, 0x0300) where computes: vendor = "amd"
        case (0x8086, 0x0300) where computes, (0x8086, 0x0380) where computes: vendor = "intel"
        default: return nil
        }
        let near = hwloc_get_non_io_ancestor_obj(topology, device)
        let nodes = numaNodes(near)
        var gpu = Topology.GPU(
            busID: busID(attributes), vendor: vendor, type: model(device) ?? vendor, pus: units(near),
            numaNode: nodes.count == 1 ? nodes[0] : nil, file: "")
        gpu.number = names.lazy.compactMap(Self.number).first
        if let render = names.first(where: { $0.hasPrefix("renderD") }), vendor != "nvidia" {
            gpu.file = "/dev/dri/\(render)"
        }
        return gpu
    }

    private static let libraries = ["cuda", "nvml", "rsmi", "opencl", "ze"]

    /// Of "nvml3", "rsmi3", "cuda3"; nil for other names.
    private static func number(_ name: String) -> Int? {
        for library in ["nvml", "rsmi", "cuda", "ze"] where name.hasPrefix(library) {
            return Int(name.dropFirst(library.count))
        }
        return nil
    }

    private func busID(_ device: hwloc_pcidev_attr_s) -> String {
        func hex(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(hex(device.domain, 4)):\(hex(device.bus, 2)):\(hex(device.dev, 2)).\(device.func)"
    }

    private func osDevices(below device: hwloc_obj_t) -> [String] {
        var names: [String] = []
        var child = device.pointee.io_first_child
        while let found = child {
            if let name = found.pointee.name { names.append(String(cString: name)) }
            names += osDevices(below: found)
            child = found.pointee.next_sibling
        }
        return names
    }

    /// "Tesla V100-SXM2-16GB" as "tesla_v100-sxm2-16gb", from the libraries' OS devices.
    private func model(_ device: hwloc_obj_t) -> String? {
        var child = device.pointee.io_first_child
        while let found = child {
            if let text = hwloc_obj_get_info_by_name(found, "GPUModel") {
                let words = String(cString: text).lowercased().split { !($0.isLetter || $0.isNumber || $0 == "-") }
                if !words.isEmpty { return words.joined(separator: "_") }
            }
            child = found.pointee.next_sibling
        }
        return nil
    }

    private func units(_ object: hwloc_obj_t?) -> [Int] {
        guard let set = object?.pointee.cpuset else { return [] }
        return objects(HWLOC_OBJ_PU).map { Int($0.pointee.os_index) }.filter {
            hwloc_bitmap_isset(set, UInt32($0)) != 0
        }
    }

    /// NUMA nodes with processing units of `object`; those without (memory beside the processors') are not counted.
    private func numaNodes(_ object: hwloc_obj_t?) -> [Int] {
        let near = Set(units(object))
        var nodes: [Int] = []
        for pu in objects(HWLOC_OBJ_PU) where near.contains(Int(pu.pointee.os_index)) {
            let node = numaNode(of: pu)
            if !nodes.contains(node) { nodes.append(node) }
        }
        return nodes
    }
}
