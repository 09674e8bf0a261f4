"""The checklists that come with the house, in German: what is looked at before a device enters a contract.

Each type has its own; `general` stands for every type without one. Lines are (section, text, hint).
"""

from ptdash.domain.acceptance import Section

HARDWARE, SYSTEM, SECURITY, HANDOVER = Section
GENERAL = "general"

_LABEL = (HANDOVER, "Gerät beschriftet", "Aufkleber mit der Inventarnummer, gut sichtbar")
_CONTACT = (HANDOVER, "Ansprechpartner eingewiesen", "Name des Kunden in die Notiz")
_RECORDED = (HANDOVER, "Zugangsdaten hinterlegt", "Im Kennworttresor, nicht auf Papier")

_COMPUTER_SYSTEM = (
    (SYSTEM, "Betriebssystem wird vom Hersteller unterstützt", "Version und Ende des Supports geprüft"),
    (SYSTEM, "Alle Updates installiert", "Betriebssystem, Treiber, Firmware; kein Neustart ausstehend"),
    (SYSTEM, "Lizenzen vorhanden und aktiviert", "Betriebssystem und eingesetzte Programme"),
)
_COMPUTER_SECURITY = (
    (SECURITY, "Datenträger verschlüsselt", "BitLocker, Schlüssel hinterlegt"),
    (SECURITY, "Endpoint-Schutz meldet sich", "Aktuelle Signaturen, Gerät in der Konsole sichtbar"),
    (SECURITY, "Kein Benutzer mit Adminrechten", "Nur das lokale Verwaltungskonto"),
    (SECURITY, "Sicherung eingerichtet", "Letzte Sicherung jünger als 24 Stunden"),
)

DEFAULTS: dict[str, tuple[tuple[Section, str, str], ...]] = {
    "notebook": (
        (
            HARDWARE,
            "Gehäuse, Scharniere und Bildschirm unbeschädigt",
            "Keine Risse, keine Pixelfehler, Deckel hält",
        ),
        (HARDWARE, "Akku hält", "Kapazität über 60 % des Neuwerts, nicht gewölbt"),
        (HARDWARE, "Datenträger gesund", "SMART ohne Vorwarnung, SSD unter 80 % Abnutzung"),
        (HARDWARE, "Tastatur, Kamera, Mikrofon und Anschlüsse gehen", "Jeden Anschluss einmal benutzt"),
        *_COMPUTER_SYSTEM,
        (SYSTEM, "Fernwartung erreichbar", "Agent installiert, Verbindung aus der Zentrale geprüft"),
        *_COMPUTER_SECURITY,
        _LABEL,
        _CONTACT,
    ),
    "desktop": (
        (HARDWARE, "Gehäuse sauber, Lüfter frei", "Kein Staub vor den Lüftern, keine Geräusche"),
        (HARDWARE, "Datenträger gesund", "SMART ohne Vorwarnung, SSD unter 80 % Abnutzung"),
        (HARDWARE, "Arbeitsspeicher fehlerfrei", "Speichertest einmal durchgelaufen"),
        (HARDWARE, "Bildschirm, Tastatur, Maus und Anschlüsse gehen", "Jeden Anschluss einmal benutzt"),
        *_COMPUTER_SYSTEM,
        (SYSTEM, "Fernwartung erreichbar", "Agent installiert, Verbindung aus der Zentrale geprüft"),
        *_COMPUTER_SECURITY,
        _LABEL,
        _CONTACT,
    ),
    "server": (
        (HARDWARE, "Aufstellung geeignet", "Belüftet, trocken, verschließbar, Kabel beschriftet"),
        (HARDWARE, "RAID vollständig", "Kein ausgefallener oder verdächtiger Datenträger, Ersatz vorhanden"),
        (HARDWARE, "Netzteile und Lüfter ohne Fehler", "Fehlerspeicher der Verwaltungskarte leer"),
        (HARDWARE, "USV trägt den Server", "Laufzeit über 10 Minuten, Herunterfahren eingerichtet"),
        (SYSTEM, "Betriebssystem wird vom Hersteller unterstützt", "Version und Ende des Supports geprüft"),
        (SYSTEM, "Alle Updates installiert", "Betriebssystem, Firmware, Virtualisierung"),
        (SYSTEM, "Ereignisprotokoll ohne ungeklärte Fehler", "Die letzten 14 Tage durchgesehen"),
        (SYSTEM, "Überwachung eingerichtet", "Platz, Last, Dienste und Hardware melden sich"),
        (SYSTEM, "Fernwartung und Verwaltungskarte erreichbar", "iDRAC, iLO oder gleichwertig, eigenes Kennwort"),
        (
            SECURITY,
            "Sicherung läuft und liegt auch außer Haus",
            "Letzter Lauf ohne Fehler, Kopie nicht überschreibbar",
        ),
        (SECURITY, "Rücksicherung erprobt", "Eine Datei und ein System zurückgeholt"),
        (SECURITY, "Endpoint-Schutz meldet sich", "Aktuelle Signaturen, Server in der Konsole sichtbar"),
        (
            SECURITY,
            "Verwaltungskonten getrennt, mit zweitem Faktor",
            "Keine gemeinsamen Kennwörter",
        ),
        _RECORDED,
        (HANDOVER, "Unterlagen vollständig", "Netzplan, Rollen, Lizenzen, Ansprechpartner der Hersteller"),
        _LABEL,
        _CONTACT,
    ),
    "printer": (
        (HARDWARE, "Gehäuse und Papierwege unbeschädigt", "Alle Fächer und Klappen schließen"),
        (HARDWARE, "Testseite ohne Fehler", "Keine Streifen, alle Farben, beidseitig"),
        (HARDWARE, "Scannen und Kopieren gehen", "Einzug und Glas"),
        (
            HARDWARE,
            "Zählerstand und Verbrauchsteile notiert",
            "Seiten, Toner, Trommel in die Notiz",
        ),
        (SYSTEM, "Firmware aktuell", "Version des Herstellers vom Tag der Prüfung"),
        (SYSTEM, "Feste Adresse im Netz", "Reservierung am DHCP-Server, Name im DNS"),
        (SYSTEM, "Treiber auf den Arbeitsplätzen verteilt", "Testdruck von zwei Arbeitsplätzen"),
        (SYSTEM, "Scanziele erreichbar", "Ordner und E-Mail je einmal geprüft"),
        (SECURITY, "Verwaltungskennwort geändert", "Nicht die Vorgabe des Herstellers"),
        (SECURITY, "Unnötige Dienste abgeschaltet", "Telnet, FTP, SNMP v1, Fernzugriff des Herstellers"),
        (SECURITY, "Verwaltung nur verschlüsselt", "HTTPS mit gültigem Zertifikat"),
        (SECURITY, "Datenträger wird gelöscht oder verschlüsselt", "Entfällt bei Geräten ohne Datenträger"),
        _LABEL,
        _CONTACT,
    ),
    "firewall": (
        (HARDWARE, "Aufstellung geeignet", "Belüftet, verschließbar, Stromversorgung gesichert"),
        (HARDWARE, "Anschlüsse beschriftet und belegt wie geplant", "Foto der Verkabelung"),
        (HARDWARE, "Netzteil und Lüfter ohne Fehler", "Fehlerspeicher leer"),
        (
            SYSTEM,
            "Firmware wird unterstützt und ist aktuell",
            "Kein angekündigtes Ende des Supports in 12 Monaten",
        ),
        (SYSTEM, "Lizenzen und Wartung des Herstellers gültig", "Laufzeit in die Notiz"),
        (SYSTEM, "Konfiguration gesichert", "Verschlüsselt abgelegt, Rücksicherung beschrieben"),
        (SYSTEM, "Überwachung eingerichtet", "Ausfall der Leitung und Neustart melden sich"),
        (SECURITY, "Regelwerk durchgesehen", "Jede Regel begründet, keine pauschale Freigabe"),
        (SECURITY, "Verwaltung nicht aus dem Internet erreichbar", "Von außen geprüft"),
        (SECURITY, "Eigene Verwaltungskonten mit zweitem Faktor", "Vorgaben des Herstellers entfernt"),
        (SECURITY, "VPN-Zugänge geprüft", "Nur bekannte Personen, starke Verfahren, zweiter Faktor"),
        (SECURITY, "Protokolle werden aufbewahrt", "Mindestens 30 Tage, Uhrzeit stimmt"),
        _RECORDED,
        _LABEL,
        _CONTACT,
    ),
    "nas": (
        (HARDWARE, "Aufstellung geeignet", "Belüftet, trocken, nicht neben dem gesicherten Server"),
        (HARDWARE, "Datenträger gesund", "SMART ohne Vorwarnung, für Dauerbetrieb gebaut"),
        (HARDWARE, "RAID vollständig", "Kein Wiederaufbau, Ersatzdatenträger vorhanden"),
        (HARDWARE, "USV angeschlossen", "Herunterfahren bei Stromausfall eingerichtet"),
        (SYSTEM, "Betriebssystem wird unterstützt und ist aktuell", "Auch die installierten Pakete"),
        (SYSTEM, "Platz für 12 Monate", "Weniger als 75 % belegt"),
        (SYSTEM, "Überwachung eingerichtet", "E-Mail bei Ausfall eines Datenträgers erprobt"),
        (SYSTEM, "Schnappschüsse eingerichtet", "Mindestens 14 Tage zurück"),
        (SECURITY, "Verwaltung nicht aus dem Internet erreichbar", "Auch kein Fernzugriff des Herstellers"),
        (SECURITY, "Vorgabekonto abgeschaltet, zweiter Faktor an", "Eigene Verwaltungskonten"),
        (SECURITY, "Freigaben und Rechte durchgesehen", "Keine Freigabe für jeden"),
        (SECURITY, "Zweite Kopie außer Haus", "Letzter Lauf ohne Fehler, Rücksicherung erprobt"),
        _RECORDED,
        _LABEL,
        _CONTACT,
    ),
    GENERAL: (
        (HARDWARE, "Gehäuse und Anschlüsse unbeschädigt", "Keine losen Teile, keine Spuren von Feuchtigkeit"),
        (HARDWARE, "Gerät startet ohne Fehler", "Zweimal aus- und eingeschaltet"),
        (HARDWARE, "Netzteil und Zubehör vollständig", "Passend zum Typenschild"),
        (HARDWARE, "Aufstellung geeignet", "Belüftet, trocken, gegen Fall gesichert"),
        (SYSTEM, "Firmware oder Betriebssystem aktuell", "Version des Herstellers vom Tag der Prüfung"),
        (SYSTEM, "Hersteller unterstützt das Gerät", "Ende des Supports in die Notiz"),
        (SYSTEM, "Feste Adresse im Netz", "Reservierung am DHCP-Server, entfällt ohne Netz"),
        (SYSTEM, "Aufgabe des Geräts geprüft", "Einmal so benutzt, wie der Kunde es benutzt"),
        (SECURITY, "Verwaltungskennwort geändert", "Nicht die Vorgabe des Herstellers"),
        (SECURITY, "Unnötige Dienste abgeschaltet", "Telnet, FTP, Fernzugriff des Herstellers"),
        (SECURITY, "Konfiguration gesichert", "Verschlüsselt abgelegt"),
        _RECORDED,
        _LABEL,
        _CONTACT,
    ),
}
