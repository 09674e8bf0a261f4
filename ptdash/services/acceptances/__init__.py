"""The acceptance of devices: proposed for a contract, inspected, signed; refused, remedied and inspected again."""
