/// What columns of contact files are called.
enum HeaderWords {
    /// Hub path by header, as `Folding.key` makes it; "[n]" stands for the next free entry.
    static let paths: [String: String] = {
        var paths: [String: String] = [:]
        for (path, words) in table {
            for word in words.split(separator: ",") { paths[Folding.key(String(word))] = path }
        }
        return paths
    }()

    /// All paths there are, in the order of the table.
    static let fields = table.map(\.0)

    private static let table: [(String, String)] = [
        (
            "name",
            """
            name,full name,display name,contact,contact name,customer,customer name,nazwa,imię i nazwisko,\
            nazwisko i imię,kontakt,klient,nazwa klienta,vollständiger name,anzeigename,kunde,kundenname,fullt navn,\
            navn,kundenavn,vardas ir pavardė,vardas pavardė,pavadinimas,klientas,nome completo,nome e cognome,\
            nominativo,cliente
            """
        ),
        (
            "given_name",
            """
            given name,first name,firstname,forename,imię,imiona,vorname,rufname,fornavn,vardas,nome,\
            nome di battesimo
            """
        ),
        (
            "family_name",
            """
            family name,last name,lastname,surname,nazwisko,nachname,familienname,etternavn,pavardė,cognome
            """
        ),
        (
            "company",
            """
            company,company name,organization,organisation,organization name,business,employer,firma,nazwa firmy,\
            przedsiębiorstwo,organizacja,unternehmen,firmenname,bedrift,firmanavn,selskap,organisasjon,įmonė,\
            įmonės pavadinimas,organizacija,azienda,ditta,società,ragione sociale,impresa
            """
        ),
        (
            "job_title",
            """
            job title,title,position,role,organization title,stanowisko,funkcja,position im unternehmen,\
            berufsbezeichnung,stelle,funktion,stilling,stillingstittel,tittel,pareigos,qualifica,ruolo,mansione,\
            posizione
            """
        ),
        (
            "emails[n].value",
            """
            e-mail,mail,email address,e-mail address,e-mail addresses,adres e-mail,adres mailowy,poczta,\
            poczta elektroniczna,e-mail-adresse,mailadresse,epost,e-post,e-postadresse,epostadresse,el. paštas,\
            elektroninis paštas,el. pašto adresas,posta elettronica,indirizzo e-mail,indirizzo mail
            """
        ),
        (
            "phones[n].value",
            """
            phone,phone number,telephone,telephone number,tel,mobile,mobile phone,mobile number,cell,cell phone,\
            telefon,nr telefonu,numer telefonu,telefon komórkowy,komórka,telefonnummer,telefonnr,rufnummer,handy,\
            handynummer,mobil,mobiltelefon,mobilnummer,tlf,mobiltlf,telefonas,telefono numeris,tel. nr.,\
            mobilusis telefonas,mob. telefonas,telefono,numero di telefono,cellulare,cell.
            """
        ),
        (
            "addresses[n].street",
            """
            address,street,street address,address line,adres,ulica,ulica i numer,straße,strasse,anschrift,adresse,\
            straße und hausnummer,gate,gateadresse,veiadresse,adresas,gatvė,indirizzo,via,strada
            """
        ),
        (
            "addresses[n].city",
            "city,town,locality,miasto,miejscowość,stadt,ort,wohnort,by,poststed,sted,miestas,città,comune"
        ),
        (
            "addresses[n].postal_code",
            """
            postal code,post code,postcode,zip,zip code,kod pocztowy,kod,plz,postleitzahl,postnummer,postnr,\
            pašto kodas,cap,codice postale
            """
        ),
        (
            "addresses[n].region",
            """
            region,state,province,county,województwo,bundesland,land/region,fylke,apskritis,regione,provincia
            """
        ),
        ("addresses[n].country", "country,country code,kraj,państwo,land,staat,šalis,valstybė,paese,nazione,stato"),
        ("language", "language,język,sprache,språk,kalba,lingua"),
        (
            "birthday",
            """
            birthday,birth date,date of birth,dob,data urodzenia,urodziny,geburtstag,geburtsdatum,fødselsdato,\
            fødselsdag,bursdag,gimimo data,gimtadienis,data di nascita,compleanno
            """
        ),
        ("birth_month", "birth month,miesiąc urodzenia,geburtsmonat,fødselsmåned,gimimo mėnuo,mese di nascita"),
        (
            "profiles[n].value",
            """
            website,web site,url,web,www,profile,strona www,strona internetowa,webseite,internetseite,homepage,\
            nettside,nettsted,hjemmeside,svetainė,interneto svetainė,sito,sito web,facebook,linkedin,instagram
            """
        ),
        ("source", "source,lead source,źródło,quelle,herkunft,kilde,šaltinis,fonte,origine"),
        ("type", "type,contact type,typ,rodzaj,art,kontaktart,kontakttype,tipas,tipo"),
        (
            "notes",
            """
            notes,note,comment,comments,remarks,description,notatki,notatka,uwagi,komentarz,opis,notizen,notiz,\
            bemerkung,bemerkungen,anmerkung,notater,notat,merknad,kommentar,pastabos,pastaba,komentaras,appunti,\
            commenti,commento
            """
        ),
        (
            "tags",
            """
            tags,tag,labels,label,groups,group,group membership,tagi,etykiety,znaczniki,grupy,grupa,schlagworte,\
            stichwörter,gruppen,gruppe,etiketter,stikkord,grupper,žymos,žymės,grupės,grupė,etichette,gruppi,gruppo
            """
        ),
        ("kind", "kind,person or company"),
    ]
}
