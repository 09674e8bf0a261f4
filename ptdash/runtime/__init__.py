"""What runs ptdash: the embedded PostgreSQL and Valkey, and the supervisor behind `ptdash up`."""
