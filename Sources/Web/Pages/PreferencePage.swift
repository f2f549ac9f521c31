import HTTPTypes
import Hub
import Store

/// The page of a person's consents, and the shop's privacy policy.
enum PreferencePage {
    /// Texts of the page by language, English first.
    struct Words: Sendable {
        let title, about, save, none, saved, empty, gone, policy: String
    }

    static let words: [String: Words] = [
        "en": Words(
            title: "What may we write to you about?", about: "Choose; you can come back to this page at any time.",
            save: "Save", none: "Nothing any more", saved: "Your choice is saved.",
            empty: "There is nothing to choose.",
            gone: "This page does not exist, or not any more.", policy: "Privacy policy"),
        "pl": Words(
            title: "O czym możemy do Ciebie pisać?", about: "Wybierz; na tę stronę możesz wrócić w każdej chwili.",
            save: "Zapisz", none: "O niczym więcej", saved: "Twój wybór został zapisany.",
            empty: "Nie ma nic do wyboru.",
            gone: "Ta strona nie istnieje albo już nie istnieje.", policy: "Polityka prywatności"),
        "nb": Words(
            title: "Hva kan vi skrive til deg om?", about: "Velg; du kan komme tilbake til denne siden når som helst.",
            save: "Lagre", none: "Ingenting mer", saved: "Valget ditt er lagret.", empty: "Det er ingenting å velge.",
            gone: "Denne siden finnes ikke, eller ikke lenger.", policy: "Personvernerklæring"),
        "lt": Words(
            title: "Apie ką galime jums rašyti?", about: "Pasirinkite; į šį puslapį galite grįžti bet kada.",
            save: "Išsaugoti", none: "Daugiau apie nieką", saved: "Jūsų pasirinkimas išsaugotas.",
            empty: "Nėra ko pasirinkti.", gone: "Tokio puslapio nėra arba jo nebėra.", policy: "Privatumo politika"),
        "it": Words(
            title: "Di cosa possiamo scriverti?", about: "Scegli; puoi tornare su questa pagina in qualsiasi momento.",
            save: "Salva", none: "Più nulla", saved: "La tua scelta è stata salvata.",
            empty: "Non c'è nulla da scegliere.",
            gone: "Questa pagina non esiste, o non esiste più.", policy: "Informativa sulla privacy"),
    ]

    /// The best of the languages there are for a browser's wishes (RFC 9110, 12.5.4), in the order they are given.
    static func language(_ call: Call) -> String {
        if let wanted = call.text("lang"), words[wanted] != nil { return wanted }
        for part in (call.headers[.acceptLanguage] ?? "").split(separator: ",") {
            let tag = part.prefix { $0.isLetter }.lowercased()
            if words[tag] != nil { return tag }
            if tag == "no" || tag == "nn" { return "nb" }
        }
        return "en"
    }

    static func shown(_ preferences: [Preference], isSaved: Bool, language: String) -> Answer {
        let words = words[language]!
        var body = isSaved ? "<p class=\"note\" role=\"status\">\(HTMLPage.escaped(words.saved))</p>" : ""
        guard !preferences.isEmpty else {
            return HTMLPage.answer(
                title: words.title, language: language, body + "<p>\(HTMLPage.escaped(words.empty))</p>")
        }
        body += "<p class=\"soft\">\(HTMLPage.escaped(words.about))</p><form method=\"post\">"
        for preference in preferences {
            let shown =
                preference.wording.map {
                    "<input type=\"hidden\" name=\"wording.\(HTMLPage.escaped(preference.purpose))\" value=\"\($0)\">"
                } ?? ""
            body += """
                <label><input type="checkbox" name="purpose" value="\(HTMLPage.escaped(preference.purpose))"\(preference.isGranted ? " checked" : "")>
                \(shown)<span><strong>\(HTMLPage.escaped(preference.title))</strong>\(HTMLPage.paragraphs(preference.body ?? ""))</span></label>
                """
        }
        body += """
            <button>\(HTMLPage.escaped(words.save))</button>
            <button class="quiet" name="none" value="1">\(HTMLPage.escaped(words.none))</button></form>
            """
        return HTMLPage.answer(title: words.title, language: language, body)
    }

    static func gone(_ language: String) -> Answer {
        HTMLPage.answer(404, title: words[language]!.gone, language: language, "")
    }

    /// Purposes checked in a form (application/x-www-form-urlencoded); none when the person wants nothing more, or when a mail
    /// program asks to unsubscribe (List-Unsubscribe=One-Click, RFC 8058). And the wordings the person was shown.
    static func chosen(_ body: [UInt8]) -> (purposes: Set<String>, wordings: [String: Int64]) {
        let form = FormBody(body)
        let isNone = form.has("none") || form.has("List-Unsubscribe")
        let shown = form.names.filter { $0.hasPrefix("wording.") }.compactMap { name in
            Int64(form[name]).map { (String(name.dropFirst("wording.".count)), $0) }
        }
        return (isNone ? [] : Set(form.all("purpose")), Dictionary(shown) { one, _ in one })
    }
}
