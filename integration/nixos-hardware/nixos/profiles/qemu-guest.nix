# Sets options of its own in NixOS; what lies on it needs none of them.
{ }
