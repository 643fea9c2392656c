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
    means:
      "A part is a program for cloud-init (a part-handler), or a template away from the node that renders it.",
    action: "Do beforehand what a part-handler does; look at a template on its node.",
  },
  "user-data/mime-form": {
    means:
      "A multipart is not written as MIME wants it: something of it is not read, or it may have been cut.",
    action:
      "Write it again with `cloud-init devel make-mime` or a mail program, and send it whole.",
  },
  "user-data/transfer-encoding": {
    means: "A part of a multipart is not encoded as its header says.",
    action: "Encode it again, as base64, with the header that says so.",
  },
  "user-data/unknown-part": {
    means: "Neither the type nor the first line of a part says what it is: nothing of it is read.",
    action: "Begin it with #cloud-config or #!, and give it the type that goes with that.",
  },
  "user-data/too-many-parts": {
    means: "A document has more parts than are read.",
    action: "Write several parts as one.",
  },
  "user-data/archive-entry": {
    means: "An entry of a #cloud-config-archive cannot be read.",
    action: "Write a mapping with `type` and `content`, the content as text.",
  },
  "user-data/launch-index": {
    means: "A part is for another of the machines that were started together, or for none.",
    action: "Leave `Launch-Index` out where the part is for all of them.",
  },
  "user-data/merge-header": {
    means:
      "A header of a part is written in a way that cloud-init does not read, so that it counts for nothing.",
    action: "Write `Merge-Type`.",
  },
  "user-data/include-unread": {
    means: "A document that another one includes could not be read.",
    action:
      "Check that its address can be read from this machine; elsewhere put the document itself in its place.",
  },
  "user-data/include-unprotected": {
    means:
      "An included document is read by http: whoever is on the way can change what this machine becomes.",
    action: "Write https in the place of http.",
  },
  "user-data/include-address": {
    means: "A line of an #include is no address with http or https, or there is none.",
    action: "Put the document itself in the place of the line.",
  },
  "user-data/include-cycle": {
    means: "A document includes itself, by others or at once.",
    action: "Take one of the lines out.",
  },
  "user-data/include-limit": {
    means: "More documents are included than are read, or they include each other too deep.",
    action: "Write several documents as one, and name them in one list.",
  },
  "user-data/interpreter": {
    means: "A script does not say in its first line which program runs it: sh does.",
    action: "Begin it with `#!/bin/sh`.",
  },
  "user-data/nix-module": {
    means:
      "A module of NixOS stands in the user-data, and an image takes them only where its owner says so.",
    action:
      "Set `userData.nixModules` in /etc/firstlight/settings.json, or put the module into the image.",
  },
  "user-data/nix-syntax": {
    means: "A module of NixOS in the user-data is not Nix.",
    action: "Mend it where the finding says; `nix-instantiate --parse FILE` says the same.",
  },
  "user-data/parts-limit": {
    means:
      "What documents include and what their templates come to is too large, takes too long or is too much: the rest of it is not read.",
    action: "Include less, write several templates as one, and fetch large contents as files.",
  },
  "user-data/script-replaced": {
    means: "Two scripts of one kind have the same name: the later one runs, the other one never.",
    action: "Give each a name of its own.",
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
    means: "A document, or a part of it, is neither UTF-8 text nor whole gzip data.",
    action: "Check that it was not cut or encoded twice.",
  },
  "user-data/sealed": {
    means: "A document is an age envelope, which only its node opens.",
    action: "Look at the document itself; on the node, `firstlight plan` does.",
  },
  "user-data/signature-malformed": {
    means: "A document whose first line says #firstlight-signed has no signature that can be read.",
    action:
      "Sign the text anew with `ssh-keygen -Y sign`, and put the first line, the signature and the text together as docs/signed-user-data.md shows.",
  },
  "user-data/signature-wrong": {
    means:
      "A signed document was changed after it was signed, or cut, so that nothing of it is used.",
    action: "Sign the text anew, and check that it comes as it was signed, byte for byte.",
  },
  "user-data/signature-foreign": {
    means:
      "A signed document is whole, and its signature does not count here: another key made it, or it is for another purpose or another instance.",
    action:
      "Sign the document with a key that `userData.signers` in the settings of the image names.",
  },
  "user-data/signature-unchecked": {
    means:
      "A document is signed, and nobody is named whose signature would count: it is read as if it were not signed.",
    action:
      "Name the keys in `userData.signers` of the settings; `--signers FILE` tells a command at your desk.",
  },
  "user-data/signed-by": {
    means: "A document is signed by one of the keys that were named, and whole.",
    action: "Nothing: it says who signed it, and for what.",
  },
  "user-data/signed-template": {
    means:
      "A signed document is a template, and what it is rendered to would be up to whoever gives the meta-data.",
    action: "Sign the document that the template gives, or write it without the template.",
  },
  "user-data/signed-launch-index": {
    means:
      "A part of a signed document is for one of several machines, and which one this is would be up to whoever gives the meta-data.",
    action: "Leave `Launch-Index` out, and sign a document for each machine.",
  },
  "user-data/signed-unprotected": {
    means:
      "A signed document names what is read by http: nobody signed that, and whoever is on the way can change it.",
    action: "Write https in the place of http, or put the text itself into the document.",
  },
  "user-data/unsigned": {
    means:
      "The settings of the image take only signed user-data, and this is not signed, or none came.",
    action:
      "Sign the user-data as docs/signed-user-data.md shows, or take `userData.signature` out of the settings.",
  },
  "user-data/unsigned-keys": {
    means:
      "The settings of the image take only signed user-data, so that ssh keys of the meta-data are not used.",
    action: "Name the keys in the signed document.",
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
    means:
      "The cloud gave vendor-data, which is not used: the user-data switches it off, is a #firstlight alone, or has to be signed.",
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
  "cloud-config/invalid": {
    means: "A value does not have the form that cloud-init takes for the key.",
    action: "Write it as the message says; docs/cloud-config.md shows each key.",
  },
  "cloud-config/deprecated": {
    means: "cloud-init has a newer word for a key, or for a form of its value, and takes both.",
    action: "Nothing; write what the hint says to silence the note.",
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
  "cloud-config/package-of-vendor": {
    means:
      "Vendor-data asks for a package of which nobody knows whether nixpkgs has it; it is left out.",
    action: "Name it in the user-data, where it is wanted and nixpkgs has it.",
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
  "cloud-config/package-unknown": {
    means: "A name of a package is in no table, and is taken as an attribute of nixpkgs.",
    action: "Look it up at search.nixos.org, and write the attribute that it has there.",
  },
  "cloud-config/package-snap": {
    means: "A package of snap is taken from nixpkgs by the same name.",
    action: "See that it is the same program, and name it without `snap`.",
  },
  "cloud-config/package-version": {
    means: "A version of a package was asked for; versions come from the pinned nixpkgs.",
    action: "Pin another nixpkgs to get another version.",
  },
  "cloud-config/sources-limit": {
    means:
      "Files, or keys, that come from addresses are too large or take too long, all of them together: the rest is not read.",
    action: "Let a command of `runcmd` fetch what is large, and check the server.",
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
  "cloud-config/zfs": {
    means: "A pool of ZFS is asked for, which NixOS does not have by itself.",
    action: "Set boot.supportedFilesystems and networking.hostId under `firstlight: options`.",
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
  "network/other-place": {
    means:
      "The network is what the kernel's command line, the initrd or cloud-init's settings on the machine say: that counts before the datasource.",
    action: "Nothing where it is meant; else take it away at the place that is named.",
  },
  "network/unreadable": {
    means:
      "The kernel's command line, the initrd or cloud-init's settings on the machine say a network that cannot be read; nothing is changed.",
    action: "Correct it at the place that is named, or take it away there.",
  },
  "network/unknown-key": {
    means: "The network config has a key that its format does not have at this place.",
    action: "Mend its name, as the hint says where it looks like another one, or remove it.",
  },
  "network/closed": {
    means:
      "A tunnel whose protocol has no ports: the firewall lets the other end in once this one has sent something.",
    action:
      "Nothing where this end begins; else let the protocol in by options of networking.firewall.",
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
