"""gRPC between the nodes of one cluster: deliveries, sends and business calls."""
