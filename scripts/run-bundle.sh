#!/bin/bash
# Starts an image that `umoci unpack` has unpacked, with crun: its user, environment, directory and command.
#
#   usage: scripts/run-bundle.sh BUNDLE [COMMAND…]     (root; no COMMAND: the image's own)
#
# The network is that of the caller. Standard streams pass through; the exit status is the command's.
set -euo pipefail
bundle=$1
shift
if [ "${RUN_BUNDLE_NAMESPACE-}" != entered ]; then
    RUN_BUNDLE_NAMESPACE=entered exec unshare --mount --propagation private -- "$0" "$bundle" "$@"
fi

# crun refuses machines that have both versions of cgroups mounted: here is a mount namespace where one is gone.
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified

python3 - "$bundle/config.json" "$bundle/run.json" "$@" <<'PYTHON'
import json, sys
source, destination, *command = sys.argv[1:]
with open(source) as file:
    config = json.load(file)
config["process"]["terminal"] = False
if command:
    config["process"]["args"] = command
# What Docker gives a container; umoci's bundles get next to nothing.
granted = ["CAP_" + name for name in (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT")]
is_root = config["process"]["user"]["uid"] == 0
config["process"]["capabilities"] = {
    "bounding": granted, "permitted": granted if is_root else [], "effective": granted if is_root else []}
linux = config["linux"]
linux["namespaces"] = [space for space in linux["namespaces"] if space["type"] not in ("network", "cgroup")]
linux.pop("resources", None)
config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "cgroup"]
with open(destination, "w") as file:
    json.dump(config, file)
PYTHON
# State of its own: what a container left that was killed would be in the way of the next one of the same name.
state=$(mktemp -d "$bundle/crun.XXXXXX")
exec crun --root "$state" --cgroup-manager=disabled run --bundle "$bundle" --config "$bundle/run.json" smoke
