/**
 * Names that mean the same program on Debian, Fedora and in nixpkgs, as far as user-data is known to ask
 * for them: with them a slip of a letter can be told from an attribute that no table has.
 */
export const plainPackages: ReadonlySet<string> = new Set(
  `
  acl acpi act age alacritty amass ansible ansible-lint apacheHttpd arp-scan aria2 asciidoctor asdf-vm aspell
  atop atuin audit autoconf autojump automake avahi aws-vault awscli2 azure-cli
  bandwhich bash bash-completion bashInteractive bat bc bind binutils bison blender bmon borgbackup borgmatic
  bottom bpftrace bridge-utils broot btop btrfs-progs buildah bzip2 bun
  caddy cage calc cargo ccache ceph certbot chezmoi chromium chrony cifs-utils clang cloc cloud-utils cloudflared cmake
  cni-plugins cockroachdb collectd colordiff conntrack-tools consul containerd corepack coreutils cowsay cpio cri-tools
  cryptsetup csvkit curl curlie
  dash dateutils ddrescue debootstrap delta deno dig direnv dive dmidecode dnsmasq dnsutils docker docker-compose
  dogdns dos2unix dosfstools doxygen duf dust duplicity dua duckdb
  e2fsprogs earlyoom ed efibootmgr elixir emacs entr envsubst erlang espeak etcd ethtool exfat exfatprogs exiftool
  expect eza
  f2fs-tools fail2ban fastfetch fd ffmpeg figlet file findutils fio firefox firewalld fish flac flashrom flex
  fluent-bit flyctl fping freeipmi freerdp fswatch fwupd fzf
  gawk gcc gdb gdisk gdu gh ghostscript gimp git git-crypt git-lfs glances glow gnugrep gnumake gnupg gnused gnutar
  gnutls go golangci-lint gopls gotop gparted gradle grafana grafana-loki graphviz grpcurl gum gvisor gzip
  haproxy hashcat haveged hcloud hdparm helix helmfile hexyl htop httpie httping hugo hwinfo hwloc hyperfine
  i2c-tools icu iftop ifuse imagemagick incus inetutils influxdb inotify-tools intel-gpu-tools iotop ioping ipcalc
  iperf iperf2 iperf3 ipmitool iproute2 ipset iptables iptraf-ng iputils iw iwd
  jdk jenkins jfsutils jless jq just
  k3s k9s kakoune kbd keepalived kexec-tools keychain kitty kmod knot-dns kopia krb5 kubectl kubectx kubernetes
  kubernetes-helm kustomize
  lazydocker lazygit ldns less lftp libcap libnotify libreoffice libvirt lighttpd links2 lldpd lm_sensors lnav
  logrotate lrzip lsb-release lshw lsof lsscsi ltrace lua luajit lv lvm2 lynx lz4 lzop
  mailutils man man-pages mariadb matrix-synapse maven mbuffer mc mdadm memcached memtester mercurial meson minicom
  minikube minio minio-client mise mkcert mlocate modemmanager monit moreutils mosh mosquitto mpd mpv msmtp mtools mtr
  multipath-tools multitail mutt mysql80
  nano nats-server nbd ncdu ncurses neofetch neovim net-snmp net-tools netcat netcat-gnu netcat-openbsd netdata nethogs
  networkmanager newt nextcloud-client nftables ngrep nginx ninja nix-index nixfmt nload nmap nmon nnn nodejs nodejs_20
  nodejs_22 nodejs_24 nomad nsd ntfs3g ntp numactl nvme-cli
  oh-my-zsh open-vm-tools openjdk openldap openresty openssh openssl opensc opentofu openvpn openvswitch ookla-speedtest
  pandoc parallel parted patch patchelf pciutils pcre perl pgcli php pigz pipx pkg-config pkgconf
  playerctl podman podman-compose poetry postfix postgresql powertop ppp pre-commit privoxy procps prometheus protobuf
  proxychains psmisc pulumi-bin pv pwgen python3 python311 python312 python313
  qemu quota
  rabbitmq-server rclone readline redis restic ripgrep rlwrap rpm rsnapshot rsync rsyslog rtorrent ruby runc rustc
  rustup
  s-nail s3cmd s4cmd s5cmd samba sbcl screen scrot sd sed shellcheck shfmt siege silver-searcher skopeo slurp smartmontools
  snapraid socat sops speedtest-cli sqlite squashfsTools squid ssh-audit sshfs sshpass sshuttle starship step-cli stow
  strace stress stress-ng stunnel subversion sudo supervisor sway swtpm sysbench syncthing sysfsutils syslog-ng sysstat
  systemd
  tailscale taskwarrior tcpdump tcpflow tcsh telegraf terraform termshark testdisk texinfo tig time tinc tmate
  tmux tor tpm2-tools tpm2-tss traceroute traefik transmission tree trivy tshark tuptime tzdata
  unbound unixtools unrar unzip upower usbutils usbmuxd util-linux uv
  v4l-utils vagrant valgrind valkey vault vector vim vlc vnstat vsftpd
  w3m watchexec watchman wavemon websocat weechat wget which whois wireguard-tools wireshark wireshark-cli wirelesstools
  wlr-randr wol wrk
  xclip xdg-utils xfsprogs xh xmlstarlet xorriso xterm xxd xz
  yadm yara yarn yazi yq yq-go yt-dlp
  zabbix zellij zerotierone zip zoxide zsh zstd
`
    .trim()
    .split(/\s+/),
);
