# The packages that the stand-in knows, by how their stubs are made.
{
  # Packages that are shells, and their programs, the shell first.
  shells = {
    bash = [ "bash" "sh" ]; bashInteractive = [ "bash" "sh" ]; dash = [ "dash" ]; elvish = [ "elvish" ]; fish = [ "fish" ]; ksh = [ "ksh" ]; mksh = [ "mksh" ];
    nushell = [ "nu" ]; tcsh = [ "tcsh" ]; xonsh = [ "xonsh" ]; zsh = [ "zsh" ];
  };

  # Packages with several programs, or one of another name.
  programs = {
    coreutils = [ "cat" "chgrp" "chmod" "chown" "cp" "cut" "date" "dirname" "basename" "echo" "env" "false" "head" "id" "install" "ln" "ls" "mkdir" "mktemp" "mv" "printf" "readlink" "realpath" "rm" "rmdir" "sha256sum" "sleep" "sort" "stat" "sync" "tail" "tee" "test" "touch" "tr" "true" "uname" "uniq" "wc" ];
    util-linux = [ "mount" "umount" "flock" "blkid" "findmnt" "lsblk" "logger" "mountpoint" "setpriv" "unshare" "swapon" "wipefs" ];
    systemd = [ "bootctl" "systemctl" "systemd-analyze" "systemd-creds" "systemd-notify" "systemd-run" "systemd-tmpfiles" "journalctl" "networkctl" "hostnamectl" "timedatectl" "udevadm" ];
    findutils = [ "find" "xargs" ];
    gnugrep = [ "grep" ];
    gnused = [ "sed" ];
    gawk = [ "awk" "gawk" ];
    gnutar = [ "tar" ];
    iproute2 = [ "ip" "ss" ];
    shadow = [ "useradd" "usermod" "passwd" "chpasswd" ];
    su = [ "su" ];
    kexec-tools = [ "kexec" ];
    openssh = [ "ssh" "sshd" "ssh-keygen" "scp" "sftp" ];
    nodejs = [ "node" "npm" "npx" ];
    nodejs_22 = [ "node" "npm" "npx" ];
    nodejs_24 = [ "node" "npm" "npx" ];
    nix = [ "nix" "nix-build" "nix-env" "nix-instantiate" "nix-store" "nix-collect-garbage" ];
    neovim = [ "nvim" ];
    python3 = [ "python3" ];
    ripgrep = [ "rg" ];
    fd = [ "fd" ];
    kmod = [ "modprobe" "lsmod" "insmod" ];
    procps = [ "ps" "free" "top" "sysctl" "pkill" "pgrep" ];
    e2fsprogs = [ "mkfs.ext4" "e2fsck" "resize2fs" "tune2fs" ];
    dosfstools = [ "mkfs.vfat" "fsck.vfat" ];
    cloud-utils = [ "growpart" ];
    mosquitto = [ "mosquitto" "mosquitto_pub" "mosquitto_sub" "mosquitto_passwd" ];
    gnupg = [ "gpg" ];
    postgresql = [ "psql" "postgres" ];
    networkmanager = [ "nmcli" ];
    inetutils = [ "hostname" "ping" "telnet" ];
    getent = [ "getent" ];
    cacert = [ ];
    linux-firmware = [ ];
    tzdata = [ ];
    wireless-regdb = [ ];
    sof-firmware = [ ];
    alsa-ucm-conf = [ ];
    raspberrypifw = [ ];
    raspberrypiWirelessFirmware = [ ];
  };

  packages = [
    "acpid" "age" "amazon-ec2-utils" "amazon-ssm-agent" "ansible" "apache-httpd" "apparmor" "at" "attr" "acl" "bat" "bc" "bind" "bottom" "brightnessctl" "btop"
    "btrfs-progs" "bzip2" "caddy" "chromium" "chrony" "containerd" "cloud-init" "cmake" "conntrack-tools" "cowsay" "cri-tools" "cron" "cryptsetup" "curl"
    "delve" "diffutils" "direnv" "dmidecode" "dnsutils" "docker" "docker-buildx" "docker-client" "docker-compose" "doas" "emacs" "envsubst" "ethtool" "eza"
    "fail2ban" "fastfetch" "ffmpeg" "figlet" "file" "firefox" "fprintd" "framework-tool" "fw-ectool" "fwupd" "fzf" "gcc" "gdb" "gh" "git" "git-lfs"
    "glances" "gnumake" "go" "gptfdisk" "gzip" "haproxy" "helix" "hdparm" "hello" "htop" "httpie" "i2c-tools" "influxdb" "iftop" "inotify-tools" "intel-gpu-tools" "iotop" "iperf3" "iptables"
    "iwd" "jq" "k3s" "kitty" "kubectl" "kubernetes-helm" "less" "libgpiod" "libinput" "libraspberrypi" "linuxptp" "lm_sensors" "lsof" "lshw"
    "lvm2" "lynx" "mailutils" "man-db" "mariadb" "mc" "mdadm" "memcached" "micro" "minicom" "modemmanager" "moreutils" "mosh" "mtr" "nano" "ncdu" "ncurses" "netcat"
    "nfs-utils" "nftables" "nginx" "nixos-rebuild" "nmap" "node-exporter" "ntfs3g" "ntp" "nvme-cli" "opensc" "openssl" "openvpn" "parted" "patch" "pavucontrol" "pciutils"
    "perl" "pinentry" "podman" "podman-compose" "powertop" "prometheus-node-exporter" "psmisc" "pv" "pwgen" "qemu" "qemu_kvm" "rclone" "redis" "rsync" "ruby" "rustc" "cargo" "rustup" "screen" "sg3_utils" "smartmontools"
    "socat" "spice-vdagent" "sqlite" "sshfs" "strace" "stress-ng" "sudo" "sysstat" "tailscale" "tcpdump" "terraform" "tmux" "tpm2-tools" "tpm2-tss" "traceroute"
    "tree" "ubootRaspberryPi4_64bit" "unzip" "upower" "usbutils" "vault" "vim" "virt-manager" "vlc" "vscode" "watchdog" "wget" "which" "wireguard-tools" "wirelesstools" "wpa_supplicant" "xfsprogs" "xz" "yarn" "yq" "zfs" "zip" "zstd"
  ];

  nvidiaDrivers = [ "stable" "production" "latest" "beta" "legacy_580" "legacy_535" "legacy_470" "legacy_390" "legacy_340" ];
  kernelPackages = [ "framework-laptop-kmod" "cpupower" "perf" "turbostat" "zenpower" "acpi_call" "v4l2loopback" "wireguard" ];
  python = [ "pip" "requests" "virtualenv" ];
}
