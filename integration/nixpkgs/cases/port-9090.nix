{ port = 9090; }
