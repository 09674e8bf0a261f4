"""What a small IT service provider hears all day: the raw material of the demo data."""

CUSTOMERS = (
    ("Bäckerei {}", "S"),
    ("Kanzlei {} & Partner", "M"),
    ("{} Logistik GmbH", "L"),
    ("Praxis Dr. {}", "M"),
    ("{} & Söhne Bau GmbH", "S"),
    ("Steuerberatung {}", "L"),
    ("Autohaus {} KG", "M"),
    ("Physiotherapie {}", "S"),
    ("Architekturbüro {}", "M"),
    ("Elektro {}", "S"),
    ("Optik {}", "S"),
    ("Apotheke am Dom, Inh. {}", "M"),
    ("Tischlerei {}", "S"),
    ("Gasthof Löwen, {}", "S"),
    ("Druckerei {}", "L"),
    ("Zahnärzte {} und Kollegen", "M"),
    ("Metallbau {} GmbH", "M"),
    ("Spedition {}", "L"),
    ("Weingut {}", "S"),
    ("Dachdeckerei {}", "S"),
    ("Reisebüro {}", "S"),
    ("Blumen {}", "S"),
    ("Fahrschule {}", "S"),
    ("Hausverwaltung {}", "M"),
    ("Tierarztpraxis {}", "S"),
    ("Ingenieurbüro {}", "L"),
    ("Gemeinde {}", "M"),
    ("Buchhandlung {}", "S"),
)

# (category, concern, product, subject, what was done, treatment)
# This one brings a customer near its limit.
AFTER_MOVE = ("software", "question", "Microsoft 365", "Konten nach Umzug prüfen", "Konten geprüft", "package")
TICKETS = (
    (
        "software",
        "question",
        "Outlook",
        "Outlook fragt ständig nach dem Kennwort",
        "Anmeldung erneuert",
        "package",
    ),
    ("software", "question", "Windows 11", "Neuer Arbeitsplatz für Kollegin", "Profil eingerichtet", "package"),
    ("hardware", "question", "Brother HL-L2350", "Drucker druckt nur leere Seiten", "Treiber ersetzt", "package"),
    ("software", "question", "Lexware buchhaltung", "Lexware startet nach Update nicht", "Fernwartung", "package"),
    ("software", "question", "VPN", "VPN bricht alle paar Minuten ab", "Zertifikat erneuert", "package"),
    ("software", "question", "DATEV", "DATEV meldet fehlende Berechtigung", "Rechte gesetzt", "package"),
    ("software", "question", "Microsoft 365", "Freigegebener Kalender fehlt", "Freigabe repariert", "package"),
    ("software", "question", "Exchange", "E-Mails an einen Empfänger kommen zurück", "SPF berichtigt", "package"),
    (
        "hardware",
        "question",
        "FRITZ!Box 7590",
        "Telefone klingeln nicht mehr",
        "Rufnummern neu angemeldet",
        "package",
    ),
    ("software", "question", "Windows 11", "Kennwort vergessen", "Kennwort zurückgesetzt", "package"),
    ("software", "question", "Teams", "Kein Ton in Besprechungen", "Headset ausgewählt", "package"),
    ("software", "question", "Scanner", "Scan-Ordner nicht erreichbar", "Freigabe neu verbunden", "package"),
    (
        "software",
        "upkeep",
        "Windows 11",
        "Updates im Wartungsfenster",
        "Updates installiert und geprüft",
        "maintenance",
    ),
    (
        "software",
        "upkeep",
        "Veeam Backup",
        "Backup-Job mit Warnungen",
        "Backup geprüft, Platz geschaffen",
        "maintenance",
    ),
    ("hardware", "upkeep", "Synology NAS", "Festplatte meldet Fehler", "SMART geprüft, beobachtet", "maintenance"),
    ("hardware", "swap", "Latitude 5540", "Tastatur tauschen", "Tastatur getauscht", "separate"),
    ("hardware", "swap", "OptiPlex 7010", "Zweiter Bildschirm gewünscht", "Bildschirm montiert", "separate"),
    (
        "software",
        "question",
        "WordPress",
        "Kontaktformular der Website geht nicht",
        "Plugin aktualisiert",
        "separate",
    ),
    ("hardware", "defect", "ThinkPad L14", "Akku lädt nicht mehr", "Gewährleistung abgewickelt", "warranty"),
    (
        "software",
        "question",
        "Outlook",
        "Rückfrage zur Anleitung",
        "Fehler lag bei uns",
        "goodwill",
    ),
)

DEVICES = (
    ("notebook", "Notebook", "Lenovo", "ThinkPad L14", "9.90"),
    ("desktop", "Arbeitsplatz", "Dell", "OptiPlex 7010", "9.90"),
    ("desktop", "Empfang", "HP", "EliteDesk 800", "9.90"),
    ("server", "Server", "Dell", "PowerEdge T350", "29.00"),
    ("nas", "Datensicherung", "Synology", "DS923+", "14.50"),
    ("firewall", "Firewall", "Lancom", "R&S UF-160", "14.50"),
    ("printer", "Drucker", "Brother", "MFC-L6910DN", "6.50"),
)

PRODUCTS = (
    ("Windows 11", "Microsoft", "24H2"),
    ("Microsoft 365 Apps", "Microsoft", "2508"),
    ("Firefox ESR", "Mozilla", "140.5"),
    ("Veeam Agent", "Veeam", "6.3"),
    ("Lexware buchhaltung", "Lexware", "26.0"),
)

# What runs on devices of a type, beside the one product above.
WORKSTATION = (
    ("Windows 11", "Microsoft", "24H2"),
    ("Microsoft 365 Apps", "Microsoft", "2509"),
    (".NET Framework 4.8.1", "Microsoft", "4.8.1"),
    ("Firefox ESR", "Mozilla", "140.4.0"),
    ("Chrome Enterprise", "Google", "141.0.7390.123"),
    ("Acrobat Reader DC", "Adobe", "25.001.20756"),
    ("VPN-Client", "NCP", "7.4.3"),
)
RUNNING = {
    "notebook": WORKSTATION,
    "desktop": WORKSTATION,
    "server": (
        ("Windows Server 2022", "Microsoft", "21H2"),
        (".NET Framework 4.8.1", "Microsoft", "4.8.1"),
        ("Veeam Backup & Replication", "Veeam", "12.3.1"),
        ("Exchange Server 2019", "Microsoft", "CU15"),
    ),
    "nas": (("Synology DSM", "Synology", "7.2.2"),),
    "firewall": (("LCOS FX", "Lancom", "11.1"),),
}

MATERIALS = (
    ("Toner TN-2420", "61.19"),
    ("SSD 1 TB", "84.90"),
    ("Netzteil 65 W", "49.90"),
    ("Tastatur Latitude 5540", "58.00"),
    ("Bildschirm 27 Zoll", "219.00"),
)
