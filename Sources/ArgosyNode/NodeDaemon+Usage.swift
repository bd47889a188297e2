internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire

// What running steps use now: asked by sstat, answered from their cgroups. Nothing is recorded; who asks is not kept
// waiting by an answer that is lost, and asks again.
extension NodeDaemon {
    func answer(_ question: WireUsageQuestion) {
        let cgroups = question.steps.compactMap { name -> (WireStepName, Cgroup)? in
            let id = AttemptID(name.job, name.attempt)
            let step = StepID(name.step)
            guard attempts[id]?.steps[step]?.phase == .running else { return nil }
            return (name, context.cgroup(id).child("step_\(step)"))
        }
        let (node, link) = (context.node, link)
        // Reading /proc takes as long as there are processes.
        detachThread {
            var frame = WireNodeToController()
            frame.usage.number = question.number
            frame.usage.steps = question.steps.map { name in
                var usage = WireNodeStepUsage()
                usage.node = node
                guard let cgroup = cgroups.first(where: { $0.0 == name })?.1 else { return usage }
                let now = cgroup.usageNow()
                usage.usage = WireUsage(cgroup.usage())
                usage.memoryBytes = now.memoryBytes
                usage.processes = now.processes.map { UInt32(clamping: $0) }
                usage.readBytes = now.readBytes
                usage.writtenBytes = now.writtenBytes
                usage.virtualBytes = now.virtualBytes
                usage.pageFaults = now.majorFaults
                return usage
            }
            link.send(frame)
        }
    }
}
