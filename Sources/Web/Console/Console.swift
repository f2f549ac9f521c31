import Foundation
import Hub
import Mustache

/// What the pages are made of: templates, texts in every language, and files for the browser. Read once, at the start.
public struct Console: Sendable {
    let texts: [String: ConsoleTexts]
    let assets: ConsoleAssets
    private let templates: MustacheLibrary

    /// - Parameters:
    ///   - folder: where `templates/`, `texts/` and `assets/` are.
    ///   - shared: where Debian keeps Bootstrap and its icons (`/usr/share`).
    /// - Throws: `Failure` `console.missing`.
    public init(folder: String, shared: String = "/usr/share") throws {
        MustacheContentTypes.register(PageContent(), named: PageContent.name)
        var templates = MustacheLibrary()
        var texts: [String: ConsoleTexts] = [:]
        do {
            for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/templates")
            where file.hasSuffix(".mustache") {
                let text = try String(contentsOfFile: "\(folder)/templates/\(file)", encoding: .utf8)
                try templates.register("{{% CONTENT_TYPE:\(PageContent.name)}}" + text, named: String(file.dropLast(9)))
            }
            for language in Schemas.languages {
                let file = URL(filePath: "\(folder)/texts/\(language).json")
                texts[language] = try ConsoleTexts(language, JSON(parsing: Data(contentsOf: file)))
            }
            assets = try ConsoleAssets(folder: folder + "/assets", shared: shared)
        } catch {
            throw Failure(
                .broken, "console.missing",
                "The console's files cannot be read from \(folder): \(error). Run scripts/setup.")
        }
        (self.templates, self.texts) = (templates, texts)
    }

    /// Texts in a language; in English for one that there is not.
    func texts(_ language: String) -> ConsoleTexts { texts[language] ?? texts["en"]! }

    /// HTML of a page.
    /// - Throws: `Failure` `console.template`.
    func render(_ template: String, _ model: JSON, texts: ConsoleTexts) throws -> [UInt8] {
        let members = Members(
            model.object ?? [:],
            more: [
                "t": texts.members, "lang": Words(texts.language),
                "asset": Members(assets.addresses.mapValues(JSON.string)),
            ])
        guard let html = templates.render(members, withTemplate: template) else {
            throw Failure(.broken, "console.template", "There is no template “\(template)”.")
        }
        return Array(html.utf8)
    }
}
