# Raspberry Pi 5: a text that stands beside those of others. The reason and source stand in
# profile.yaml.
{ ... }:

{
  services.xserver.extraConfig = ''
    Section "OutputClass"
      Identifier "outputs of the Raspberry Pi 5"
      MatchDriver "vc4"
      Driver "modesetting"
      Option "PrimaryGPU" "true"
    EndSection
  '';
}
