# Makes the layer that turns the Debian below into a machine of NixOS, as an image has it before its
# first boot: firstlight, nixpkgs and the system of the image's own configuration in the store, and
# what is on its boot partition, that system as the default. A machine with a KERNEL boots it itself,
# by its LOADER; one with a MANAGER has NetworkManager in the place of systemd-networkd, one of a FLEET
# names that fleet's root. Run in a mount namespace of its own:
#   make-image.sh DEBIAN OUT MACHINE NIXPKGS DIST KERNEL LOADER MANAGER FLEET    the last ones may be empty
set -e
debian=$1 out=$2 machine=$3 nixpkgs=$4 dist=$5 kernel=$6 loader=$7 manager=$8 fleet=$9
work=$(mktemp -d)
trap 'umount -R "$work"; rmdir "$work"' EXIT
mount -n -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -n -t overlay overlay -o "lowerdir=$debian,upperdir=$work/upper,workdir=$work/work" "$work/root"
cd "$work/root"

# NixOS owns these.
rm -rf etc/systemd/system etc/init.d etc/rc?.d etc/nix etc/nixos
mv usr/bin/nix usr/bin/nix.real
cp usr/bin/sync usr/bin/sync.real
cp -a --no-preserve=ownership "$machine/." .
if [ -n "$manager" ]; then mv usr/lib/stand-in/network-manager.nix etc/nixos/network.nix; fi
if [ -n "$fleet" ]; then mv usr/lib/stand-in/of-fleet.nix etc/nixos/fleet.nix; fi
ln -sfn multi-user.target usr/lib/systemd/system/default.target
mkdir -p nix/store nix/var/nix/profiles nix/var/stand-in boot tmp/in/firstlight-0.1.0/bin tmp/in/firstlight-0.1.0/lib
echo / > nix/var/stand-in/root

cp -r "$nixpkgs" tmp/in/nixpkgs
cp -r "$dist" tmp/in/firstlight-0.1.0/lib/firstlight
cat > tmp/in/firstlight-0.1.0/bin/firstlight <<'X'
#!/bin/sh
package=$(dirname "$(dirname "$(readlink -f "$0")")")
exec /usr/local/bin/node "$package/lib/firstlight/firstlight.js" "$@"
X
chmod 755 tmp/in/firstlight-0.1.0/bin/firstlight
if [ -n "$kernel" ]; then cp "$kernel" tmp/in/kernel; fi
mount -n --rbind /dev dev
mount -n -t proc proc proc
mount -n -t tmpfs tmpfs boot # a file system of its own, as later
env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . sh -ec '
  loader=$0
  nixpkgs=$(nix-store --add /tmp/in/nixpkgs)
  firstlight=$(nix-store --add /tmp/in/firstlight-0.1.0)
  pins="\"nixpkgs\": \"$nixpkgs\", \"firstlight\": \"$firstlight\""
  if [ -e /tmp/in/kernel ]; then pins="$pins, \"loader\": \"$loader\", \"kernel\": \"$(nix-store --add /tmp/in/kernel)\""; fi
  echo "{ $pins }" > /etc/nixos/pins.json
  system=$(NIX_PATH=nixpkgs=$nixpkgs:nixos-config=/etc/nixos/configuration.nix \
    nix-build "<nixpkgs/nixos>" -A system --no-out-link)
  nix-env -p /nix/var/nix/profiles/system --set "$system"
  "$system/bin/install-boot-loader"' "$loader"
cp -r boot "$out/boot"
umount -R dev proc boot
rm -rf tmp/in run/nix-calls root/.cache
cd /
mkdir "$out/root"
cp -a "$work/upper/." "$out/root/"
