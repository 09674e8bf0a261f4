"""What is checked of a product that has no test plan of its own yet. Plans are German, like all checklists."""

DEFAULT_PLAN = (
    "Installation läuft ohne Fehlermeldung durch",
    "Neustart verläuft ohne Auffälligkeit",
    "Anmeldung und Netzlaufwerke funktionieren",
    "Die Software startet und zeigt die neue Version",
    "Drucken und Öffnen vorhandener Dateien funktionieren",
    "Ereignisprotokoll ohne neue Fehler",
    "Deinstallation oder Rücksprung ist möglich",
)
