import ArgosyDomain

extension StoredState {
    /// What a store does with a committed change, in memory: for tests and the simulator. Writing a row twice is the same
    /// as writing it once.
    public mutating func apply(_ change: RowChange) {
        switch change {
        case .job(let row):
            let place = jobs.firstIndex { $0.id >= row.id } ?? jobs.count
            if place < jobs.count && jobs[place].id == row.id { jobs[place] = row } else { jobs.insert(row, at: place) }
            if let run = EndedRun(row) { endedRuns.keep(run) }
        case .jobRemoved(let id):
            jobs.removeAll { $0.id == id }
            steps.removeAll { $0.key.job == id }
        case .step(let row):
            if let place = steps.firstIndex(where: { $0.key == row.key && $0.step == row.step }) {
                steps[place] = row
            } else {
                steps.append(row)
            }
        case .node(let row):
            nodes.removeAll { $0.name == row.name }
            nodes.append(row)
        case .partition(let row):
            partitions.removeAll { $0.name == row.name }
            partitions.append(row)
        case .reservation(let reservation):
            reservations.removeAll { $0.name == reservation.name }
            reservations.append(reservation)
        case .reservationRemoved(let name): reservations.removeAll { $0.name == name }
        case .accounting(let row): accounting.apply(row)
        case .kept(let row): kept.apply(row)
        case .lastJobID(let id): lastJobID = max(lastJobID, id)
        }
    }
}
