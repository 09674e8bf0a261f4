"""The register of devices: what each is, what runs on it, in which contract it is."""
