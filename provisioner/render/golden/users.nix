# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{
  config,
  lib,
  pkgs,
  ...
}:
{
  users.users.alice = {
    isNormalUser = true;
    uid = 1001;
    description = "Alice Example";
    group = "operators";
    extraGroups = [
      "wheel"
      "dialers"
    ];
    home = "/home/alice";
    createHome = true;
    shell = pkgs.zsh;
    expires = "2027-12-31";
    hashedPasswordFile = "/run/firstlight/passwords/user-alice-password@0123456789abcdef";
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH alice@example.org" ];
  };

  users.users.collector = {
    isSystemUser = true;
    group = "collector";
    hashedPassword = "!";
  };

  users.groups = {
    collector = { };
    dialers = { };
    operators = {
      gid = 2000;
      members = [ "collector" ];
    };
  };

  programs.zsh.enable = true;

  services.openssh.enable = lib.mkDefault true;
  services.firstlight.enable = true;

  security.sudo = {
    extraRules = [
      {
        users = [ "alice" ];
        runAs = "ALL";
        commands = [
          {
            command = "ALL";
            options = [ "NOPASSWD" ];
          }
        ];
      }
    ];
    extraConfig = "alice ALL=(postgres) /run/current-system/sw/bin/psql\n";
  };

  security.doas = {
    enable = true;
    extraConfig = "permit nopass alice as root\n";
  };

  system.activationScripts = {
    firstlightPasswords = {
      deps = [ "specialfs" ];
      text = ''
        # Password hashes, in memory, before users are made.
        install -d -m 0700 /run/firstlight/passwords
        mountpoint -q /run/firstlight/passwords || mount -t ramfs -o mode=0700 ramfs /run/firstlight/passwords || true
        readCredential() { # how, name, file: how is "encrypted" or "plain"
          local from=/var/lib/firstlight/credentials/$3
          case $1 in
            encrypted) "$systemConfig/systemd/bin/systemd-creds" decrypt --name="$2" "$from" - ;;
            plain) cat "$from" ;;
          esac
        }
        presentPassword() { # user: what stands in /etc/shadow, else a password that nothing fits
          local name hash rest
          while IFS=: read -r name hash rest; do
            if [ "$name" = "$1" ]; then echo "''${hash:-!}"; return; fi
          done 2> /dev/null < /etc/shadow || true
          echo '!'
        }
        password() { # user, how, name, file: whole or not there, because users are made from it
          local target=/run/firstlight/passwords/$4
          if ! (umask 077 && readCredential "$2" "$3" "$4" > "$target.new" && [ -s "$target.new" ]); then
            echo "firstlight: the password of $1 cannot be read; the present one is kept" >&2
            (umask 077 && presentPassword "$1" > "$target.new")
          fi
          mv "$target.new" "$target"
        }
        password alice encrypted user-alice-password user-alice-password@0123456789abcdef
      '';
    };
    users =
      if config.systemd.sysusers.enable or false || config.services.userborn.enable or false then
        lib.mkMerge [ ]
      else
        { deps = [ "firstlightPasswords" ]; };
  };

  systemd.services.firstlight-passwords = lib.mkIf config.users.mutableUsers {
    description = "Set passwords of accounts as the spec says";
    wantedBy = [
      "multi-user.target"
      "sysinit-reactivation.target"
    ];
    before = [
      "systemd-user-sessions.service"
      "sysinit-reactivation.target"
    ];
    after = [
      "systemd-sysusers.service"
      "userborn.service"
    ];
    path = [ pkgs.shadow ];
    script = ''
      # Where it stands what was done to a path for an instance: in memory where that is.
      stampsFor() {
        local at=$1
        until [ -e "''${at:-/}" ]; do at=''${at%/*}; done
        case $(stat -L -f -c %T "''${at:-/}") in
          tmpfs | ramfs) echo "/run/firstlight/stamps/$2" ;;
          *) echo "/var/lib/firstlight/stamps/$2" ;;
        esac
      }

      # Does something unless it was the last that was done: stamp, a name for it, what to do.
      once() (
        set -e
        if [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; then exit 0; fi
        "''${@:3}"
        mkdir -p "''${1%/*}"
        printf '%s\n' "$2" > "$1.new"
        mv -T "$1.new" "$1"
        sync "$1" "''${1%/*}"
      )

      # What stands in /etc/shadow for a user.
      present() {
        local name hash rest
        while IFS=: read -r name hash rest; do
          if [ "$name" = "$1" ]; then
            printf %s "$hash"
            return 0
          fi
        done < /etc/shadow
        echo "firstlight: there is no account $1" >&2
        return 1
      }

      setHash() { # user, file
        local hash= old
        IFS= read -r hash < "$2" || [ -n "$hash" ]
        old=$(present "$1")
        if [ "$old" != "$hash" ]; then printf '%s:%s\n' "$1" "$hash" | chpasswd -e; fi
      }

      lock() {
        local old
        old=$(present "$1")
        case $old in
          '!'* | '*'*) ;;
          *) usermod -L "$1" ;;
        esac
      }

      # Only where there is a password behind the lock.
      unlock() {
        local old
        old=$(present "$1")
        case $old in
          '!'[!'!*']*) usermod -U "$1" ;;
        esac
      }

      failed=
      set +e
      trap 'failed+="; $BASH_COMMAND"' ERR
      once "$(stampsFor /etc/shadow d924710c3f490881)"/password-alice hash-faf2c54814be5d55 setHash alice "$CREDENTIALS_DIRECTORY"/user-alice-password
      once "$(stampsFor /etc/shadow d924710c3f490881)"/password-collector lock lock collector
      if [ -n "$failed" ]; then
        echo "firstlight: not as asked: ''${failed#; }" >&2
        exit 1
      fi
    '';
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      TimeoutStartSec = "5min";
      LoadCredentialEncrypted = [
        "user-alice-password:/var/lib/firstlight/credentials/user-alice-password@0123456789abcdef"
      ];
    };
  };
}
