{ networking.hostName = "pinned"; }
