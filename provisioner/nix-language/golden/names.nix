{
  "if" = 1;
  "or" = 1;
  null = 1;
  "" = 1;
  "a b" = 1;
  "\${x}" = 1;
  "quo\"te" = 1;
  "7zip" = 1;
  "a.b" = 1;
  a-b'c = 1;
  "new\nline" = 1;
  services."a b"."\${x}".enable = true;
}
