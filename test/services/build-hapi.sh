#!/usr/bin/env bash
# Builds the HAPI launcher into .cache/hapi, unless it is there and newer than its source. Needs Java 17 and Maven.
set -euo pipefail
cd "$(dirname "$0")"
jar=.cache/hapi/hapi-server.jar

if [ -f "$jar" ] && [ -z "$(find hapi -type f -newer "$jar")" ]; then
  echo "HAPI launcher: up to date"
  exit 0
fi
for tool in java mvn; do
  command -v "$tool" >/dev/null || { echo "HAPI launcher: $tool is missing (Debian: default-jdk-headless maven)" >&2; exit 69; }
done
mkdir -p .cache
mvn --quiet --batch-mode --no-transfer-progress --file hapi/pom.xml package
touch "$jar"
echo "HAPI launcher: built"
