// Nodes and their links.
import ArgosyCore
import ArgosyDomain

extension World {
    // MARK: Links

    mutating func connect(_ node: Int, _ boot: Int) {
        guard nodes[node].isUp, nodes[node].boot == boot, nodes[node].link == 0 else { return }
        guard core != nil, term >= nodes[node].highestTerm else {
            after(random.milliseconds(500...3000), .connect(NodeIndex(node), boot: boot))
            return
        }
        lastLink += 1
        nodes[node].link = lastLink
        nodes[node].registration += 1
        nodes[node].highestTerm = term
        (downlink[node], uplink[node]) = (now, now)
        let registration = Registration(
            incarnation: nodes[node].incarnation, cpus: nodes[node].cpus, memoryMiB: nodes[node].memoryMiB,
            held: nodes[node].held)
        deliverUp(.nodeRegistered(NodeIndex(node), registration), from: node)
        for report in nodes[node].reports { send(report, from: node) }
        if saboteur == .reportsNotRepeated { nodes[node].reports = [] }
    }

    private mutating func deliverUp(_ event: Event, from node: Int) {
        let link = nodes[node].link
        at(arrivalUp(node), .deliver(event, epoch: epoch, link: link, node: NodeIndex(node)))
    }

    /// Both ends notice. What was under way to the node is lost or comes late; what was under way to the controller may
    /// already lie in its inbox.
    mutating func breakLink(_ node: Int) {
        guard nodes[node].link != 0 else { return }
        brokenLinks += 1
        if random.chance(50) { lostLinks.insert(nodes[node].link) }
        nodes[node].link = 0
        let incarnation = nodes[node].incarnation
        after(
            random.milliseconds(1...5000),
            .deliver(.nodeDisconnected(NodeIndex(node), incarnation), epoch: epoch, link: 0, node: NodeIndex(node)))
        let away = isFaulty && random.chance(20) ? random.milliseconds(5000...60_000) : random.milliseconds(10...2000)
        after(away, .connect(NodeIndex(node), boot: nodes[node].boot))
    }

    // MARK: Orders

    private static let lateLink = -1

    mutating func receive(
        _ order: Order, on node: Int, _ link: Int, _ term: UInt64, _ incarnation: Incarnation, _ share: Allocation?
    ) {
        guard nodes[node].isUp else { return }
        if link != nodes[node].link && link != Self.lateLink {
            // What comes late of a broken link is its beginning: nothing follows what was lost.
            if lostDownlinks.contains(link) { return }
            if random.chance(50) {
                lostDownlinks.insert(link)
                return
            }
        } else if isFaulty && link != Self.lateLink && random.chance(5) {
            // Comes again long after, as from a controller that was thought dead.
            let late = random.milliseconds(100...40_000)
            after(late, .order(nodes[node].index, link: Self.lateLink, term: term, incarnation, order, share))
        }
        if link == Self.lateLink && nodes[node].link == 0 { return }
        let isCurrent = term >= nodes[node].highestTerm && incarnation == nodes[node].incarnation
        guard isCurrent || saboteur == .staleOrdersObeyed else { return }
        nodes[node].highestTerm = max(nodes[node].highestTerm, term)
        carryOut(order, on: node, share)
        if saboteur == .staleOrdersObeyed { return }
        if isFaulty && random.chance(5) { carryOut(order, on: node, share) }
    }

    private mutating func carryOut(_ order: Order, on node: Int, _ share: Allocation?) {
        switch order.body {
        case .prepare(let launchBatch): prepare(order.key, on: node, share, launchBatch: launchBatch)
        case .launch(let step): launch(step, order.key, on: node)
        case .terminate(let grace, _): terminate(order.key, on: node, grace)
        case .suspend(let number): pause(order.key, on: node, number, true)
        case .resume(let number): pause(order.key, on: node, number, false)
        case .setLimit: break
        case .signal: break
        }
    }

    private mutating func prepare(_ key: AttemptKey, on node: Int, _ allocation: Allocation?, launchBatch: Bool) {
        let isKnown = nodes[node].attempts[key] != nil || nodes[node].ended.contains(key)
        if isKnown && saboteur != .duplicateOrdersExecuted { return }
        guard let share = allocation?.nodes.first(where: { $0.index == nodes[node].index }) else { return }
        checkAccepted(key, on: node, share)
        nodes[node].attempts[key] = VirtualNode.Running(share: share)
        if isFaulty && random.chance(2) {
            report(
                .prepareFailed(message: "no room for the image", nodeAtFault: random.chance(20)), of: key, from: node)
            return
        }
        after(
            random.milliseconds(5...1500),
            .becomePrepared(NodeIndex(node), boot: nodes[node].boot, key, launchBatch: launchBatch))
    }

    mutating func becomePrepared(_ node: Int, _ boot: Int, _ key: AttemptKey, _ launchBatch: Bool) {
        guard nodes[node].boot == boot, nodes[node].isUp, let running = nodes[node].attempts[key],
            !running.isTerminating,
            !running.isPrepared || saboteur == .duplicateOrdersExecuted
        else { return }
        nodes[node].attempts[key]?.isPrepared = true
        report(.prepared, of: key, from: node)
        if launchBatch { launch(.batch, key, on: node) }
    }

    private mutating func launch(_ step: StepID, _ key: AttemptKey, on node: Int) {
        guard let running = nodes[node].attempts[key], running.isPrepared, !running.isTerminating else { return }
        if running.steps[step] != nil && saboteur != .duplicateOrdersExecuted { return }
        nodes[node].attempts[key]?.steps[step] = true
        if step == .batch { noteBatchStart(key) }
        report(.stepStarted(step), of: key, from: node)
        let exit = ExitStatus(code: random.chance(15) ? UInt32(random.in(1...9)) : 0)
        let length = random.chance(20) ? random.milliseconds(10...200) : random.milliseconds(500...40_000)
        after(length, .endStep(NodeIndex(node), boot: nodes[node].boot, key, step, exit))
    }

    mutating func endStep(_ node: Int, _ boot: Int, _ key: AttemptKey, _ step: StepID, _ exit: ExitStatus) {
        guard nodes[node].boot == boot, nodes[node].isUp, let running = nodes[node].attempts[key],
            running.steps[step] == true, !running.isTerminating
        else { return }
        if running.isSuspended {
            after(.milliseconds(500), .endStep(NodeIndex(node), boot: boot, key, step, exit))
            return
        }
        nodes[node].attempts[key]?.steps[step] = false
        if step == .batch { truth.batchExits[key] = exit }
        report(.stepEnded(step, StepEnd(exit: exit, end: now)), of: key, from: node)
        noteStepEnd(key, step)
    }

    private mutating func pause(_ key: AttemptKey, on node: Int, _ number: UInt32, _ suspended: Bool) {
        guard let running = nodes[node].attempts[key], !running.isTerminating, running.pause < number else { return }
        nodes[node].attempts[key]?.pause = number
        nodes[node].attempts[key]?.isSuspended = suspended
        if suspended { suspensions += 1 }
    }

    private mutating func terminate(_ key: AttemptKey, on node: Int, _ grace: Duration) {
        guard let running = nodes[node].attempts[key] else {
            nodes[node].ended.insert(key)
            let isReported = nodes[node].reports.contains { $0.key == key }
            if !isReported { report(.gone(Usage()), of: key, from: node) }
            return
        }
        if running.isTerminating { return }
        nodes[node].attempts[key]?.isTerminating = true
        let most = min(4000, max(50, Int(grace.components.seconds) * 1000))
        after(random.milliseconds(10...most), .vanish(NodeIndex(node), boot: nodes[node].boot, key))
    }

    mutating func vanish(_ node: Int, _ boot: Int, _ key: AttemptKey) {
        guard nodes[node].boot == boot, nodes[node].isUp, let running = nodes[node].attempts[key] else { return }
        for (step, isRunning) in running.steps.sorted(by: { $0.key < $1.key }) where isRunning {
            report(.stepEnded(step, StepEnd(exit: ExitStatus(code: 0, signal: 15), end: now)), of: key, from: node)
        }
        nodes[node].attempts[key] = nil
        nodes[node].ended.insert(key)
        report(.gone(Usage()), of: key, from: node)
    }

    // MARK: Reports

    private mutating func report(_ body: Report.Body, of key: AttemptKey, from node: Int) {
        nodes[node].sequence += 1
        let report = (sequence: nodes[node].sequence, key: key, body: body)
        if saboteur != .reportsNotRepeated || nodes[node].link == 0 { nodes[node].reports.append(report) }
        guard nodes[node].link != 0 else { return }
        send(report, from: node)
        if isFaulty && random.chance(5) { for old in nodes[node].reports { send(old, from: node) } }
    }

    private mutating func send(_ report: (sequence: UInt64, key: AttemptKey, body: Report.Body), from node: Int) {
        let full = Report(
            incarnation: nodes[node].incarnation, sequence: report.sequence, key: report.key, body: report.body)
        deliverUp(.nodeReported(NodeIndex(node), full), from: node)
    }

    mutating func acknowledged(_ node: Int, _ link: Int, _ incarnation: Incarnation, _ sequence: UInt64) {
        guard nodes[node].isUp, link == nodes[node].link, incarnation == nodes[node].incarnation else { return }
        for report in nodes[node].reports where report.sequence <= sequence {
            checkAcknowledged(node, report.key, report.body)
        }
        nodes[node].reports.removeAll { $0.sequence <= sequence }
    }

    // MARK: Faults

    mutating func fault() {
        let node = random.below(nodes.count)
        switch random.below(10) {
        case 0...2: killController()
        case 3...6: breakLink(node)
        case 7: reboot(node, away: random.milliseconds(500...5000))
        case 8: reboot(node, away: random.milliseconds(10_000...60_000))
        default:
            for node in nodes.indices { breakLink(node) }
        }
    }

    private mutating func reboot(_ node: Int, away: Duration) {
        guard nodes[node].isUp else { return }
        reboots += 1
        breakLink(node)
        for key in nodes[node].attempts.keys { truth.rebooted.insert(key) }
        nodes[node].reboot()
        nodes[node].isUp = false
        after(away, .powerOn(NodeIndex(node)))
    }

    mutating func powerOn(_ node: Int) {
        nodes[node].isUp = true
        after(random.milliseconds(1...1000), .connect(NodeIndex(node), boot: nodes[node].boot))
    }
}
