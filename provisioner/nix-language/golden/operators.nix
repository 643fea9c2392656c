{ lib, modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];
  short = [ "a" ] ++ lib;
  lists = [
    "a"
    "b"
  ]
  ++ [ "c" ]
  ++ lib.optionals true [
    "d"
    "e"
  ];
  merged = lib // {
    a = 1;
  };
  both = {
    a = 1;
  }
  // {
    a = 1;
  };
  same = lib.a == "b";
  logic =
    (
      lib.a-name-that-takes-a-good-part-of-the-line-for-itself
      && lib.a-name-that-takes-a-good-part-of-the-line-for-itself
    )
    || true;
}
