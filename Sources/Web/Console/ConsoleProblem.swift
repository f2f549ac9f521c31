import Hub
import Store

/// Errors as pages.
enum ConsoleProblem {
    /// - Returns: a page that says what is wrong; for a browser without a session, the way to the door.
    static func answer(_ error: any Error, _ call: Call, asked: String) -> Answer {
        let plain = Problem.answer(error)
        let failure = (error as? RequestFault)?.failure ?? Failure(storeError: error)
        do {
            let desk = try Desk.outside(call)
            if failure.kind == .unauthenticated {
                // part of a page is nowhere to go
                let whole = asked.replacing("&part=true", with: "").replacing("?part=true", with: "")
                let next = whole == "/" ? "" : "?next=\(PercentText.encode(whole))"
                return desk.go(asked.hasPrefix("/operator") ? "/operator/sign-in" : "/sign-in\(next)")
            }
            if failure.code == "factor.needed" || failure.code == "password.expired" {
                return desk.go("/account", notice: failure.code == "factor.needed" ? "factor" : "password")
            }
            let known = failure.kind == .broken ? desk.texts["problem_broken"] : desk.texts.said(failure)
            let details = failure.details.compactMap { $0["message"] }
            let isPlace = failure.code == "not_found"
            return try desk.page(
                "problem", title: desk.texts[isPlace ? "problem_no_page" : "problem_title"], status: plain.status,
                [
                    "message": .string(known), "code": isPlace ? .null : .string(failure.code),
                    "details": .array(details),
                ])
        } catch {
            // no console, or no page to be made: the error itself is told all the same
            return plain
        }
    }
}

extension ConsoleTexts {
    /// What a failure says in this language; in English where it is not translated.
    func said(_ failure: Failure) -> String {
        // what was typed as text is told to the letter where it is wrong
        known("error_\(failure.code)").map { Placeholders.fill($0, ["what": failure.message]) } ?? failure.message
    }
}
