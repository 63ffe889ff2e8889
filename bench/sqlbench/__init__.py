"""SQL beside its peers: the data, the statements, who runs them and how results are compared."""
