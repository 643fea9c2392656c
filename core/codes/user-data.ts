import type { CodeTable } from "./entry.ts";

export const userDataCodes = {
  "user-data/unknown-format": {
    means: "The first line of the user-data names no known format.",
    action: "Begin it with #cloud-config or #firstlight.",
  },
  "user-data/invalid": {
    means: "The input has errors; nothing was changed.",
    action:
      "Mend the errors that the findings name; `firstlight validate` shows them beforehand, unless the document is a template, which only its node renders.",
  },
  "user-data/other-kind": {
    means: "A document was to be checked as one kind, and its first line says that it is another.",
    action: "Leave `--kind` out, or name the kind that the document has.",
  },
  "user-data/unsupported-format": {
    means: "The user-data has a format that this version does not read.",
    action: "Rewrite it as #cloud-config or #firstlight.",
  },
  "user-data/template-failed": {
    means: "User-data that is a template cannot be rendered, so that nothing is read of it.",
    action: "Give the text after its first line to `firstlight query --format -`, which says why.",
  },
  "user-data/template-variable": {
    means: "A template names a variable that this machine does not have.",
    action: "Look at the names that `firstlight query` prints, or give a `default`.",
  },
  "user-data/undecodable": {
    means: "A document is neither UTF-8 text nor whole gzip data.",
    action: "Check that it was not cut or encoded twice.",
  },
  "user-data/sealed": {
    means: "A document is an age envelope, which only its node opens.",
    action: "Look at the document itself; on the node, `firstlight plan` does.",
  },
  "user-data/too-large": {
    means: "A document is larger than is read.",
    action:
      "Check that it is the right file; fetch large contents by URL instead of writing them in.",
  },
  "user-data/wrong-type": {
    means: "A value has another kind than the key takes.",
    action: "Write the value as the message says.",
  },
  "user-data/no-value": {
    means:
      "A key or an entry has no value: it counts as absent, or as what cloud-init takes it for, which the message says.",
    action: "Remove the key, or give it a value.",
  },
  "user-data/taken-as-whole": {
    means: "A number with a decimal point and no fraction stands where a whole number is expected.",
    action: "Write it without the point.",
  },
  "user-data/taken-as-text": {
    means: "A number or truth value stands where text is expected, and is taken as text.",
    action: "Put the value in quotes.",
  },
  "user-data/not-unicode": {
    means: "A text or key holds half of a surrogate pair, which is no Unicode text.",
    action: "Write the whole character.",
  },
  "user-data/more-findings": {
    means: "There are more findings than are listed.",
    action: "Mend the listed ones and read the documents again.",
  },
  "user-data/meta-data-hostname": {
    means: "The name in the meta-data cannot be a host name.",
    action: "Set `hostname` in the user-data.",
  },
  "user-data/vendor-data": {
    means: "The cloud gave vendor-data, which is not used.",
    action: "Put what you need of it into the user-data.",
  },
  "user-data/keys-unused": {
    means: "The meta-data holds ssh keys that no user gets.",
    action: "Add the default user to the spec, or put keys under a user.",
  },
  "cloud-config/unsupported-key": {
    means: "cloud-config knows this key, and firstlight does not translate it.",
    action: "Use the NixOS way that the hint names; the rest of the document is used.",
  },
  "cloud-config/unknown-key": {
    means: "cloud-config has no such key.",
    action: "Correct its spelling or remove it.",
  },
  "cloud-config/unknown-value": {
    means: "A value is not one of those that are known for the key.",
    action: "Use one of the values that the message lists.",
  },
  "cloud-config/overridden": {
    means: "Another value of the document counts instead of this one.",
    action: "Keep the one that is meant.",
  },
  "cloud-config/no-name": {
    means: "An entry under `users` has no name, so that cloud-init takes it for the default user.",
    action: "Add `name` to the entry.",
  },
  "cloud-config/group-mapped": {
    means: "A group of Debian or Ubuntu has another name on NixOS, and that one is used.",
    action: "Nothing; write the name that NixOS has to silence the note.",
  },
  "cloud-config/locked": {
    means: "A password is given, and the account is locked for passwords all the same.",
    action: "Add `lock_passwd: false` if the password is to count.",
  },
  "cloud-config/program-path": {
    means: "A command names a program by a path that NixOS does not have.",
    action: "Write the name of the program alone, and add its package.",
  },
  "cloud-config/interpreter-path": {
    means: "A script begins with an interpreter by a path that NixOS does not have.",
    action: "Begin it with `#!/usr/bin/env`, and add the package of the interpreter.",
  },
  "cloud-config/foreign-command": {
    means:
      "A command changes what NixOS makes from its configuration, or calls a tool that other distributions have for that.",
    action: "Say it with the key or the option that the hint names.",
  },
  "cloud-config/package-manager": {
    means: "A command calls the package manager of another distribution.",
    action: "Name the packages under `packages`.",
  },
  "cloud-config/cloud-init-program": {
    means: "A command calls a program of cloud-init, which is not on the machine.",
    action: "Say the same with `firstlight: commands`, or ask `firstlight status` and `query`.",
  },
  "cloud-config/not-a-key": {
    means:
      "A text stands among ssh keys and does not look like a public key: its type, then Base64 that begins with the same type.",
    action: "Write a public key as ssh-keygen prints it.",
  },
  "cloud-config/not-a-certificate": {
    means: "A text stands among certificates and is none, so that it is left out.",
    action: "Write the certificate whole, in PEM.",
  },
  "cloud-config/unknown-device": {
    means: "What a mount or a file system names as its device is none that is known here.",
    action:
      "Write its path, `LABEL=` or `UUID=`, or say which device it is under `device_aliases`.",
  },
  "cloud-config/not-overwritten": {
    means: "A disk or a file system was to be written over; only what is empty is written to.",
    action: "Empty the device by hand where that is meant.",
  },
  "cloud-config/other-type": {
    means: "A file system is made of one type and mounted as another.",
    action: "Write the same type in both places, or none in `mounts`.",
  },
  "cloud-config/whole-disk": {
    means: "A disk is mounted itself, where cloud-init takes its first partition if it has one.",
    action: "Name the partition, or a label.",
  },
  "cloud-config/ntp-client": {
    means: "Peers and networks that may ask need another client than NixOS has by itself.",
    action: "Nothing; name it in `ntp_client` to silence the note.",
  },
  "cloud-config/nvidia-open": {
    means: "NVIDIA's open kernel modules are taken, which take cards from Turing on.",
    action: "For an older card set hardware.nvidia.open to false.",
  },
  "cloud-config/not-a-host-key": {
    means: "A text under `ssh_keys` is no key that the ssh server could load; it is left out.",
    action: "Write the key whole, as ssh-keygen makes it without a passphrase.",
  },
  "cloud-config/no-meaning": {
    means: "The key has no meaning on NixOS, and nothing is lost without it.",
    action: "Remove it if the note disturbs.",
  },
  "cloud-config/no-default-user": {
    means: "Keys or settings are for the default user, and the document has none.",
    action: "Add `default` to `users`.",
  },
  "cloud-config/not-a-hash": {
    means: "A password hash was expected, and the value is none.",
    action: "Make one with `mkpasswd -m yescrypt`.",
  },
  "cloud-config/plain-password": {
    means: "A password in plain text is none that can be hashed.",
    action: "Make a hash with `mkpasswd -m yescrypt` and give that.",
  },
  "cloud-config/weak-hash": {
    means: "A password hash is of a scheme that NixOS no longer knows; nobody can log in with it.",
    action: "Make another with `mkpasswd -m yescrypt`.",
  },
  "cloud-config/plain-http": {
    means: "An address begins with `http:`: whoever is on the way reads and changes what is sent.",
    action: "Use https.",
  },
  "cloud-config/no-user": {
    means: "Something is said of a user that the document does not have.",
    action: "Add the user to `users`, or correct the name.",
  },
  "cloud-config/unknown-shell": {
    means: "No package of NixOS is known for the login shell.",
    action: "Use one of the shells that the hint lists.",
  },
  "cloud-config/package-unneeded": {
    means: "A package of another distribution has no counterpart that NixOS needs.",
    action: "Remove it, or set the options of the service it is for, which the hint names.",
  },
  "cloud-config/package-service": {
    means:
      "A package that sets up a service on another distribution is the program alone on NixOS.",
    action: "Set the option, or name the template, that the hint gives; it brings the program too.",
  },
  "cloud-config/package-name": {
    means: "A text cannot be the name of a package in nixpkgs.",
    action: "Look the package up at search.nixos.org and write its attribute.",
  },
  "cloud-config/package-debian": {
    means: "The name of a package has a form that only Debian and Ubuntu have.",
    action:
      "Write the attribute of nixpkgs, as the hint says; one that is right as it stands goes under `firstlight: packages`.",
  },
  "cloud-config/package-mapped": {
    means: "A package of another distribution has another name in nixpkgs, and that one is used.",
    action: "Nothing; write the name of nixpkgs to silence the note.",
  },
  "cloud-config/package-near": {
    means: "A name of a package is nearly that of another, and no table has it.",
    action: "Correct it, or leave it where nixpkgs has an attribute of that name.",
  },
  "cloud-config/package-snap": {
    means: "A package of snap is taken from nixpkgs by the same name.",
    action: "See that it is the same program, and name it without `snap`.",
  },
  "cloud-config/package-version": {
    means: "A version of a package was asked for; versions come from the pinned nixpkgs.",
    action: "Pin another nixpkgs to get another version.",
  },
  "cloud-config/source-unavailable": {
    means: "A file, or keys, were to come from an address that could not be read.",
    action: "Check the address and the network; give `content`, or the keys themselves.",
  },
  "cloud-config/source-on-node": {
    means:
      "A file, or keys, come from an address, which `validate`, `translate` and `render` do not read: the node does.",
    action: "Nothing; they are missing only from what these commands show.",
  },
  "cloud-config/undecodable": {
    means: "The content of a file does not fit its encoding.",
    action: "Check `encoding`, and that the content was not cut.",
  },
  "cloud-config/directory-path": {
    means: "The path of a file ends with a slash, as that of a directory does.",
    action: "Write the path of a file, without the slash.",
  },
  "cloud-config/decimal-mode": {
    means: "Permission bits are written as a decimal number, which is another mode than it looks.",
    action: 'Put them in quotes: "0644".',
  },
  "network/version": {
    means: "The network config names no version that is read.",
    action: "Write `version: 2` (netplan) or `version: 1`.",
  },
  "network/invalid": {
    means: "A part of the network config lacks what it needs.",
    action: "Complete it as the message says.",
  },
  "network/overridden": {
    means: "The user-data describes an interface of the network config, and that counts.",
    action: "Nothing; describe it in one place to silence the note.",
  },
  "network/unsupported": {
    means: "A part of the network config is not translated.",
    action: "Say it with systemd.network under `firstlight: options`.",
  },
  "yaml/invalid": {
    means: "The document is not YAML as cloud-init's reader (PyYAML, YAML 1.1) takes it.",
    action: "Mend it at the named line; values that hold : # { [ * & ! % @ belong in quotes.",
  },
  "yaml/too-large": {
    means: "The document, or what its aliases and merge keys make of it, is larger than is read.",
    action: "Make it smaller: fetch large contents by URL, repeat less by aliases.",
  },
  "yaml/too-deep": {
    means: "Collections are nested deeper than is read.",
    action: "Nest less.",
  },
  "yaml/recursive-alias": {
    means: "An alias stands inside the collection it names, so that the value would never end.",
    action: "Write the value out, or name another one.",
  },
  "yaml/unsupported-tag": {
    means: "A value has a tag (!name) that no safe reader of YAML knows.",
    action: "Remove the tag, or put the value in quotes when ! is meant as text.",
  },
  "yaml/wrong-tag": {
    means: "A value is not of the type that its tag or its spelling says.",
    action: "Correct it, or put it in quotes to make it text.",
  },
  "yaml/duplicate-key": {
    means: "A mapping has a key twice; the last value counts, the other one is lost.",
    action: "Remove one of them.",
  },
  "yaml/key-not-text": {
    means:
      "A key without quotes is read as a number, truth value, date or nothing, and kept as the text of that.",
    action: "Put the key in quotes when it is meant as text.",
  },
  "yaml/kept-as-text": {
    means:
      "A value has a type that JSON lacks (a date, bytes, a set, a number that is not finite) and is kept as the nearest thing.",
    action: "Put it in quotes when it is meant as text.",
  },
  "yaml/large-number": {
    means:
      "A whole number is too large to be kept exactly as a number; it is kept as the text of its digits.",
    action: "Put it in quotes.",
  },
  "yaml/more-findings": {
    means: "The document has more findings than are listed.",
    action: "Mend the listed ones and read it again.",
  },
} as const satisfies CodeTable;
