# This generation: its name in boot entries, and what it is made from.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  system.nixos.tags = [ "firstlight.00000000" ];

  environment.etc."firstlight/generation.json".text = builtins.toJSON {
    v = 1;
    content = "0000000000000000000000000000000000000000000000000000000000000000";
    release = "firstlight.00000000";
    instance = "d924710c3f490881";
    commands = [
      {
        name = "bootcmd";
        unit = "firstlight-command-bootcmd.service";
        stamp = "/run/firstlight/stamps/bootcmd-cfdc08e84c6840fa";
      }
      {
        name = "runcmd";
        unit = "firstlight-command-runcmd.service";
        stamp = "/var/lib/firstlight/stamps/d924710c3f490881/runcmd-669f271f452a653b";
      }
      {
        name = "setup.py";
        unit = "firstlight-command-setup.py.service";
        stamp = "/var/lib/firstlight/stamps/once/setup.py-1d71a8386713c278";
      }
    ];
    hooks = [
      {
        name = "snapshot-database";
        when = "pre-update";
        command = [ ];
        script = {
          name = "hook-0";
          file = "hook-0@0123456789abcdef";
          encrypted = true;
          shell = "bash";
        };
        timeoutMs = 600000;
        aborts = false;
      }
      {
        name = "tell";
        when = "post-update";
        command = [
          "/run/current-system/sw/bin/true"
          "done"
        ];
        script = null;
        timeoutMs = 300000;
        aborts = false;
      }
    ];
    report = {
      instanceId = "i-0001";
      password = null;
      spec = null;
    };
    credentials = [
      "bootcmd@0123456789abcdef"
      "hook-0@0123456789abcdef"
      "runcmd@0123456789abcdef"
      "setup.py-starter@0123456789abcdef"
      "setup.py@0123456789abcdef"
    ];
  };
}
