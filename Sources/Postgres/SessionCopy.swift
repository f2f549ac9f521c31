import CHost
import CLibpq

extension Session {
    /// Runs `COPY ... FROM STDIN` and feeds it from `produce`. Memory stays bounded: writing waits for the socket.
    /// An error thrown by `produce` ends the COPY without effect and is thrown on.
    /// - Returns: the number of rows the server took.
    public func copyIn(_ sql: SQL, _ produce: (CopyWriter) async throws -> Void) async throws -> Int {
        try await copying(sql, PGRES_COPY_IN) {
            let writer = CopyWriter(connection)
            do {
                try await produce(writer)
                try await writer.flush()
            } catch {
                do {
                    _ = try await connection.endCopyIn(failing: true)
                } catch let failed as PostgresError where failed.sqlState != "57014" {
                    // The server's own complaint (a bad row) came before the producer's.
                    throw failed.kind == .connection ? failed : error
                } catch {}
                throw error
            }
            return try await connection.endCopyIn(failing: false)
        }
    }

    /// Runs `COPY ... TO STDOUT` and hands whole rows to `consume` in pieces of about 64 KiB. The server is held
    /// back while `consume` works. When `consume` throws, the rest is read and dropped.
    /// - Returns: the number of rows the server sent.
    public func copyOut(_ sql: SQL, _ consume: ([UInt8]) async throws -> Void) async throws -> Int {
        try await copying(sql, PGRES_COPY_OUT) {
            var failure: (any Error)?
            while let chunk = try await connection.nextCopyChunk() {
                guard failure == nil else { continue }
                do {
                    try await consume(chunk)
                } catch {
                    failure = error
                    connection.cancelInBackground()
                }
            }
            do {
                let affected = try await connection.endCopyOut()
                if let failure { throw failure }
                return affected
            } catch {
                throw failure ?? error
            }
        }
    }

    private func copying(
        _ sql: SQL, _ direction: ExecStatusType, _ body: () async throws -> Int
    ) async throws -> Int {
        try sql.check()
        guard sql.parameters.isEmpty else { throw PostgresError(.usage, "COPY takes no parameters") }
        return try await exclusively {
            do {
                let started = try await connection.simple(sql.text, kind: .startsCopy)
                guard let status = started.last.map({ PQresultStatus($0.result) }), status == direction else {
                    let other = started.last.map { PQresultStatus($0.result) }
                    if other == PGRES_COPY_IN || other == PGRES_COPY_OUT { connection.close() }
                    throw PostgresError(.usage, "the statement is no COPY of this direction")
                }
                let affected = try await body()
                try connection.resumePipelining()
                return affected
            } catch {
                if connection.isAlive { try connection.resumePipelining() }
                throw error
            }
        }
    }
}
