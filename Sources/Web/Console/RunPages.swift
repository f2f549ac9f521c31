import Hub
import Store

/// A run: how it stands, what it did, and what can be done about it.
extension Operations {
    static let runPages: [Operation] = [
        page(
            "console.run", "/runs/{id}", access: .tenant(.runs),
            query: [.query("cursor", Schema.text(1, 200), "Where to go on.")]
        ) { desk in
            let report = try await RunReport(desk, desk.call.path["id"] ?? "")
            let systems = try await desk.call.askIfAllowed("listConnectors")?["items"]?.array ?? []
            let place = report.place(systems)
            var model = try await report.model(systems)
            model["system"] = report.system(systems)
            (model["back"], model["back_title"]) = (.string(place.back), .string(place.title))
            return try desk.page("run", title: try await report.title(systems), place: place.menu, model)
        },
        action("console.undoRun", "/runs/{id}/undo", access: .tenant(.runs)) { desk, _ in
            let run = try await desk.call.ask("undoRun", desk.call.path)
            return desk.go("/runs/\(run["id"]?.scalarText ?? "")", notice: "running")
        },
        action("console.approveRun", "/runs/{id}/approve", access: .tenant(.runs)) { desk, form in
            try await desk.call.ask(form["do"] == "cancel" ? "cancelRun" : "approveRun", desk.call.path)
            return desk.go("/runs/\(desk.call.path["id"] ?? "")")
        },
    ]
}
