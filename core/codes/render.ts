import type { CodeTable } from "./entry.ts";

export const renderCodes = {
  "render/template-unknown": {
    means: "The spec names a template that does not exist.",
    action: "Correct the name, as the hint says; docs/templates.md lists every template.",
  },
  "render/template-parameters": {
    means: "A parameter of a template does not fit its schema.",
    action: "Change the value as the message says; docs/templates.md lists the parameters.",
  },
  "render/template-twice": {
    means: "A template is used several times in a way that one machine cannot have.",
    action: "Put the parameters together in one use, as the hint says.",
  },
  "render/rule": {
    means:
      "A rule of sudo or doas is not one line or none that it would take; or one of sudo names its user, who is put before it.",
    action:
      "Write each rule as an item of its own; leave its user out for sudo, and name it for doas.",
  },
  "render/timezone-unknown": {
    means: "A time zone is not in the tz database as far as it is known here.",
    action: "Write its name as `timedatectl list-timezones` prints it.",
  },
  "render/locale-unknown": {
    means:
      "A locale is none that glibc is known to have, by its language and country or its character set.",
    action: "Write language, country and character set: `de_CH.UTF-8`.",
  },
  "render/locale-charset": {
    means: "A locale is in a character set that NixOS does not build; the same in UTF-8 is taken.",
    action: "Write the locale in UTF-8, as the message names it.",
  },
  "render/id-twice": {
    means: "Two users would have one uid, or two groups one gid, and NixOS builds no such system.",
    action: "Leave the number out, or choose one that is free.",
  },
  "render/nixos-account": {
    means: "A user has the name of an account that NixOS declares itself, which is left as it is.",
    action: "Choose another name.",
  },
  "render/no-shell": {
    means: "A system user has ssh keys or a password, and no shell that it could log in with.",
    action: "Give it a shell, or make it a normal user.",
  },
  "render/user-unknown": {
    means:
      "A template, a file or a group is given the name of a user or group that the spec does not declare.",
    action: "Correct the name, or add the user; one that the image declares is right all the same.",
  },
  "render/owned-path": {
    means: "A file was asked for at a path that NixOS writes itself, or that is a directory there.",
    action: "Use the key of the spec that the hint names, or another path.",
  },
  "render/resolver-options": {
    means:
      "Options of the resolver were given beside a network, whose names systemd-resolved looks up: it reads none of them.",
    action:
      "Remove them, or do without systemd-resolved by `services.resolved.enable: false` under `options`.",
  },
  "render/rule-path": {
    means: "A rule of sudo or doas names a program by a path of other distributions.",
    action: "Name it by its path below `/run/current-system/sw/bin`.",
  },
  "render/file-twice": {
    means: "A file is written twice; the last entry wins.",
    action: "Keep one of the entries.",
  },
  "render/hook-unclear": {
    means: "A hook says both a command and a script, or neither.",
    action: "Give it one of the two.",
  },
  "render/hook-cannot-abort": {
    means: "A hook that runs after a change is asked to call it off when it fails.",
    action: "Leave `onFailure` out, or make it a `pre-update` hook.",
  },
  "render/home-file-there": {
    means: "A file of a home is on the machine already, and home-manager does not take its place.",
    action: "Move it away, say `force`, or say what becomes of such files.",
  },
  "render/home-option": {
    means: "A home asks for something that home-manager would refuse.",
    action: "Write it as the finding says.",
  },
  "render/pin-missing": {
    means: "A source tree that is needed is not pinned on this machine.",
    action: "Pin it in the image, or do without what needs it.",
  },
  "render/pin-unknown": {
    means:
      "A source tree is needed that the image of a machine pins; here it is not known whether it does.",
    action: "Pin it in the image that takes this document.",
  },
  "render/option-name": {
    means: "The name of a raw option is not names joined by dots.",
    action: "Put names that hold dots or other characters in quotes.",
  },
  "render/option-twice": {
    means: "A raw option is set by another part of the spec too.",
    action: "Say it in one place.",
  },
  "render/own-option": {
    means: "A raw option would decide about firstlight itself, which is the image owner's.",
    action: "Set it in the image, or in local.nix.",
  },
  "render/network-clash": {
    means:
      "Two interfaces of the network have one name, one is part of two others, something is said of one that is no part of them, or one lacks what it cannot be made without.",
    action:
      "Give each its own name, and put it into one bond, bridge or VRF at most, and complete it as the message says.",
  },
  "render/network-renderer": {
    means:
      "NetworkManager and another program would set up the same network: by the spec, a template, an option or the image.",
    action: "Say `network.renderer`, and leave out what the message names; a note needs nothing.",
  },
  "render/network-manager": {
    means:
      "NetworkManager has no word for this part of the network, or does it otherwise; it is left out of the profile.",
    action:
      "Do without it, or say `network.renderer: networkd`, where systemd-networkd fits the machine.",
  },
  "render/text": {
    means: "A text of the spec cannot stand in the file that NixOS writes it to.",
    action: "Change it to what the message expects.",
  },
  "render/secret-unknown": {
    means: "The spec refers to a secret that is not on this machine.",
    action: "Write the secret itself in its place; firstlight moves it to the credential store.",
  },
  "render/secret-too-large": {
    means: "A secret, or what one file is made of, is larger than what systemd hands to a unit.",
    action: "Let a command fetch it, or make several files of it.",
  },
  "render/no-credentials": {
    means: "Secrets were given to a kind of unit that runs no processes.",
    action: "Give them to the service that it starts.",
  },
  "render/network-secret-unknown": {
    means: "An option names the file of a secret of the network that the spec does not have.",
    action: "Correct the name, or add the secret to `networkSecrets`.",
  },
  "render/no-initrd-secrets": {
    means: "The boot loader of this machine brings no secrets into the initrd.",
    action: "Open what needs them after the initrd, by a unit that is handed the secret.",
  },
  "render/initrd-in-clear": {
    means: "Secrets of the initrd lie on the boot partition in the clear, as NixOS has it.",
    action: "Give keys only that are worth no more than the disk that the initrd is on.",
  },
  "render/readable-secret": {
    means:
      "An option has the name of a secret, or holds a private key; options stand in the Nix store, which everybody can read.",
    action:
      "Put it under `secrets`, have it handed over as a credential or a file, and set the option that takes a file.",
  },
  "render/initrd-drivers": {
    means:
      "Nothing tells the drivers of a disk that the root file system lies on, so that the initial RAM disk may not find it.",
    action:
      "Name their modules in boot.initrd.availableKernelModules under `options`; kernels that have them built in need none.",
  },
  "render/initrd-disks": {
    means:
      "Nothing tells the disks of a file system that the initial RAM disk mounts; the drivers of all fixed disks are in it.",
    action: "Nothing, if it lies on one of these; else name the modules of the disk's drivers.",
  },
  "render/import-revision": {
    means:
      "The pinned nixos-hardware is another revision than the one that rules were taken from: a module that a profile imports may say something else there.",
    action:
      "Nothing, if the machine does well; else look at what has changed between the two revisions, or pin the other one.",
  },
  "render/import-absent": {
    means:
      "The pinned nixos-hardware has not the module that a profile imports; the rest of the profile is used.",
    action: "Pin a revision that has it, or import in your configuration what has taken its place.",
  },
  "render/nvidia-not-free": {
    means:
      "A graphics card of NVIDIA is driven by nouveau, because nobody agreed to the licence of its maker's driver.",
    action: "Nothing; where you agree to it, name `nvidia-x11` under `unfree`.",
  },
  "render/nvidia-none": {
    means: "A graphics card of NVIDIA is so old that no driver of its maker takes it any more.",
    action: "Take `nvidia-x11` off the list `unfree`.",
  },
  "render/nvidia-legacy": {
    means:
      "A graphics card of NVIDIA takes only an old branch of its maker's driver, which newer kernels do not build.",
    action: "Set boot.kernelPackages to a kernel that it builds for, or leave the card to nouveau.",
  },
  "render/unfree-package": {
    means: "A package is not free, and nixpkgs evaluates it only where that is allowed.",
    action:
      "Where you agree to its licence, name it under `unfree`, or take a package that is free.",
  },
  "render/readable-key": {
    means: "A private key, a password or a token was given in a file that everybody may read.",
    action: "Give it a mode that lets only its owner read it: it is kept as a secret then.",
  },
  "render/unread-path": {
    means: "A file was asked for at a path that nothing on NixOS reads.",
    action: "Use the key of the spec that the hint names.",
  },
  "render/unit-file": {
    means:
      "A unit was written as a file; it becomes a unit of the system that nothing starts at boot.",
    action: "Use `units` with `wantedBy` when it should start at boot.",
  },
  "render/not-enabled": {
    means:
      "A script enables a unit that is not one whole file of text with `WantedBy`, or that asks for more than that.",
    action: "Say its text and `wantedBy` under `units`.",
  },
  "render/file-not-secret": {
    means: "A file that not everybody may read was given as plain text.",
    action: "Name its content as a secret, or let everybody read it.",
  },
  "render/file-inside": {
    means: "A file was asked for below the path of another file.",
    action: "Change one of the paths.",
  },
  "render/format-type": {
    means: "A file system is to be made where there is none, and its type is not said.",
    action: "Name the type in `type`.",
  },
  "render/swap-size": {
    means: "The size of a swap file is to suit the memory of the machine, which nobody knows.",
    action: "Give its size as `sizeMiB`.",
  },
  "render/no-growth": {
    means: "The root file system was to grow with its partition, and is of a type that does not.",
    action: "Remove the wish.",
  },
  "render/mount-hides": {
    means: "A file system is to be mounted over a directory that the running system lives in.",
    action:
      "Lay the disk out when the machine is installed, and declare it in the image's own configuration; or mount a directory of one service.",
  },
  "render/mount-twice": {
    means: "Two file systems are to be mounted at one place.",
    action: "Keep one of the entries.",
  },
  "render/metadata-open": {
    means:
      "Every program of the machine may ask the cloud's metadata service, because the instance has an identity that programs take from there.",
    action: "Set `metadataService.closed` to true where none of them needs it, or to false.",
  },
  "render/metadata-not-closed": {
    means: "The metadata service was to be closed to others, and has no address of its own here.",
    action: "Close it with a firewall rule under `firstlight: options`, or drop the key.",
  },
  "render/mount-left-out": {
    means: "Something that is mounted now, or swapped to, is not part of the rendered system.",
    action: "Say it in `mounts` or `swap`, or in local.nix, where it is wanted.",
  },
  "render/mutable-users": {
    means: "Whether accounts may be changed by hand was decided at the first boot.",
    action: "Reset the machine to decide anew, or remove the key.",
  },
  "base/adopt": {
    means: "The configuration in /etc/nixos cannot be taken over whole.",
    action: "Move what is not part of the configuration out of /etc/nixos.",
  },
  "base/git-fetch": {
    means: "The base from Git could not be brought into the Nix store.",
    action: "Read what Git or Nix says; the machine needs both on its path.",
  },
  "base/git-flake": {
    means: "The base from Git is named as an output of a flake, which cannot be read.",
    action: "Name the module's file in `base.path`.",
  },
  "base/git-hash": {
    means: "The tree of the base from Git is not the one that the settings name.",
    action: "Find out why before you change `base.narHash`: the commit, or the server, is another.",
  },
  "base/git-late": {
    means: "The settings name a base from Git, and this instance stands on another one.",
    action: "Reset the machine to decide anew, or remove `base` from the settings.",
  },
  "base/git-path": {
    means: "The base from Git has no module where the settings say it is.",
    action: "Mend `base.path` in the settings.",
  },
  "base/git-revision": {
    means: "The repository of the base has no such commit.",
    action: "Push the commit, or mend `base.rev` in the settings.",
  },
  "base/git-signature": {
    means: "The commit of the base is not signed by anybody whose signature counts.",
    action: "Sign it with one of the keys that `base.signers` names, or name the key there.",
  },
  "base/git-unreachable": {
    means: "The repository of the base cannot be reached.",
    action: "Check its address and the network; what is in the store once needs neither.",
  },
  "base/platform": {
    means: "What this machine boots from cannot be told from what is mounted on it.",
    action: "Write /etc/nixos/configuration.nix with its disks and boot loader: it is taken over.",
  },
  "base/damaged": {
    means: "The record of what this system stands on is damaged.",
    action: "Restore /var/lib/firstlight/base/base.json from a backup.",
  },
  "base/pins": {
    means: "The pins of the image are not what they should be.",
    action: "Mend `services.firstlight.pins` in the image.",
  },
  "base/no-root": {
    means:
      "A machine without a configuration of its own has no root file system that NixOS could boot from.",
    action: "Write /etc/nixos/configuration.nix in the image, or name the root file system.",
  },
  "base/no-package": {
    means: "The rendered system runs firstlight, and nothing says where its package comes from.",
    action:
      "Pin it with `services.firstlight.pins.firstlight`, or set services.firstlight.package.",
  },
  "base/no-release": {
    means: "Nothing says which release of NixOS this machine has.",
    action: "Set `stateVersion` in the settings, or pin nixpkgs.",
  },
  "render/template-broken": {
    means: "A template that is shipped or installed is not whole.",
    action: "Install it again: default.nix, schema.json and template.yaml belong together.",
  },
} as const satisfies CodeTable;
