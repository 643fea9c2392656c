# firstlight on NixOS: the settings, and the units that bring a machine from its first boot to a
# healthy generation. Copied into the sources of every rendered system, so that the agent is still
# there after the switch.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  cfg = config.services.firstlight;
  settingsFormat = pkgs.formats.json { };
  # A pinned package is a path of the store, which says no name of its program.
  firstlight = "${cfg.package}/bin/firstlight";

  # What all units do without. They tell of the machine, so they keep the kernel's files (no
  # ProcSubset). Node compiles at run time (no MemoryDenyWriteExecute), and goes on where a limit may
  # not be raised: a call that is not allowed is an error to it, and not its end.
  hardening = {
    AmbientCapabilities = "";
    CapabilityBoundingSet = "";
    # The memory of what handles secrets is on no disk: no core is written, and in one that a program
    # takes from the kernel all the same there is no memory.
    CoredumpFilter = "0x0";
    DevicePolicy = "closed";
    KeyringMode = "private";
    LimitCORE = 0;
    LockPersonality = true;
    NoNewPrivileges = true;
    PrivateDevices = true;
    PrivateMounts = true;
    PrivateTmp = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectSystem = "strict";
    RemoveIPC = true;
    RestrictAddressFamilies = "AF_UNIX";
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = "@system-service";
  };

  # Of units that start beside systemd-tmpfiles: either would be a directory of /tmp, which may not be there yet,
  # or is emptied in that moment, and the unit would not start (/dev until systemd 255). Its policy closes
  # the devices as well.
  early = {
    PrivateDevices = false;
    PrivateTmp = false;
  };

  noNetwork = {
    IPAddressDeny = "any";
    PrivateNetwork = true;
  };

  network.RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    # How a program asks the kernel for the addresses of its interfaces.
    "AF_NETLINK"
    "AF_UNIX"
  ];

  fewCalls.SystemCallFilter = [
    "@system-service"
    "~@privileged"
    "~@resources"
  ];

  # The network side.
  networkSide =
    hardening
    // network
    // fewCalls
    // {
      PrivateUsers = true;
      # It tells the machine's name as it changes.
      ProtectHostname = false;
      ProtectProc = "invisible";
      UMask = "0077";
    };

  # Root that changes the system. It hands to systemd what needs the machine itself (--sandboxed). It has
  # to see whether the process that holds its lock lives (no ProtectProc), and what it writes below
  # /var/lib/firstlight/sources is for everybody (no UMask): evaluation has no privileges.
  changes = hardening // {
    CapabilityBoundingSet = "CAP_DAC_OVERRIDE";
    ReadWritePaths = writable;
  };

  # A place that is not there is no reason not to start.
  writable = [
    # What a boot loader is told of a trial, and kernels that a power cut has left there.
    "-/boot"
    "-/efi"
    "-/etc"
    "-/nix/var/nix/gcroots"
    "-/nix/var/nix/profiles"
    "-/run/firstlight"
    "-/var/lib/firstlight"
  ];

  rootSide = changes // noNetwork;

  # The boot, an update, and drift that may go back to a generation: as the root side, in whose place they work where
  # it does not answer, and what a judge needs.
  judge =
    changes
    // network
    // {
      # Checks of health name files and disks anywhere on the machine. Seeing them is enough: commands that
      # they name are run outside, as root on the machine itself.
      PrivateDevices = false;
      PrivateTmp = false;
      ProtectHome = "read-only";
    };

  # For a seed on a disk. Its node may come late, so /dev is the machine's; of its devices these can be
  # opened, and only to be read.
  seedDisks = {
    DeviceAllow = "block-* r";
    PrivateDevices = false;
  };

  # What hypervisor, boot loader or image give the machine for firstlight, decrypted by systemd. Before
  # 254 it knows no patterns, and hides all others from a unit with a sandbox: those that have a name of
  # their own are asked for by it. One that is not there is no error. And what a container's own process 1
  # was told, which no sandboxed process may read of another.
  credentials = {
    ImportCredential = "firstlight.*";
    LoadCredential = [
      "firstlight.identity"
      "firstlight.meta-data"
      "firstlight.network-config"
      "firstlight.spec"
      "firstlight.user-data"
      "process-1-environment:/proc/1/environ"
    ];
  };

  # The machine's name until the next boot: in the machine's own namespace, by the one file that sets it.
  setsName.ProtectHostname = false;
  nameFile = "-/proc/sys/kernel/hostname";

  # Whether this boot is of a system on trial: then its profile is there, and is what was booted.
  inTrial = "${pkgs.coreutils}/bin/test /nix/var/nix/profiles/system-profiles/firstlight_trial -ef /run/booted-system";
  restart = "${config.systemd.package}/bin/systemctl --no-block reboot";
  # Whether this boot is the first one of a system that became the boot default without one, and
  # firstlight has not taken it up yet.
  inFirstBoot = "${pkgs.coreutils}/bin/test /nix/var/nix/gcroots/firstlight-first-boot/unproved -ef /run/booted-system -o /nix/var/nix/gcroots/firstlight-first-boot/next -ef /run/booted-system";
  # Whether Node is started at all; a package that does not bring the question has it started. Outside of
  # the sandbox: there it would not see what systemd was given for others, nor its credentials before 254.
  hasSomethingToDo = "+${pkgs.bash}/bin/sh -c '[ ! -r \"$0\" ] || . \"$0\"' ${cfg.package}/lib/firstlight/nixos/nothing-to-do.sh";
  drift = cfg.settings.drift or { };
  takesSticks = cfg.settings.update.removable or false;
  enrols = (cfg.settings.fleet or { }) ? enroll;
  generations = cfg.settings.generations or { };

  # Tells the boot loader what to boot next, before there is a systemd that could be asked to: an EFI
  # variable, which the kernel keeps from being changed by accident, or GRUB's environment.
  firstBoot =
    hardening
    // noNetwork
    // fewCalls
    // early
    // {
      CapabilityBoundingSet = [
        "CAP_DAC_OVERRIDE"
        "CAP_LINUX_IMMUTABLE"
      ];
      ProtectKernelTunables = false;
      ReadWritePaths = [
        "-/boot"
        "-/efi"
        "-/nix/var/nix/gcroots"
      ];
      Type = "oneshot";
      ExecCondition = inFirstBoot;
      TimeoutStartSec = "60s";
    };

  # Of packets that go out, those of firstlight's group go on; of others that pass through (containers,
  # machines in this machine) none. Refused, so that who asks is not left waiting. The whole table at
  # once, and no other.
  metadata = cfg.metadataService;
  metadataGroup = "firstlight-metadata";
  metadataTable = "inet firstlight-metadata";
  nft = "${pkgs.nftables}/bin/nft";
  metadataRules =
    let
      isIpv6 = address: builtins.match ".*:.*" address != null;
      set = items: "{ ${lib.concatStringsSep ", " items} }";
      rule =
        family: addresses: more:
        lib.optionalString (addresses != [ ])
          "    ${family} daddr ${set addresses} tcp dport ${set (map toString metadata.ports)} ${more}reject with tcp reset\n";
      rules =
        more:
        rule "ip" (builtins.filter (address: !isIpv6 address) metadata.addresses) more
        + rule "ip6" (builtins.filter isIpv6 metadata.addresses) more;
    in
    pkgs.writeText "firstlight-metadata.nft" ''
      table ${metadataTable}
      delete table ${metadataTable}
      table ${metadataTable} {
        chain output {
          type filter hook output priority 0; policy accept;
      ${rules "meta skgid != \"${metadataGroup}\" "}  }
        chain forward {
          type filter hook forward priority 0; policy accept;
      ${rules ""}  }
      }
    '';

  # What changes of the system are made with.
  systemPath = [
    config.nix.package
    config.systemd.package
    pkgs.getent
    # Ways to a metadata service by each interface.
    pkgs.iproute2
    # Swap for the time of a build.
    pkgs.kmod
    pkgs.util-linux
    # What fetched archives are packed with.
    pkgs.bzip2
    pkgs.xz
  ]
  ++ bringsBase;

  # What brings a base from Git.
  bringsBase = lib.optional (cfg.settings ? base) pkgs.git;

  # systemd before 254 knows no steps: there the first pause is the last, and longer, so that the limit of
  # starts below does not end the tries for hours.
  restartSteps =
    if lib.versionAtLeast (config.systemd.package.version or "254") "254" then
      {
        RestartSec = "30s";
        RestartSteps = 7;
        RestartMaxDelaySec = "1h";
      }
    else
      { RestartSec = "20min"; };

  # Nothing to do where nobody can have said anything, or where a person switched firstlight off.
  conditions = {
    ConditionKernelCommandLine = "!firstlight=disabled";
    ConditionPathExists = "!/etc/firstlight/disabled";
  };
in
{
  # An image may import this file from a place of its own, and the rendered system has its copy too:
  # by this name NixOS takes them for one module. The agent's own copy is nearer to the entry, and
  # is the one that counts.
  key = "firstlight/nixos/module.nix";

  options.services.firstlight = {
    enable = lib.mkEnableOption "firstlight, which provisions and updates this machine";

    package = lib.mkPackageOption pkgs "firstlight" { };

    settings = lib.mkOption {
      type = lib.types.submodule { freeformType = settingsFormat.type; };
      default = { };
      example = {
        datasources = [ "NoCloud" ];
        policy.changes = "hold";
        report.mqtt.host = "mqtt.example.org";
      };
      description = ''
        What the owner of this image decides, written to /etc/firstlight/settings.json. Every key is
        described in docs/settings.md. Secrets do not belong here: name files that hold them.
      '';
    };

    metadataService = {
      addresses = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [
          "169.254.169.254"
          "fd00:ec2::254"
        ];
        description = ''
          Addresses of the cloud's metadata service that only firstlight may ask; with none it is open to
          every program of the machine. firstlight writes them down for the cloud that it finds.
        '';
      };
      ports = lib.mkOption {
        type = lib.types.listOf lib.types.port;
        default = [ 80 ];
        description = "Ports of TCP at which it answers; others at the same addresses stay open.";
      };
    };

    panicSeconds = lib.mkOption {
      type = lib.types.nullOr lib.types.ints.positive;
      default = 30;
      description = ''
        So long after a panic of the kernel, or a first stage that fails, the machine restarts: into
        the boot default, also from a trial. With null it stays as it is, for a person to look at.
      '';
    };

    pins = lib.mkOption {
      type = lib.types.attrsOf (
        lib.types.submodule {
          options = {
            storePath = lib.mkOption {
              type = lib.types.str;
              description = "Path in the Nix store.";
            };
            narHash = lib.mkOption {
              type = lib.types.nullOr lib.types.str;
              default = null;
              description = "SRI hash of the tree.";
            };
            revision = lib.mkOption {
              type = lib.types.nullOr lib.types.str;
              default = null;
              description = "Revision of the tree.";
            };
          };
        }
      );
      default = { };
      description = ''
        Source trees that systems are evaluated from: nixpkgs, and where they are used
        nixos-hardware, home-manager and firstlight; `base` is written by firstlight itself. Written to /etc/firstlight/pins.json.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ] ++ bringsBase;

    environment.etc."firstlight/settings.json" = lib.mkIf (cfg.settings != { }) {
      source = settingsFormat.generate "firstlight-settings.json" cfg.settings;
    };

    environment.etc."firstlight/pins.json" = lib.mkIf (cfg.pins != { }) {
      source = settingsFormat.generate "firstlight-pins.json" cfg.pins;
    };

    # A machine that hangs comes back by itself. Parameters of the kernel are a list, which no priority
    # but their own can decide: the option does. The others give way to defaults of the hardware, which
    # modules of nixos-hardware write with `mkDefault`.
    boot.kernelParams = lib.optionals (cfg.panicSeconds != null) [
      "panic=${toString cfg.panicSeconds}"
      "boot.panic_on_fail"
    ];
    boot.kernel.sysctl."kernel.panic_on_oops" = lib.mkOverride 1200 1;
    systemd.${if options.systemd ? settings then "settings" else "watchdog"} =
      if options.systemd ? settings then
        {
          Manager.RuntimeWatchdogSec = lib.mkOverride 1200 "60s";
          Manager.RebootWatchdogSec = lib.mkOverride 1200 "10min";
        }
      else
        {
          runtimeTime = lib.mkOverride 1200 "60s";
          rebootTime = lib.mkOverride 1200 "10min";
        };

    # Keys of the bootstrap layer: there before anything is built, gone with the next boot.
    services.openssh.authorizedKeysFiles = [ "/run/firstlight/authorized_keys/%u" ];

    # Who may knock at the courier's door.
    users.groups.firstlight = { };

    # Whom a closed metadata service answers: the one child that asks it.
    users.groups.${metadataGroup} = { };

    systemd.tmpfiles.rules = [
      "d /etc/nixos 0755 root root -"
      "d /nix/var/nix/gcroots/firstlight 0755 root root -"
      "d /nix/var/nix/profiles 0755 root root -"
      "d /run/cloud-init 0755 root root -"
      "d /run/firstlight 0755 root root -"
      "d /run/systemd/network 0755 root root -"
      "d /var/lib/cloud 0755 root root -"
      "d /var/lib/firstlight 0755 root root -"
      "d /var/lib/firstlight/report 0755 root root -"
      "d /var/lib/firstlight/report/events 0755 root root -"
      "d /var/lib/firstlight/sources 0755 root root -"
      "d /var/lib/firstlight/credentials 0700 root root -"
      "d /var/lib/firstlight/stamps 0755 root root -"
      "d /var/lib/firstlight/update 0755 root root -"
      "d /var/lib/firstlight/update/commands 0700 root root -"
      "d /var/lib/firstlight/update/wishes 0755 root root -"
    ];

    # In a table of its own it stands beside either firewall of NixOS, and goes with the unit. Before any
    # network, and again where nftables.service has emptied everything.
    systemd.services.firstlight-metadata = lib.mkIf (metadata.addresses != [ ]) {
      description = "Let nobody but firstlight ask the metadata service";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "shutdown.target"
      ];
      after = [
        "nftables.service"
        # They may make the group.
        "systemd-sysusers.service"
        "userborn.service"
      ];
      partOf = [ "nftables.service" ];
      conflicts = [ "shutdown.target" ];
      reloadIfChanged = true;
      unitConfig = {
        DefaultDependencies = false;
        ReloadPropagatedFrom = "nftables.service";
      };
      serviceConfig =
        hardening
        // fewCalls
        // early
        // {
          CapabilityBoundingSet = "CAP_NET_ADMIN";
          # Names of groups may be asked of a daemon.
          RestrictAddressFamilies = [
            "AF_NETLINK"
            "AF_UNIX"
          ];
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${nft} -f ${metadataRules}";
          ExecReload = "${nft} -f ${metadataRules}";
          ExecStop = "${nft} delete table ${metadataTable}";
        };
    };

    # Before any network: what a local datasource says about network, name and keys, in /run only.
    systemd.services.firstlight-bootstrap = {
      description = "Bring up what this machine's datasource says about network, name and keys";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "sshd.service"
        "shutdown.target"
      ];
      after = [
        "local-fs.target"
        "systemd-udev-trigger.service"
      ];
      conflicts = [ "shutdown.target" ];
      restartIfChanged = false;
      unitConfig = conditions // {
        DefaultDependencies = false;
        # A generation carries what it would bring up.
        ConditionPathExists = [
          conditions.ConditionPathExists
          "!/var/lib/firstlight/instance/pinned.json"
        ];
      };
      # It has no network and knocks at no door: what it reads says things and does none.
      serviceConfig =
        hardening
        // noNetwork
        // fewCalls
        // seedDisks
        // credentials
        // setsName
        // {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${firstlight} bootstrap";
          # Of it up to 5 s for disks that are late.
          TimeoutStartSec = "60s";
          # Before systemd-tmpfiles has made them; they stay.
          RuntimeDirectory = [
            "firstlight"
            "systemd/network"
          ];
          RuntimeDirectoryPreserve = true;
          ReadWritePaths = nameFile;
          RestrictAddressFamilies = "none";
        };
    };

    # The boot itself: started by a timer and ordered after the boot transaction, because a unit
    # inside that transaction which switches the system would wait for itself. The timer stays active
    # when it has elapsed, so that a later switch does not start it again.
    systemd.timers.firstlight-boot = {
      description = "Start firstlight when the machine has booted";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "1s";
        AccuracySec = "1s";
      };
    };

    systemd.services.firstlight-boot = {
      description = "Bring this machine to what its datasource asks for";
      wants = [
        "firstlight-system.socket"
        "network-online.target"
      ];
      after = [
        "firstlight-system.socket"
        "multi-user.target"
        "network-online.target"
        "firstlight-bootstrap.service"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
        # More than the steps below come to: whatever else starts it again and again is stopped.
        StartLimitIntervalSec = "6h";
        StartLimitBurst = 24;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = judge // seedDisks // credentials // setsName // restartSteps // {
        Type = "oneshot";
        ExecCondition = hasSomethingToDo;
        ExecStart = "${firstlight} boot --sandboxed";
        # Also when it failed: what is ordered after it must not wait for ever.
        ExecStopPost = [
          "${config.systemd.package}/bin/systemctl start --no-block cloud-init.target"
          "${config.systemd.package}/bin/systemctl start --no-block firstlight-update.service"
        ];
        # A cache that was away, a lack of memory, a kill: tried again, later each time, for as long as it
        # takes. What is wrong in the documents (4) does not mend itself.
        Restart = "on-failure";
        RestartPreventExitStatus = [ 4 ];
        # Rolled back, held or degraded is an answer, not a failure of the unit. What was taken back, or is
        # held back until a time, is tried again by firstlight-retry.timer, which the root side sets.
        SuccessExitStatus = [
          2
          3
          77
        ];
        TimeoutStartSec = "infinity";
        ReadWritePaths = writable ++ [
          # Of a first boot that fails, root itself tells the fleet.
          "-/var/lib/firstlight-agent"
          "-/var/lib/private/firstlight-agent"
          # For programs that ask cloud-init what machine this is.
          "-/run/cloud-init"
          "-/var/lib/cloud"
          # What the bootstrap layer wrote, or could not write yet.
          "-/run/systemd/network"
          nameFile
        ];
      };
    };

    # The root side's two doors. It is started by the first who knocks, and ends when it is idle.
    systemd.sockets.firstlight-system = {
      description = "The root side's door for root";
      wantedBy = [ "sockets.target" ];
      unitConfig = conditions;
      socketConfig = {
        ListenStream = "/run/firstlight/system.sock";
        FileDescriptorName = "operator";
        SocketMode = "0600";
      };
    };

    systemd.sockets.firstlight-courier = {
      description = "The root side's door for the network side";
      wantedBy = [ "sockets.target" ];
      unitConfig = conditions;
      socketConfig = {
        ListenStream = "/run/firstlight/courier.sock";
        FileDescriptorName = "courier";
        SocketMode = "0660";
        SocketGroup = "firstlight";
        Service = "firstlight-system.service";
      };
    };

    # It switches the system and goes on meanwhile, so a switch neither stops nor restarts it. Who
    # makes it fall over again and again must not shut its doors.
    systemd.services.firstlight-system = {
      description = "Build, activate and keep the journal of this machine";
      requires = [ "firstlight-system.socket" ];
      after = [
        "firstlight-system.socket"
        "firstlight-courier.socket"
        "nix-daemon.socket"
        "systemd-tmpfiles-setup.service"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = {
        X-StopOnRemoval = false;
        StartLimitIntervalSec = 0;
      };
      path = systemPath;
      # Builders and downloads are the daemon's.
      environment.NIX_REMOTE = "daemon";
      serviceConfig = rootSide // {
        ExecStart = "${firstlight} system --sandboxed";
        Sockets = [
          "firstlight-system.socket"
          "firstlight-courier.socket"
        ];
        # It calls off what may be called off, and sees an activation through.
        KillMode = "mixed";
        TimeoutStopSec = "20min";
      };
    };

    # A system on trial whose firstlight never took it up goes back by itself. One that does arms a
    # timer of its own, and stops this one.
    systemd.timers.firstlight-trial-deadline = {
      description = "Leave a trial that nobody took up";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnBootSec = "1h";
        AccuracySec = "1min";
      };
    };

    systemd.services.firstlight-trial-deadline = {
      description = "Restart into the boot default, where this boot is of a trial";
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecCondition = inTrial;
        ExecStart = restart;
      };
    };

    # Nobody sits at the console of a trial that cannot mount its disks.
    systemd.services.firstlight-trial-emergency = {
      description = "Leave a trial that ends in emergency mode";
      wantedBy = [ "emergency.target" ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        ExecCondition = inTrial;
        ExecStart = restart;
      };
    };

    # The first boot of a system that became the boot default by an activation arms its own way back as
    # soon as there are disks: a panic, a hang that the watchdog ends, a power button. firstlight takes
    # the boot up later, and disarms it.
    systemd.services.firstlight-first-boot = {
      description = "Let whatever ends this first boot lead back to the system from before";
      wantedBy = [ "sysinit.target" ];
      before = [
        "sysinit.target"
        "shutdown.target"
      ];
      after = [ "local-fs.target" ];
      conflicts = [ "shutdown.target" ];
      restartIfChanged = false;
      unitConfig = conditions // {
        DefaultDependencies = false;
      };
      path = [ config.systemd.package ];
      serviceConfig = firstBoot // {
        ExecStart = "${firstlight} first-boot";
      };
    };

    # Whether this boot was past sysinit.target once is asked of systemd, which forgets what nothing names.
    systemd.services.firstlight-first-boot-emergency = {
      description = "Leave a first boot that ends in emergency mode";
      wantedBy = [ "emergency.target" ];
      before = [ "sysinit.target" ];
      unitConfig = conditions // {
        DefaultDependencies = false;
      };
      path = [ config.systemd.package ];
      serviceConfig = firstBoot // {
        ExecStart = "${firstlight} first-boot --leave restart";
      };
    };

    # Neither waits for sysinit.target, which a first boot may never come to. Where firstlight is still on
    # its way the timer is restarted.
    systemd.timers.firstlight-first-boot-deadline = {
      description = "Leave a first boot that firstlight did not take up";
      wantedBy = [ "timers.target" ];
      before = [ "shutdown.target" ];
      conflicts = [ "shutdown.target" ];
      unitConfig.DefaultDependencies = false;
      timerConfig = {
        OnActiveSec = "1h";
        AccuracySec = "1min";
      };
    };

    systemd.services.firstlight-first-boot-deadline = {
      description = "Go back from a first boot that firstlight did not take up";
      before = [ "shutdown.target" ];
      conflicts = [ "shutdown.target" ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        DefaultDependencies = false;
        X-StopOnRemoval = false;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = judge // {
        Type = "oneshot";
        ExecCondition = inFirstBoot;
        ExecStart = "${firstlight} first-boot --leave any --sandboxed";
        # Taken back, held and restarting are answers.
        SuccessExitStatus = [
          2
          3
          75
          77
        ];
        TimeoutStartSec = "infinity";
      };
    };

    # Where the boot loader counts the boots of an entry, systemd-bless-boot waits for this target: no
    # boot is called good before firstlight has come to an end that is no restart. A cache that is away, or
    # another change that is under way, is nothing that an entry could be blamed for.
    systemd.services.firstlight-boot-complete = {
      description = "Wait until firstlight says how this boot went";
      requiredBy = [ "boot-complete.target" ];
      before = [ "boot-complete.target" ];
      restartIfChanged = false;
      unitConfig = conditions;
      # Whoever may log in may ask the same.
      serviceConfig = hardening // noNetwork // fewCalls // {
        Type = "oneshot";
        RemainAfterExit = true;
        DynamicUser = true;
        PrivateUsers = true;
        ExecStart = "${firstlight} status --wait --ended --timeout 3h";
        TimeoutStartSec = "infinity";
      };
    };

    # Holds the machine against what was committed; a part of the store is read each time.
    systemd.timers.firstlight-drift = lib.mkIf (drift.check or true) {
      description = "Look for drift";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = "15m";
        OnUnitActiveSec = drift.schedule or "1d";
        # Machines that are switched on together shall not all read their stores at once.
        RandomizedDelaySec = "1h";
      };
    };

    systemd.services.firstlight-drift = {
      description = "Look for drift, and mend it where the settings say so";
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = judge // {
        Type = "oneshot";
        ExecStart = "${firstlight} drift --scheduled --sandboxed";
        # Drift that was found, a generation that was gone back to, and a change that is under way (it
        # must not be judged by a look that came at the wrong moment) are answers.
        SuccessExitStatus = [
          2
          3
          75
        ];
        TimeoutStartSec = "infinity";
        Nice = 19;
        IOSchedulingClass = "idle";
      };
    };

    # The update that the fleet has assigned. What is verified lies on the disk before it is started, and
    # whoever left it there starts no process.
    systemd.paths.firstlight-update = {
      description = "Look for an update that was assigned, and for what persons say of it";
      wantedBy = [ "paths.target" ];
      unitConfig = conditions;
      pathConfig = {
        PathChanged = [
          "/var/lib/firstlight/update/assigned.json"
          "/var/lib/firstlight/update/wishes"
        ];
        # However fast a fleet changes its mind, the unit takes the last word.
        TriggerLimitIntervalSec = "10s";
        TriggerLimitBurst = 100;
      };
    };

    # What came while the unit was at its end, and what a timer that is lost should have begun.
    systemd.timers.firstlight-update = {
      description = "Look again whether an update is to go on";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnUnitInactiveSec = "6h";
        RandomizedDelaySec = "1h";
      };
    };

    systemd.services.firstlight-update = {
      description = "Bring this machine to the release that its fleet has assigned";
      wants = [
        "firstlight-system.socket"
        "network-online.target"
      ];
      # The boot starts it at its end, and is not waited for: what finds the system being changed begins again.
      after = [
        "firstlight-system.socket"
        "multi-user.target"
        "network-online.target"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
        # A node of no fleet starts nothing.
        ConditionPathExists = [
          conditions.ConditionPathExists
          "/var/lib/firstlight/update/assigned.json"
        ];
        StartLimitIntervalSec = "6h";
        StartLimitBurst = 200;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = judge // seedDisks // credentials // restartSteps // {
        Type = "oneshot";
        ExecStart = "${firstlight} update run --sandboxed";
        Restart = "on-failure";
        # Rejected, rolled back and degraded are ends of the update; a failure of it is told, and the fleet
        # assigns another one. Only what another time may heal (75) is begun again.
        RestartPreventExitStatus = [
          1
          4
        ];
        SuccessExitStatus = [
          2
          3
          77
        ];
        TimeoutStartSec = "infinity";
        ReadWritePaths = writable ++ [
          "-/run/cloud-init"
          "-/var/lib/cloud"
          # What the bootstrap layer wrote goes with the first commit.
          "-/run/systemd/network"
        ];
      };
    };

    # A stick with an update, where the owner lets one be taken by itself. It stays mounted: archives come from
    # it. Nothing on it is run, and nothing of it is believed that is not signed.
    systemd.mounts = lib.mkIf takesSticks [
      {
        description = "A stick with an update";
        what = "/dev/disk/by-label/FL-UPDATE";
        where = "/run/firstlight/stick";
        type = "auto";
        options = "ro,nosuid,nodev,noexec";
      }
    ];

    systemd.services.firstlight-update-stick = lib.mkIf takesSticks {
      description = "Take an update in from a stick";
      wantedBy = [ "dev-disk-by\\x2dlabel-FL\\x2dUPDATE.device" ];
      wants = [ "firstlight-courier.socket" ];
      after = [ "firstlight-courier.socket" ];
      restartIfChanged = false;
      unitConfig = conditions // {
        RequiresMountsFor = "/run/firstlight/stick";
      };
      serviceConfig = changes // noNetwork // {
        Type = "oneshot";
        ExecStart = "${firstlight} update import --automatic /run/firstlight/stick";
        TimeoutStartSec = "10min";
      };
    };

    # What the fleet has told this machine to do. Whoever took it in starts no process.
    systemd.paths.firstlight-fleet-commands = {
      description = "Look for commands of the fleet";
      wantedBy = [ "paths.target" ];
      unitConfig = conditions;
      pathConfig = {
        # The service removes it before it looks, so that none is missed that comes while it ends.
        PathExists = "/var/lib/firstlight/update/commands-waiting";
        TriggerLimitIntervalSec = "10s";
        TriggerLimitBurst = 100;
      };
    };

    # Also in the boot after a restart that was commanded, which is answered then. No boot waits for it.
    systemd.services.firstlight-fleet-commands = {
      description = "Carry out commands of the fleet";
      wantedBy = [ "multi-user.target" ];
      wants = [ "firstlight-system.socket" ];
      after = [
        "firstlight-system.socket"
        "multi-user.target"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
        # A node of no fleet starts nothing.
        ConditionPathExists = [
          conditions.ConditionPathExists
          "/var/lib/firstlight/update/commands.json"
        ];
        StartLimitIntervalSec = "1h";
        StartLimitBurst = 500;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = judge // {
        Type = "oneshot";
        ExecStart = "${firstlight} fleet-commands run --sandboxed";
        # The machine is being changed.
        Restart = "on-failure";
        RestartSec = "10s";
        RestartPreventExitStatus = [ 4 ];
        TimeoutStartSec = "infinity";
      };
    };

    # Old generations, and what only they needed: sources, secrets, garbage of the store.
    systemd.timers.firstlight-maintenance = {
      description = "Delete old generations when the machine has little else to do";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = generations.collectAt or "03:40";
        RandomizedDelaySec = generations.randomizedDelay or "1h";
        Persistent = true;
      };
    };

    systemd.services.firstlight-maintenance = {
      description = "Delete generations that need not stay";
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
      };
      path = systemPath;
      environment.NIX_REMOTE = "daemon";
      serviceConfig = rootSide // {
        Type = "oneshot";
        ExecStart = "${firstlight} collect --sandboxed";
        # What could not be done, or not now because the system is being changed: the next run will do it.
        SuccessExitStatus = [
          2
          75
        ];
        TimeoutStartSec = "4h";
        Nice = 19;
        IOSchedulingClass = "idle";
      };
    };

    # The network side: a courier without privileges. It takes what the root side leaves for it and
    # talks to the broker.
    systemd.services.firstlight-agent = {
      description = "Report to the fleet";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      # After the target that wants it: no boot waits for it, nor for a network that is not there.
      after = [
        "multi-user.target"
        "network-online.target"
      ];
      unitConfig = conditions;
      # What the second witness asks about disks and graphics.
      path = [
        pkgs.util-linux
        pkgs.pciutils
      ];
      serviceConfig = networkSide // {
        Type = "notify";
        NotifyAccess = "all";
        ExecStart = "${firstlight} agent";
        DynamicUser = true;
        SupplementaryGroups = [ "firstlight" ];
        StateDirectory = "firstlight-agent";
        StateDirectoryMode = "0700";
        # It also ends when the system that runs reports elsewhere.
        Restart = "always";
        RestartSec = "10s";
        WatchdogSec = "60s";
        MemoryMax = "256M";
      }
      // lib.optionalAttrs enrols {
        # As `report.mqtt.certFile` and `keyFile`: credential:firstlight-identity.pem. It starts without one, too.
        LoadCredential = [ "firstlight-identity.pem:/run/firstlight/enroll/identity.pem" ];
        SetCredential = [ "firstlight-identity.pem:not enrolled yet" ];
      };
    };

    # Where the fleet gives the node its certificate. It has no network: children without privileges carry
    # texts to the server and from the cloud, and the key stays here.
    systemd.services.firstlight-enroll = lib.mkIf enrols {
      description = "Get this machine's certificate from its fleet, or renew it";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "multi-user.target"
        "network-online.target"
        "firstlight-boot.service"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = conditions // {
        X-StopOnRemoval = false;
        # The steps below go on for as long as it takes.
        StartLimitIntervalSec = 0;
      };
      path = [ config.systemd.package ];
      serviceConfig =
        hardening
        // noNetwork
        // fewCalls
        // restartSteps
        // {
          CapabilityBoundingSet = "CAP_DAC_OVERRIDE";
          ReadWritePaths = [
            "-/run/firstlight"
            "-/var/lib/firstlight"
          ];
          UMask = "0077";
          Type = "oneshot";
          ExecStart = "${firstlight} enroll --sandboxed";
          # A code that a person approves stands on the console.
          StandardError = "journal+console";
          # Before 254 systemd knows no patterns; one that is not there is no error.
          LoadCredential = "firstlight.enroll-token";
          ImportCredential = "firstlight.enroll-token";
          # A server that is away, a person who sleeps, a token that comes later.
          Restart = "on-failure";
          TimeoutStartSec = "infinity";
        };
    };

    # Whether it is time to renew is the node's own word: at half of the certificate's time, each node a
    # little apart from the others.
    systemd.timers.firstlight-enroll = lib.mkIf enrols {
      description = "Look whether this machine's certificate is to be renewed";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "daily";
        RandomizedDelaySec = "6h";
        AccuracySec = "1min";
      };
    };

    # A unit has the credentials of its start: with another certificate the agent starts again.
    systemd.paths.firstlight-identity = lib.mkIf enrols {
      description = "Watch for another certificate of this machine";
      wantedBy = [ "multi-user.target" ];
      unitConfig = conditions;
      pathConfig.PathChanged = "/run/firstlight/enroll/identity.pem";
    };

    systemd.services.firstlight-identity = lib.mkIf enrols {
      description = "Hand another certificate of this machine to the agent";
      unitConfig = conditions;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${config.systemd.package}/bin/systemctl --no-block try-restart firstlight-agent.service";
      };
    };

    # Units written for cloud-init may order themselves after these; reached when the boot is through.
    systemd.targets.cloud-config.description = "The machine has its configuration";
    systemd.targets.cloud-init = {
      description = "The machine is provisioned";
      after = [ "cloud-config.target" ];
      wants = [ "cloud-config.target" ];
    };
  };
}
