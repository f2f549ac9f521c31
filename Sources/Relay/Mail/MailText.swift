import Store

/// What a mail to staff says, in the language of its reader.
struct MailText {
    let subject: String
    let plain: String
    let html: String

    /// - Parameter link: where the password is set; nil for a mail without one.
    init(_ mail: DueMail, link: String?, language: String) {
        let words = Self.words[language] ?? Self.english
        let said: (subject: String, body: String) =
            switch mail.kind {
            case "invitation": (words.invitation, words.invited)
            case "reset": (words.reset, words.forgotten)
            default: (words.changed, words.hasChanged)
            }
        func filled(_ text: String) -> String {
            text.replacing("{shop}", with: mail.shop).replacing("{email}", with: mail.email)
        }
        let greeting = mail.name.isEmpty ? words.hello : "\(words.hello), \(mail.name)"
        let paragraphs = [greeting + "!"] + filled(said.body).split(separator: "\n").map(String.init)
        subject = filled(said.subject)
        plain = (paragraphs + (link.map { [$0] } ?? [])).joined(separator: "\n\n") + "\n\n-- \nKontor\n"
        let shown = paragraphs.map { "<p>\(Self.escaped($0))</p>" }.joined()
        let button =
            link.map {
                "<p style=\"margin:28px 0\"><a href=\"\($0)\" style=\"background:#1f5fbf;color:#fff;padding:12px 22px;"
                    + "border-radius:8px;text-decoration:none;font-weight:600\">\(Self.escaped(words.open))</a></p>"
                    + "<p style=\"color:#5b6472;font-size:13px;word-break:break-all\">\($0)</p>"
            } ?? ""
        html = """
            <!doctype html><html lang="\(language)"><body style="font:16px/1.55 sans-serif;color:#1d2430;max-width:34rem;margin:24px auto">\
            \(shown)\(button)<p style="color:#5b6472">Kontor</p></body></html>
            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private struct Words {
        let hello, open: String
        let invitation, invited: String
        let reset, forgotten: String
        let changed, hasChanged: String
    }

    private static let english = Words(
        hello: "Hello", open: "Set my password", invitation: "Your access to {shop} in Kontor",
        invited: """
            You were invited to work in {shop} with Kontor, as {email}.
            Set your password by this link within two days; it works once.
            """,
        reset: "A new password for {shop}",
        forgotten: """
            Somebody, probably you, asked for a new password for {email} at {shop}.
            Set it by this link within an hour; it works once. If it was not you, do nothing: your password stays as it is.
            """,
        changed: "Your password for {shop} was changed",
        hasChanged: """
            The password of {email} at {shop} was changed a moment ago.
            If it was not you, tell who manages staff in your shop at once.
            """)

    private static let words: [String: Words] = [
        "en": english,
        "pl": Words(
            hello: "Dzień dobry", open: "Ustaw hasło", invitation: "Twój dostęp do {shop} w Kontorze",
            invited: """
                Zaproszono Cię do pracy w {shop} z Kontorem, jako {email}.
                Ustaw hasło tym odnośnikiem w ciągu dwóch dni; działa raz.
                """,
            reset: "Nowe hasło do {shop}",
            forgotten: """
                Ktoś, zapewne Ty, poprosił o nowe hasło dla {email} w {shop}.
                Ustaw je tym odnośnikiem w ciągu godziny; działa raz. Jeśli to nie Ty, nie rób nic: hasło zostaje bez zmian.
                """,
            changed: "Twoje hasło do {shop} zostało zmienione",
            hasChanged: """
                Hasło {email} w {shop} zostało przed chwilą zmienione.
                Jeśli to nie Ty, powiadom od razu osobę, która zarządza pracownikami.
                """),
        "nb": Words(
            hello: "Hei", open: "Velg passord", invitation: "Din tilgang til {shop} i Kontor",
            invited: """
                Du er invitert til å arbeide i {shop} med Kontor, som {email}.
                Velg passord med denne lenken innen to dager; den virker én gang.
                """,
            reset: "Nytt passord for {shop}",
            forgotten: """
                Noen, trolig du, ba om nytt passord for {email} hos {shop}.
                Velg det med denne lenken innen en time; den virker én gang. Var det ikke deg, trenger du ikke gjøre noe: passordet ditt er uendret.
                """,
            changed: "Passordet ditt for {shop} er endret",
            hasChanged: """
                Passordet til {email} hos {shop} ble nettopp endret.
                Var det ikke deg, si straks fra til den som styrer brukerne i butikken.
                """),
        "lt": Words(
            hello: "Sveiki", open: "Nustatyti slaptažodį", invitation: "Jūsų prieiga prie {shop} sistemoje „Kontor“",
            invited: """
                Jus pakvietė dirbti {shop} su „Kontor“; jūsų adresas – {email}.
                Šia nuoroda per dvi dienas nustatykite slaptažodį; ji veikia vieną kartą.
                """,
            reset: "Naujas {shop} slaptažodis",
            forgotten: """
                Kažkas, tikriausiai jūs, paprašė naujo slaptažodžio adresui {email} ({shop}).
                Nustatykite jį šia nuoroda per valandą; ji veikia vieną kartą. Jei tai ne jūs, nieko nedarykite: slaptažodis lieka toks pat.
                """,
            changed: "Jūsų {shop} slaptažodis pakeistas",
            hasChanged: """
                Adreso {email} slaptažodis ({shop}) ką tik buvo pakeistas.
                Jei tai ne jūs, iš karto praneškite tam, kas tvarko darbuotojus.
                """),
        "it": Words(
            hello: "Buongiorno", open: "Imposta la password", invitation: "Il tuo accesso a {shop} in Kontor",
            invited: """
                Sei stato invitato a lavorare in {shop} con Kontor, come {email}.
                Imposta la password con questo link entro due giorni; funziona una sola volta.
                """,
            reset: "Una nuova password per {shop}",
            forgotten: """
                Qualcuno, probabilmente tu, ha chiesto una nuova password per {email} presso {shop}.
                Impostala con questo link entro un'ora; funziona una sola volta. Se non sei stato tu, non fare nulla: la tua password resta com'è.
                """,
            changed: "La tua password per {shop} è stata cambiata",
            hasChanged: """
                La password di {email} presso {shop} è stata cambiata poco fa.
                Se non sei stato tu, avvisa subito chi gestisce il personale del negozio.
                """),
    ]
}
