internal import ArgosyCore
internal import NIOPosix

/// Runs a query on the query threads with a view that holds all that is durable now.
struct ViewReader: Sendable {
    let board: ViewBoard
    let inbox: Mailbox<Input>
    let pool: NIOThreadPool

    func read(_ body: @escaping ViewBoard.Reader) {
        let ask = board.read { [pool] published in
            pool.submit { state in if case .active = state { body(published) } }
        }
        if ask { inbox.push(.viewWanted) }
    }
}
