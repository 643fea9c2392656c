import type { CodeTable } from "./entry.ts";

export const systemCodes = {
  "system/build-failed": {
    means: "Nix could not build the system.",
    action: "Read the last lines of the failed build in the message.",
  },
  "system/evaluation-failed": {
    means: "Nix could not evaluate the configuration.",
    action: "Read Nix's message; the findings name the file and line of the sources.",
  },
  "system/evaluated-as-root": {
    means:
      "The configuration was evaluated by root, because there is no systemd or no Nix daemon, or only root may read its files.",
    action: "Run the Nix daemon under systemd, and let everybody read the files below /etc/nixos.",
  },
  "system/unit-failed": {
    means: "systemd could not begin a unit that firstlight asked for.",
    action: "Read systemd's words in the message and in `journalctl -u 'firstlight-*'`.",
  },
  "system/nix-missing": {
    means: "Nix is not on the PATH of firstlight.",
    action: "Run this on NixOS, or add Nix to the path of the service.",
  },
  "system/nix-too-old": {
    means: "The Nix on the PATH is older than 2.4 and does not tell what it does.",
    action: "Install a newer Nix: `nix-store --version` says which one there is.",
  },
  "system/nix-failed": {
    means: "A Nix command ended with an error that has no code of its own.",
    action: "Read its last lines in the message; run the same command by hand.",
  },
  "system/nix-unreachable": {
    means: "The Nix daemon does not answer.",
    action: "Look at `systemctl status nix-daemon.socket nix-daemon.service`.",
  },
  "system/timeout": {
    means: "A step of building or activating did not end within its deadline and was stopped.",
    action: "Look for a hanging cache, builder or unit; raise the deadline if the work is real.",
  },
  "system/no-space": {
    means: "No longer given: `system/disk-full` says it, with the numbers.",
    action:
      "Free space where the message says; `firstlight collect` drops generations, boot entries and garbage that need not stay.",
  },
  "system/disk-full": {
    means: "A disk was full while the system was evaluated or built; what was begun is dropped.",
    action:
      "Free space where the message says; `firstlight collect` drops generations, boot entries and garbage that need not stay.",
  },
  "system/not-enough-space": {
    means: "A disk has less room than the system will need, so nothing was begun.",
    action:
      "Free space where the message says; `firstlight collect` drops generations, boot entries and garbage that need not stay. `build.keepFree` of the settings says how much must stay free.",
  },
  "system/limit-not-applied": {
    means:
      "The limit of a build's memory does not hold: this kernel counts no memory of control groups, or systemd may not set it (a container whose host keeps the memory controller). The build goes on; with too little memory it is the whole machine that runs out of it.",
    action:
      "Switch the memory controller on (`cgroup_enable=memory` on a Raspberry Pi's kernel command line; in a container delegate it), or leave room by `build.evaluationMemory`. `build.limits.memoryMax: infinity` says that none is wanted.",
  },
  "system/not-enough-boot-space": {
    means:
      "Where the boot loader keeps kernels there is less room than kernel and initrd of the system take, so nothing was tried. It is the same for a system that is fetched.",
    action:
      "`firstlight collect` drops generations with their kernels and boot entries; a larger boot partition holds more of them. `build.keepFree.boot` of the settings says how much must stay free.",
  },
  "system/out-of-memory": {
    means: "The memory was not enough to evaluate or build the system.",
    action:
      "Look at the numbers: allow swap with `build.swap`, raise `build.limits.memoryMax`, or let the node fetch what was built elsewhere.",
  },
  "system/not-enough-memory": {
    means: "There is less memory than evaluating a system needs, so nothing was begun.",
    action:
      "Allow swap with `build.swap`, or let the node fetch what was built elsewhere; `build.evaluationMemory` says what is needed.",
  },
  "system/swap-failed": {
    means: "The swap that the settings allow while a system is built could not be made.",
    action: "Read the reason in the message; choose another kind in `build.swap`, or `none`.",
  },
  "system/canceled": {
    means: "The work was called off before it changed the running system.",
    action: "Nothing to do; run the command again when it is wanted.",
  },
  "system/sources-invalid": {
    means: "The files of a system cannot be written as they are named.",
    action: "This is a defect of firstlight: please report it.",
  },
  "system/closure-missing": {
    means: "The system that was planned is no longer in the store.",
    action: "Build it again: it was collected as garbage, or belongs to another machine.",
  },
  "system/plan-invalid": {
    means: "A plan is not what its digest says.",
    action: "Make the plan again with `firstlight plan`; a plan must not be edited.",
  },
  "system/plan-stale": {
    means:
      "The machine is not as the plan found it, or the change is not the approved one, so nothing was activated.",
    action: "Make the plan again with `firstlight plan`; the message tells what differs.",
  },
  "system/way-back-failed": {
    means:
      "The timer that brings the old system back could not be set or stopped, so the old system stays.",
    action: "Look at the message of systemd-run and at `systemctl list-timers`.",
  },
  "system/no-way-back": {
    means:
      "A system was committed, and none is left that its first boot could go back to where it does not come up.",
    action:
      "Be there when the machine is restarted, and choose another entry in its boot menu where one is; once the boot was well, later changes go back to it.",
  },
  "system/retry-failed": {
    means:
      "The timer that starts the boot again could not be set, so the next try is the next boot.",
    action:
      "Look at the message of systemd-run, or try it now with `systemctl start firstlight-boot`.",
  },
  "system/activation-failed": {
    means: "A program that is needed for the activation could not be run.",
    action: "Look at the message; the previous system was activated again.",
  },
  "system/no-trial": {
    means: "There is no such trial to commit or to take back.",
    action: "Look at `firstlight history`: it has ended already, or another one is under way.",
  },
  "system/judging-unread": {
    means:
      "What the journal kept of how a system is judged is not as this version expects; those parts are judged by the defaults.",
    action:
      "Apply the spec again, so that its checks are kept anew; or roll back to another generation.",
  },
  "system/not-healthy": {
    means: "A trial that was not judged healthy was about to be committed; firstlight refused.",
    action: "Roll it back, mend the checks that failed, and try again.",
  },
  "system/trial-lost": {
    means: "The system on trial is no longer the one that runs, so it was not committed.",
    action:
      "Its time may have been over, or someone switched by hand: look at `firstlight history`.",
  },
  "system/commit-failed": {
    means:
      "The system could not be made the boot default, or its boot entry could not be written in three starts; the previous one was activated again.",
    action:
      "Look at the message: free space, permissions, the profile's directory, health and space of /boot. `firstlight collect` frees space there.",
  },
  "system/commit-incomplete": {
    means: "The system is the default profile, but its boot entry or sources could not be written.",
    action:
      "Check space and health of /boot and /etc; the next start of firstlight tries again, and goes back from a system that gets no boot entry.",
  },
  "system/commit-begun": {
    means: "The trial is being committed and cannot be rolled back as a trial any more.",
    action:
      "Let the next start finish it; then `firstlight rollback` goes to the previous generation.",
  },
  "system/roll-back-failed": {
    means: "The previous system could not be activated again.",
    action: "Reboot: the boot default is still the previous system. Then look at its units.",
  },
  "system/reboot-refused": {
    means: "The change needs a reboot, and the settings allow none.",
    action:
      "Let a person decide: `firstlight apply --reboot allow` restarts the machine into it once, `--reboot skip` commits it without having booted it.",
  },
  "system/reboot-impossible": {
    means: "The change needs a reboot, and this machine cannot boot a system once and come back.",
    action:
      "Let a person who can reach the machine decide: `firstlight apply --reboot skip` commits it without having booted it. Or see to what the message names for each loader.",
  },
  "system/switch-inhibited": {
    means:
      "NixOS refuses to switch to this system while the running one runs (its switch inhibitors differ), and no restart into it is allowed or possible here. Nothing was changed, and the release is not to blame.",
    action:
      "Let the machine be restarted into it once: `firstlight apply --reboot allow`, or see to what the message names for each loader. `--reboot skip` does not help: a switch is what NixOS refuses.",
  },
  "system/boot-once-failed": {
    means: "The system on trial could not be chosen for the next boot; nothing was restarted.",
    action: "Look at the message: space on the boot partition, EFI variables, GRUB's environment.",
  },
  "system/restart-failed": {
    means: "The machine could not be restarted.",
    action: "Look at `systemctl list-jobs` and `systemd-inhibit --list`, or restart it by hand.",
  },
  "system/restart-needed": {
    means: "The way back from a system that the machine was booted with takes a restart.",
    action: "The agent restarts the machine itself; where it did not, restart it by hand.",
  },
  "system/release-denied": {
    means:
      "This release was not healthy on this machine, or its system failed in a boot of its own, and it is not tried again for some time.",
    action: "Ask for another one, or let a person try it again with `firstlight apply`.",
  },
  "system/release-looping": {
    means: "This release was begun too often within a short time without coming to an end.",
    action:
      "Look at `firstlight history` and at power and hardware; `firstlight apply` tries it again.",
  },
  "system/transaction-open": {
    means: "An earlier change has not ended yet.",
    action: "Commit it, roll it back, or let the next start of firstlight settle it.",
  },
  "system/generation-unknown": {
    means: "There is no such generation to go to.",
    action: "Choose one that `firstlight history` lists.",
  },
  "system/hook-failed": {
    means: "A hook that runs before a change failed, so nothing was activated.",
    action:
      "Look at the message and at the log of its unit; mend what it looks after, and try again.",
  },
  "system/pins-unreadable": {
    means: "The list of pinned generations cannot be read, so none is deleted.",
    action:
      "Remove /var/lib/firstlight/pinned-generations.json, and pin again what must stay: `firstlight history --pin N`.",
  },
  "system/credential-missing": {
    means: "A secret that the system needs is no longer in the credential store.",
    action: "Run it again: the secrets are read and stored anew.",
  },
  "system/locked": {
    means: "Another process of firstlight is changing this system.",
    action: "Wait for it to end; the message names its process.",
  },
  "system/journal-damaged": {
    means: "The journal of the system is damaged in the middle, so its state cannot be trusted.",
    action:
      "Check the disk. The next start of firstlight sets the file aside, begins a new one and leaves what runs alone.",
  },
  "system/journal-newer": {
    means: "The journal was written by a newer version of firstlight.",
    action: "Run the newer version, or boot the generation that has it.",
  },
  "system/manifest-invalid": {
    means:
      "The manifest of a built system is malformed, or does not hold exactly what the system needs.",
    action: "Make it again with `firstlight closure manifest`; a manifest must not be edited.",
  },
  "system/closure-untrusted": {
    means:
      "The manifest of a built system is not signed by enough of the keys that this node trusts.",
    action:
      "Sign it with trusted keys, or name the right keys in `fetch.trustedKeys` of the settings.",
  },
  "system/closure-mismatch": {
    means:
      "A built system is not the one that this node needs, or the store holds something else under its names.",
    action:
      "Look at the paths in the message: build the system from the same sources, or free the paths that differ.",
  },
  "system/closure-not-found": {
    means:
      "No place that serves manifests has one for these sources, and this node must not build.",
    action: "Publish the built system, or let `fetch.mode` of the settings allow to build.",
  },
  "system/fetch-failed": {
    means: "A path could not be fetched from any cache.",
    action: "Look at each cache's reason in the message; what was fetched so far is kept.",
  },
  "system/cache-absent": {
    means: "A cache does not have a path that was asked for.",
    action: "Nothing to do if another cache has it; otherwise push the system to the cache.",
  },
  "system/cache-unreachable": {
    means: "A cache did not answer, or the connection to it broke.",
    action: "Check the network and the cache; it is tried again after a while.",
  },
  "system/cache-slow": {
    means: "A cache sent less than the settings ask for, so that another one was tried.",
    action: "Check the network and the cache, or lower `fetch.minimumRate` on a slow link.",
  },
  "system/cache-lied": {
    means: "A cache sent something other than the manifest says; it was not used.",
    action: "Check who runs the cache: its disk is damaged, or somebody tampers with it.",
  },
  "system/cache-unusable": {
    means: "A cache cannot be used: its address or the way it packs archives is not known here.",
    action:
      "Use http, https or file, and archives packed with xz, zstd, gzip, br, bzip2 or not at all.",
  },
  "system/repair-busy": {
    means: "Drift is not repaired while a change is under way.",
    action: "Wait for it to be committed or rolled back; `firstlight history` shows it.",
  },
  "system/key-invalid": {
    means: "A key is not in the form that is expected.",
    action: "Use a key as `nix-store --generate-binary-cache-key` makes it: NAME:BASE64.",
  },
  "system/dry-needs-root": {
    means: "The dry driver was asked to work on the real machine.",
    action: "Give it a directory that stands for the machine with --root.",
  },
  "system/other-driver": {
    means: "A machine that was changed with one driver was to be worked on with the other.",
    action: "Leave --driver out, or give another directory with --root.",
  },
  "system/no-result": {
    means: "The system ended its answer without a result.",
    action: "This is a defect of firstlight: please report it.",
  },
} as const satisfies CodeTable;
