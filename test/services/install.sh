#!/usr/bin/env bash
# Installs the servers, validators and readers that the tests ask for, on Debian or Ubuntu. Run it as often as you like:
# what is there is left alone, and when all is there nothing needs root.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .cache

missing_packages() {
  local wanted=(orthanc orthanc-dicomweb orthanc-gdcm dicom3tools dcmtk pixelmed-apps chromium libvulkan1
    postgresql python3-venv)
  command -v javac >/dev/null || wanted+=(default-jdk-headless)
  command -v mvn >/dev/null || wanted+=(maven)
  local package
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# Orthanc's package starts a service on the ports of a real PACS unless this file forbids it; one that was here stays.
install_packages() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing: $*; run this script as root" >&2
    return 77
  fi
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    # the trap outlives this function, so it names the file itself
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "$@"
}

# The readers in Python, at the versions of requirements.txt; the copy inside tells what was installed.
install_readers() {
  local wanted=python/requirements.txt venv=.cache/venv
  cmp -s "$wanted" "$venv/requirements.txt" && return
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
  cp "$wanted" "$venv/requirements.txt"
}

# OHIF's SR extension as published; not a dependency of the gateway, its loader is run on our reports.
install_ohif() {
  local version=3.13.13 folder=.cache/ohif-sr
  grep -qs "\"version\": \"$version\"" "$folder/package/package.json" && return
  rm -rf "$folder"
  mkdir -p "$folder"
  npm pack --silent --pack-destination "$folder" "@ohif/extension-cornerstone-dicom-sr@$version" >/dev/null
  tar -xzf "$folder"/*.tgz -C "$folder"
}

mapfile -t packages < <(missing_packages)
[ "${#packages[@]}" -eq 0 ] || install_packages "${packages[@]}"
install_readers
install_ohif
./build-hapi.sh
echo "test services: ready"
