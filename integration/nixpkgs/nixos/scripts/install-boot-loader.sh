# The installer of a system: the boot menu, as NixOS's installers write it. Every generation of the
# system's profile and of each profile beside it has an entry; the default is the system that is
# called. What is written takes its place at once. On the disk it is only where the installer sees to
# that: systemd-boot's does at its end, GRUB's and extlinux's do not.
profiles=${system%/store/*}/var/nix/profiles
boot=$ROOT/boot

put() { # file: standard input takes its place
  mkdir -p "$(dirname "$1")" && cat > "$1.tmp" && mv -Tf "$1.tmp" "$1"
}

# Names of the generations of a profile with their systems, the newest first.
generations() { # profile
  for link in "$1"-*-link; do
    [ -L "$link" ] || continue
    number=${link%-link}
    echo "${number##*-} $(readlink "$link")"
  done | sort -rn
}

# The profiles beside the system's whose names an installer takes.
beside() { # pattern of grep
  for profile in "$profiles"/system-profiles/*; do
    case $profile in *-link | *'*') continue ;; esac
    if basename "$profile" | grep -qE "$1"; then echo "$profile"; fi
  done
}

# Copies a kernel or initrd where the loader can read it; what has its name is taken for whole.
copy_kernel() { # file of the store, directory, end of the name: the copy's name
  file=$(readlink -f "$1")
  name=$(basename "$(dirname "$file")")-${file##*/}$3
  if [ ! -e "$2/$name" ]; then cp "$file" "$2/$name.tmp" && mv "$2/$name.tmp" "$2/$name"; fi
  echo "$name" >> "$copied"
  echo "$name"
}
# What no entry names.
remove_others() { # directory
  for file in "$1"/*; do grep -qxF "${file##*/}" "$copied" || rm -f "$file"; done
}
copied=$(mktemp)
trap 'rm "$copied"' EXIT

systemd_boot() {
  entries=$boot/loader/entries kernels=$boot/EFI/nixos
  mkdir -p "$entries" "$kernels"
  entry() { # profile's name or nothing, its path
    generations "$2" | while read -r number toplevel; do
      name=nixos${1:+-$1}-generation-$number.conf
      put "$entries/$name" <<END
title NixOS${1:+ [$1]}
sort-key nixos
version Generation $number $(cat "$toplevel/nixos-version")
linux /EFI/nixos/$(copy_kernel "$toplevel/kernel" "$kernels" .efi)
initrd /EFI/nixos/$(copy_kernel "$toplevel/initrd" "$kernels" .efi)
options init=$toplevel/init $(cat "$toplevel/kernel-params")
END
      if [ "$toplevel" = "$system" ]; then
        printf 'timeout 5\ndefault %s\nconsole-mode keep\n' "$name" | put "$boot/loader/loader.conf"
      fi
      echo "$name"
    done
  }
  known=$(
    for profile in $(beside .); do entry "$(basename "$profile")" "$profile"; done
    entry "" "$profiles/system" # last: its entry is the default where both have the system
  )
  for file in "$entries"/nixos*-generation-*.conf; do
    case " $(echo $known) " in *" ${file##*/} "*) ;; *) rm -f "$file" ;; esac
  done
  remove_others "$kernels"
  if [ -z "$ROOT" ]; then sync -f "$boot"; fi
}

# As install-grub.pl (nixos/modules/system/boot/loader/grub): kernels are copied where /boot is a file
# system of its own (labelled `boot`).
grub() {
  if [ "$(stat -c %d "$boot")" = "$(stat -c %d "${system%/*}")" ]; then kernels=; else kernels=$boot/kernels; fi
  if [ -n "$kernels" ]; then mkdir -p "$kernels"; fi
  on_drive() { # file of the store: how GRUB calls it
    if [ -z "$kernels" ]; then echo "(\$drive1)$(readlink -f "$1")"
    else echo "(\$drive1)//kernels/$(copy_kernel "$1" "$kernels" "")"
    fi
  }
  # The secrets of each initrd, beside it: of an older system, which may have lost them, they may be absent.
  for toplevel in "$system" $(for profile in "$profiles/system" $(beside '^[[:alnum:]_]+$'); do generations "$profile"; done | cut -d ' ' -f 2); do
    name=$(basename "$toplevel")-secrets
    rm -f "$boot/kernels/$name.tmp"
    if [ ! -x "$toplevel/append-initrd-secrets" ]; then continue; fi
    mkdir -p "$boot/kernels"
    if ! inside "$toplevel/append-initrd-secrets" "$boot/kernels/$name.tmp"; then
      rm -f "$boot/kernels/$name.tmp"
      if [ "$toplevel" = "$system" ]; then echo "failed to create initrd secrets" >&2; return 1; fi
      echo "warning: failed to create initrd secrets for $toplevel, an older generation" >&2
    elif [ -s "$boot/kernels/$name.tmp" ]; then
      mv -f "$boot/kernels/$name.tmp" "$boot/kernels/$name"
      echo "$name" >> "$copied"
    fi
  done
  secrets() { # system: the word that follows its initrd
    name=$(basename "$1")-secrets
    directory=/boot
    if [ -n "$kernels" ]; then directory=/; fi
    if grep -qxF "$name" "$copied"; then echo " (\$drive1)$directory/kernels/$name"; fi
  }
  entry() { # title, system
    cat <<END
menuentry "$1" --class nixos --unrestricted {
${kernels:+search --set=drive1 --label boot}
  linux $(on_drive "$2/kernel") init=$2/init $(cat "$2/kernel-params")
  initrd $(on_drive "$2/initrd")$(secrets "$2")
}
END
  }
  menu() { # title, profile
    echo "submenu \"$1\" --class submenu {"
    generations "$2" | while read -r number toplevel; do
      entry "NixOS - Configuration $number ($(cat "$toplevel/nixos-version"))" "$toplevel"
    done
    echo "}"
  }
  {
    cat <<'END'
# Automatically generated.  DO NOT EDIT THIS FILE!
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ]; then
  set default="${next_entry}"
  set next_entry=
  save_env next_entry
  set timeout=1
else
  set default=0
  set timeout=5
fi
END
    entry NixOS "$system"
    menu "NixOS - All configurations" "$profiles/system"
    for profile in $(beside '^[[:alnum:]_]+$'); do
      menu "NixOS - Profile '$(basename "$profile")'" "$profile"
    done
  } | put "$boot/grub/grub.cfg"
  if [ -n "$kernels" ]; then remove_others "$kernels"; fi
}

# Only of the system's profile; a trial has no entry.
extlinux() {
  kernels=$boot/nixos
  mkdir -p "$kernels"
  entry() { # label, title, system
    cat <<END

LABEL $1
  MENU LABEL NixOS - $2
  LINUX ../nixos/$(copy_kernel "$3/kernel" "$kernels" "")
  INITRD ../nixos/$(copy_kernel "$3/initrd" "$kernels" "")
  APPEND init=$3/init $(cat "$3/kernel-params")
END
  }
  {
    printf 'DEFAULT nixos-default\nTIMEOUT 50\n'
    entry nixos-default Default "$system"
    generations "$profiles/system" | while read -r number toplevel; do
      entry "nixos-$number-default" "Configuration $number ($(cat "$toplevel/nixos-version"))" "$toplevel"
    done
  } | put "$boot/extlinux/extlinux.conf"
  remove_others "$kernels"
}

case $(cat "$system/boot-loader") in
systemd-boot) systemd_boot ;;
grub) grub ;;
extlinux) extlinux ;;
esac && echo "$system" | put "$boot/default"
