{ config, lib, ... }:
{
  a = lib.mkForce "x";
  b = lib.mkIf config.services.x.enable {
    a = 1;
    b = 2;
  };
  c = lib.mkIf config.x { a = 1; };
  d = lib.mkForce [
    "a"
    "b"
  ];
  e = lib.mkMerge [
    { a = 1; }
    (lib.mkIf true {
      a = 1;
      b = 2;
    })
  ];
  f = lib.mkIf true (
    lib.mkOverride (-5) {
      a = 1;
      b = 2;
    }
  );
  g = lib.mkForce ''
    line
    line
  '';
  h =
    lib.mkIf
      (
        config.a-name-that-takes-a-good-part-of-the-line-for-itself
        && config.a-name-that-takes-a-good-part-of-the-line-for-itself
      )
      {
        a = 1;
        b = 2;
      };
  i = lib.mkDefault "a-name-that-takes-a-good-part-of-the-line-for-itselfa-name-that-takes-a-good-part-of-the-line-for-itself";
  j = lib.mkForce (if config.a then "b" else "c");
  k =
    lib.fold
      {
        a = 1;
        b = 2;
      }
      {
        a = 1;
        b = 2;
      };
}
