# A containerd as an administrator sets one up, ready for Kubernetes.
set -eu
cat >/etc/systemd/system/containerd.service <<'UNIT'
[Service]
Type=notify
ExecStart=/usr/bin/containerd
KillMode=process
Delegate=yes
[Install]
WantedBy=multi-user.target
UNIT
cat >/etc/containerd/config.toml <<'CONFIG'
version = 3
imports = ["/etc/containerd/conf.d/*.toml"]
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
CONFIG
systemctl enable --now containerd
