/// Countries by their ISO 3166 alpha-2 codes.
public enum Country {
    /// The code of a country given as a code of either length or by its name in English, in its own language or in
    /// those of its neighbours; nil when it is not known.
    public static func code(_ text: String) -> String? {
        let plain = Text.trimmed(text)
        let upper = plain.uppercased()
        if codes.contains(upper) { return upper }
        return names[Folding.key(plain)]
    }

    private static let codes = Set(
        """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
        CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
        FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE \
        JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
        MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW \
        PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM \
        TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
        """.split(separator: " ").map(String.init))

    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for line in table.split(separator: "\n") {
            let words = line.split(separator: ",")
            for word in words.dropFirst() { names[Folding.key(String(word))] = String(words[0]) }
        }
        return names
    }()

    private static let table = """
        PL,POL,Poland,Polska,Polen,Lenkija,Polonia,Pologne
        DE,DEU,Germany,Deutschland,Niemcy,Tyskland,Vokietija,Germania,Allemagne
        NO,NOR,Norway,Norge,Noreg,Norwegia,Norwegen,Norvegija,Norvegia,Norvège
        LT,LTU,Lithuania,Lietuva,Litwa,Litauen,Lituania,Lituanie
        IT,ITA,Italy,Italia,Włochy,Italien,Italija,Italie
        AT,AUT,Austria,Österreich,Østerrike,Austrija,Autriche
        CH,CHE,Switzerland,Schweiz,Suisse,Svizzera,Szwajcaria,Sveits,Šveicarija
        CZ,CZE,Czechia,Czech Republic,Česko,Česká republika,Czechy,Tschechien,Tsjekkia,Čekija,Cechia
        SK,SVK,Slovakia,Slovensko,Słowacja,Slowakei,Slovakija,Slovacchia
        FR,FRA,France,Francja,Frankreich,Frankrike,Prancūzija,Francia
        ES,ESP,Spain,España,Hiszpania,Spanien,Spania,Ispanija,Spagna
        PT,PRT,Portugal,Portugalia,Portugalija,Portogallo
        GB,GBR,UK,United Kingdom,Great Britain,England,Scotland,Wales,Wielka Brytania,Großbritannien,\
        Vereinigtes Königreich,Storbritannia,Jungtinė Karalystė,Regno Unito
        IE,IRL,Ireland,Éire,Irlandia,Irland,Airija,Irlanda
        NL,NLD,Netherlands,The Netherlands,Holland,Nederland,Holandia,Niderlandy,Niederlande,Nyderlandai,Paesi Bassi
        BE,BEL,Belgium,België,Belgique,Belgia,Belgien,Belgija,Belgio
        LU,LUX,Luxembourg,Luxemburg,Luksemburg,Lussemburgo
        DK,DNK,Denmark,Danmark,Dania,Dänemark,Danija,Danimarca
        SE,SWE,Sweden,Sverige,Szwecja,Schweden,Švedija,Svezia
        FI,FIN,Finland,Suomi,Finlandia,Finnland,Suomija
        IS,ISL,Iceland,Ísland,Islandia,Island,Islanda
        EE,EST,Estonia,Eesti,Estland,Estija
        LV,LVA,Latvia,Latvija,Łotwa,Lettland,Lettonia
        UA,UKR,Ukraine,Ukraina,Ucraina
        BY,BLR,Belarus,Białoruś,Hviterussland,Baltarusija,Bielorussia
        RU,RUS,Russia,Russian Federation,Rosja,Russland,Rusija
        HU,HUN,Hungary,Magyarország,Węgry,Ungarn,Vengrija,Ungheria
        RO,ROU,Romania,România,Rumunia,Rumänien,Rumunija
        BG,BGR,Bulgaria,Bułgaria,Bulgarien,Bulgarija
        HR,HRV,Croatia,Hrvatska,Chorwacja,Kroatien,Kroatia,Kroatija,Croazia
        SI,SVN,Slovenia,Slovenija,Słowenia,Slowenien
        RS,SRB,Serbia,Srbija,Serbien,Serbija
        GR,GRC,Greece,Grecja,Griechenland,Hellas,Graikija,Grecia
        TR,TUR,Turkey,Türkiye,Turcja,Türkei,Tyrkia,Turkija,Turchia
        US,USA,United States,United States of America,Stany Zjednoczone,Vereinigte Staaten,Forente stater,JAV,\
        Stati Uniti
        CA,CAN,Canada,Kanada
        AU,AUS,Australia,Australien
        NZ,NZL,New Zealand,Nowa Zelandia,Neuseeland
        CN,CHN,China,Chiny,Kina,Kinija,Cina
        JP,JPN,Japan,Japonia,Japonija,Giappone
        IN,IND,India,Indie,Indien
        BR,BRA,Brazil,Brasil,Brazylia,Brasilien,Brasile
        MX,MEX,Mexico,México,Meksyk,Mexiko
        IL,ISR,Israel,Izrael
        AE,ARE,United Arab Emirates
        ZA,ZAF,South Africa
        """
}
