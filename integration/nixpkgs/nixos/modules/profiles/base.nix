# A profile of NixOS whose settings do not matter to the stand-in.
{ }
