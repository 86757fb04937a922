#!/usr/bin/env bash
# As root on Debian: Mesa's Vulkan drivers, software (lavapipe) and AMD's (RADV), and the assembler of SPIR-V.
set -euo pipefail

packages=(mesa-vulkan-drivers libvulkan1 spirv-tools)
list=/etc/apt/sources.list.d/score-cam-backports.list
from=()
apt-get update -qq
# Mesa of Debian 12 itself is too old for Dawn; that of its backports is not. From the mirror that is set up here.
if grep -qs 'VERSION_CODENAME=bookworm' /etc/os-release; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | grep -m1 '/debian/$')
  echo "deb $mirror bookworm-backports main" >"$list"
  trap 'rm -f "$list"' EXIT
  apt-get update -qq
  from=(-t bookworm-backports)
fi
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${from[@]}" "${packages[@]}" >/dev/null
