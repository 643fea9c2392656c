{ names = [ "shared" ]; }
